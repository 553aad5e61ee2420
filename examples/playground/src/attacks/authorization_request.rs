//! Somebody changes the authorization request on its way.

use pkce_core::CodeVerifier;

use crate::attacks::outcome::Outcome;
use crate::attacks::{ATTACKER, Attack, Group};
use crate::user::{Result, S256, authorize, challenge};
use crate::wire::Wire;

pub(super) const GROUP: Group = Group {
    title: "A changed authorization request",
    idea: "Somebody changes the request between client and server, or sends one of their own, so that the code is bound \
           to nothing, or to something weaker.",
    attacks: &[
        Attack {
            name: "challenge-stripped",
            tried: "downgrade: the challenge is stripped",
            hope: "The server issues a code without a challenge, and later nobody asks for a verifier.",
            rule: "This server requires a challenge, and says so with the words of the RFC.",
            clauses: &["RFC 7636 §4.4.1", "RFC 9700 §4.8.2"],
            play: |wire| Box::pin(change(wire, |_| vec![], str::to_owned)),
        },
        Attack {
            name: "challenge-stripped-method-left",
            tried: "downgrade: the challenge is stripped, the method is left",
            hope: "A server that looks at the method alone believes that PKCE is in use.",
            rule: "A method without a challenge is a broken request or a stripped one. Neither gets a code.",
            clauses: &["RFC 7636 §4.3", "RFC 9700 §4.8.2"],
            play: |wire| Box::pin(change(wire, |_| vec![S256], str::to_owned)),
        },
        Attack {
            name: "method-plain",
            tried: "downgrade: the method is plain",
            hope: "With plain the challenge is the verifier: whoever sees the request can redeem the code.",
            rule: "plain protects against nobody who reads the authorization request. This server accepts S256 alone.",
            clauses: &["RFC 7636 §4.4.1", "RFC 7636 §7.2", "RFC 9700 §2.1.1"],
            play: |wire| {
                Box::pin(change(
                    wire,
                    |challenge| vec![("code_challenge", challenge), ("code_challenge_method", "plain")],
                    str::to_owned,
                ))
            },
        },
        Attack {
            name: "method-left-out",
            tried: "downgrade: the method is left out, which means plain",
            hope: "The server falls back to plain, or guesses S256 and hides the fault.",
            rule: "A method that is left out means plain, which this server does not accept. S256 is never assumed.",
            clauses: &["RFC 7636 §4.3"],
            play: |wire| Box::pin(change(wire, |challenge| vec![("code_challenge", challenge)], str::to_owned)),
        },
        Attack {
            name: "challenge-twice",
            tried: "the challenge twice",
            hope: "One part of the server reads the first, another the last.",
            rule: "A parameter may stand once. Twice is refused even if both are equal.",
            clauses: &["RFC 6749 §3.1"],
            play: |wire| {
                Box::pin(change(
                    wire,
                    |challenge| vec![("code_challenge", challenge), ("code_challenge", challenge), S256],
                    str::to_owned,
                ))
            },
        },
        Attack {
            name: "challenge-twice-once-empty",
            tried: "the challenge a second time, without a value",
            hope: "The empty one counts as omitted for one reader and overwrites the real one for another.",
            rule: "A parameter without a value counts as omitted, but it still stands there a second time.",
            clauses: &["RFC 6749 §3.1"],
            play: |wire| {
                Box::pin(change(
                    wire,
                    |challenge| vec![("code_challenge", challenge), S256, ("code_challenge", "")],
                    str::to_owned,
                ))
            },
        },
        Attack {
            name: "challenge-not-canonical",
            tried: "a challenge that only a lenient decoder accepts",
            hope: "Its last character has bits that no SHA-256 has: a lenient decoder drops them, and four spellings are \
                   one challenge.",
            rule: "A challenge is 43 characters of base64url that decode to 32 octets exactly, and in one spelling.",
            clauses: &["RFC 7636 §4.2"],
            play: |wire| Box::pin(change(wire, |_| vec![("code_challenge", NOT_CANONICAL), S256], str::to_owned)),
        },
        Attack {
            name: "challenge-under-encoded-name",
            tried: "the challenge a second time, under an encoded name",
            hope: "A filter that compares names before decoding them sees one challenge; the server sees two.",
            rule: "Names are compared after decoding, so this is the parameter a second time.",
            clauses: &["RFC 6749 §3.1"],
            play: |wire| {
                Box::pin(change(
                    wire,
                    |challenge| vec![("code_challenge", challenge), S256],
                    |query| format!("{query}&code%5Fchallenge=evil"),
                ))
            },
        },
    ],
};

/// The sibling of RFC 7636's example whose last character differs in a bit that decodes to nothing.
const NOT_CANONICAL: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN";

/// The attacker sends an authorization request with other parameters than the client's.
async fn change(wire: Wire, parameters: fn(&str) -> Vec<(&str, &str)>, target: fn(&str) -> String) -> Result<Outcome> {
    let challenge = challenge(&CodeVerifier::generate()?);
    let said = wire.send("GET", &target(&authorize(&parameters(&challenge))), &[ATTACKER], "").await?;
    Ok(Outcome::refused(&said, "invalid_request"))
}
