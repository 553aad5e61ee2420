//! The thief has the code and has seen the authorization request.

use crate::attacks::outcome::Outcome;
use crate::attacks::{ATTACKER, Attack, GUESS, Group};
use crate::user::{Flow, Result, challenge};
use crate::wire::{FORM, Wire};

pub(super) const GROUP: Group = Group {
    title: "A stolen code",
    idea: "The code leaked: from a log, the browser’s history, another app on the phone. The thief has seen the \
           authorization request too, with the challenge, but not the verifier.",
    attacks: &[
        Attack {
            name: "no-verifier",
            tried: "a stolen code without a verifier",
            hope: "A server that checks the verifier only when one is sent hands out the tokens.",
            rule: "A code that is bound to a challenge needs its verifier. Leaving it out is refused like a wrong one.",
            clauses: &["RFC 7636 §4.6", "RFC 9700 §2.1.1"],
            play: |wire| Box::pin(steal(wire, |_, _| String::new())),
        },
        Attack {
            name: "guessed-verifier",
            tried: "a stolen code with a guessed verifier",
            hope: "A server that checks only the form of the verifier lets any through.",
            rule: "The verifier’s SHA-256 must equal the challenge that is bound to the code. A wrong guess does not use \
                   the code up: a thief cannot stop the client that has the verifier.",
            clauses: &["RFC 7636 §4.6", "RFC 7636 §7.1"],
            play: |wire| Box::pin(steal(wire, |_, _| GUESS.to_owned())),
        },
        Attack {
            name: "verifier-of-another-flow",
            tried: "a stolen code with another flow’s verifier",
            hope: "The thief starts a flow of their own and presents that verifier. A server that keeps the challenge by \
                   client or by session takes it.",
            rule: "The challenge is bound to one code, so a verifier is good for that code alone.",
            clauses: &["RFC 7636 §4.4", "RFC 9700 §4.5"],
            play: |wire| Box::pin(steal(wire, |_, other| other.verifier.as_str().to_owned())),
        },
        Attack {
            name: "challenge-as-verifier",
            tried: "a stolen code with its own challenge as the verifier",
            hope: "The challenge was in the authorization request. A server that falls back to plain compares it with \
                   itself.",
            rule: "The method that is bound to the code decides, here S256. From the challenge nobody gets back to the \
                   verifier.",
            clauses: &["RFC 7636 §4.6", "RFC 7636 §7.2"],
            play: |wire| Box::pin(steal(wire, |flow, _| challenge(&flow.verifier))),
        },
        Attack {
            name: "short-verifier",
            tried: "a stolen code with a verifier of one character",
            hope: "If short verifiers are accepted, clients will send them, and they can be guessed.",
            rule: "A verifier has 43 to 128 characters. Anything else is refused before the store is asked.",
            clauses: &["RFC 7636 §4.1", "RFC 7636 §7.1"],
            play: |wire| Box::pin(steal(wire, |_, _| "a".to_owned())),
        },
    ],
};

/// The thief redeems the code with a verifier that is made of what can be known; then comes the client.
async fn steal(wire: Wire, verifier: fn(&Flow, &Flow) -> String) -> Result<Outcome> {
    let (flow, other) = (Flow::start(wire).await?, Flow::start(wire).await?);
    let verifier = verifier(&flow, &other);
    let sent: &[_] = if verifier.is_empty() { &[] } else { &[("code_verifier", verifier.as_str())] };
    let said = wire.send("POST", "/token", &[FORM, ATTACKER], &flow.token_request(sent)).await?;
    Outcome::refused(&said, "invalid_grant").and_the_client_is_served(wire, &flow).await
}
