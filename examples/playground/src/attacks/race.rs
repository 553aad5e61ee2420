//! Somebody with the code, but without the verifier, is faster than the client.

use crate::attacks::outcome::Outcome;
use crate::attacks::{ATTACKER, Attack, GUESS, Group};
use crate::user::{Flow, Result};
use crate::wire::{FORM, Said, Wire};

pub(super) const GROUP: Group = Group {
    title: "A race against the client",
    idea: "The thief cannot redeem the code, but is fast. Perhaps the client can be kept from its tokens.",
    attacks: &[
        Attack {
            name: "twenty-race",
            tried: "twenty wrong verifiers race the client: none is served",
            hope: "A wrong verifier uses the code up, or holds a lock on it while the client is turned away.",
            rule: "A wrong verifier changes nothing, so there is nothing to win by being first.",
            clauses: &["RFC 7636 §4.6", "RFC 6749 §4.1.2"],
            play: |wire| Box::pin(race(wire)),
        },
        Attack {
            name: "twenty-hang-up",
            tried: "twenty wrong verifiers that hang up: the client is served",
            hope: "A request that is broken off leaves the code marked, and nobody ever puts it right.",
            rule: "A code is marked only together with the right proof, so a request without it leaves nothing behind.",
            clauses: &["RFC 7636 §4.6"],
            play: |wire| Box::pin(hang_up(wire)),
        },
    ],
};

async fn race(wire: Wire) -> Result<Outcome> {
    let flow = Flow::start(wire).await?;
    let wrong = flow.token_request(&[("code_verifier", GUESS)]);
    let (thieves, client) = tokio::join!(at_once(wire, 20, &[FORM, ATTACKER], &wrong), flow.redeem(wire));
    Ok(Outcome::of_many(&thieves?, 0).then("the client", &client?, 200))
}

async fn hang_up(wire: Wire) -> Result<Outcome> {
    let flow = Flow::start(wire).await?;
    let wrong = flow.token_request(&[("code_verifier", GUESS)]);
    for _ in 0..20 {
        wire.hang_up("POST", "/token", &[FORM, ATTACKER], &wrong).await?;
    }
    let nobody = Outcome { said: "20 × no answer".to_owned(), right: true };
    nobody.and_the_client_is_served(wire, &flow).await
}

/// The same request, many times at once.
pub(super) async fn at_once(
    wire: Wire,
    times: usize,
    headers: &'static [(&'static str, &'static str)],
    body: &str,
) -> Result<Vec<Said>> {
    let tasks: Vec<_> = (0..times)
        .map(|_| {
            let body = body.to_owned();
            tokio::spawn(async move { wire.send("POST", "/token", headers, &body).await })
        })
        .collect();
    let mut said = Vec::new();
    for task in tasks {
        said.push(task.await??);
    }
    Ok(said)
}
