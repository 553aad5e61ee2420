//! The code is redeemed more than once.

use crate::attacks::outcome::Outcome;
use crate::attacks::race::at_once;
use crate::attacks::{ATTACKER, Attack, GUESS, Group};
use crate::user::{Flow, Result};
use crate::wire::{FORM, Said, Wire};

pub(super) const GROUP: Group = Group {
    title: "A code a second time",
    idea: "A code is good for one redemption. What happens at the second one depends on whether it comes with the \
           verifier.",
    attacks: &[
        Attack {
            name: "replay-with-wrong-verifier",
            tried: "a replay with a wrong verifier",
            hope: "The server revokes the client’s tokens for it: whoever finds an old code can log the user out.",
            rule: "Refused. Without the verifier it proves nothing, so the client’s tokens stay good.",
            clauses: &["RFC 6749 §4.1.2", "OAuth 2.1 §7.5.2"],
            play: |wire| Box::pin(wrong(wire)),
        },
        Attack {
            name: "replay-with-right-verifier",
            tried: "a replay with the right verifier",
            hope: "Whoever has the whole token request gets tokens of their own.",
            rule: "Refused. Code and verifier are both in strange hands, so the tokens that the code has produced are \
                   revoked: the client’s own token gets a 401.",
            clauses: &["RFC 6749 §4.1.2", "RFC 9700 §4.2.4"],
            play: |wire| Box::pin(right(wire)),
        },
        Attack {
            name: "fifty-at-once",
            tried: "fifty redemptions at once: one is served",
            hope: "Between reading the code and marking it there is a gap, and two requests get through.",
            rule: "The code is marked in one atomic step, before any token is made. Of fifty correct requests one is \
                   served; to the others it is a replay.",
            clauses: &["RFC 6749 §4.1.2", "OAuth 2.1 §4.1.3"],
            play: |wire| Box::pin(fifty(wire)),
        },
    ],
};

async fn wrong(wire: Wire) -> Result<Outcome> {
    let flow = Flow::start(wire).await?;
    let tokens = flow.redeem(wire).await?;
    let body = flow.token_request(&[("code_verifier", GUESS)]);
    let said = wire.send("POST", "/token", &[FORM, ATTACKER], &body).await?;
    Ok(Outcome::refused(&said, "invalid_grant").then("the client’s token", &me(wire, &tokens).await?, 200))
}

async fn right(wire: Wire) -> Result<Outcome> {
    let flow = Flow::start(wire).await?;
    let tokens = flow.redeem(wire).await?;
    let body = flow.token_request(&[("code_verifier", flow.verifier.as_str())]);
    let said = wire.send("POST", "/token", &[FORM, ATTACKER], &body).await?;
    Ok(Outcome::refused(&said, "invalid_grant").then("the client’s token", &me(wire, &tokens).await?, 401))
}

async fn fifty(wire: Wire) -> Result<Outcome> {
    let flow = Flow::start(wire).await?;
    let body = flow.token_request(&[("code_verifier", flow.verifier.as_str())]);
    Ok(Outcome::of_many(&at_once(wire, 50, &[FORM], &body).await?, 1))
}

async fn me(wire: Wire, tokens: &Said) -> Result<Said> {
    let bearer = format!("Bearer {}", tokens.member("access_token").unwrap_or_default());
    Ok(wire.send("GET", "/me", &[("authorization", &bearer)], "").await?)
}
