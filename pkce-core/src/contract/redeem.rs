//! *redeem* is granted once and to the right proof; all else changes nothing.

use super::bound::Bound;
use super::case::{Case, Step};
use super::expect;
use super::probe::Probe;
use super::sample::{self, Draft};
use crate::method::CodeChallengeMethod;
use crate::proof::Proof;
use crate::store::{Attempt, Inserted, Redemption, Ticket};

pub(super) const CASES: &[Case] = &[
    Case::new("redeem", "an unknown code is unknown, and stays free", |probe| Box::pin(unknown(probe))),
    Case::new("redeem", "the right proof is the first", |probe| Box::pin(right(probe))),
    Case::new("redeem", "a wrong proof is refused and changes nothing", |probe| Box::pin(wrong(probe))),
    Case::new("redeem", "a hundred wrong proofs change nothing", |probe| Box::pin(hundred(probe))),
    Case::new("redeem", "a proof that differs in one bit is refused", |probe| Box::pin(one_bit(probe))),
    Case::new("redeem", "no proof is refused where one is bound", |probe| Box::pin(missing(probe))),
    Case::new("redeem", "a proof is refused where none is bound", |probe| Box::pin(superfluous(probe))),
    Case::new("redeem", "no proof is the first where none is bound", |probe| Box::pin(none(probe))),
    Case::new("redeem", "a proof of zeros is a proof, not its absence", |probe| Box::pin(zeros(probe))),
    Case::new("redeem", "the burned ticket redeems like any other", |probe| Box::pin(burned(probe))),
];

async fn unknown(probe: Probe) -> Step {
    let bound = Bound { probe, code: sample::code()?, binding: Draft::fresh()?.binding()? };
    for (step, attempt) in [("a proof", bound.right()?), ("no proof", sample::attempt(None)?)] {
        expect::redemption(step, &Redemption::Unknown, &bound.redeem(&attempt).await?)?;
    }
    let inserted = bound.insert(&bound.binding).await?;
    expect::same("insert after the code was looked for", &Inserted::Recorded, &inserted)?;
    bound.live("the right proof").await.map(drop)
}

async fn right(probe: Probe) -> Step {
    for method in [CodeChallengeMethod::S256, CodeChallengeMethod::Plain] {
        let challenge = Some((method, sample::proof()?));
        let bound = Bound::new(&probe, Draft { challenge, ..Draft::fresh()? }.binding()?).await?;
        let winner = bound.live("the right proof").await?;
        bound.held_by("the right proof under another ticket", &winner).await?;
    }
    Ok(())
}

async fn wrong(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    let mut last = sample::wrong()?;
    for _ in 0..5 {
        bound.refused("a wrong proof", &last).await?;
        last = sample::wrong()?;
    }
    bound.refused("another wrong proof", &last).await?;
    // Not even a claim by ticket is left behind.
    let right = Attempt::new(bound.binding.proof().copied(), last.ticket(), last.at());
    bound.first("the right proof, under a ticket that was refused before", &right).await?;
    bound.held_by("the right proof under another ticket", &right).await
}

/// The client that holds the verifier is not shut out by those who guess: a code that may be burned is burned by the core.
async fn hundred(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    for nth in 1..=100 {
        bound.refused(&format!("wrong proof number {nth}"), &sample::wrong()?).await?;
    }
    bound.live("the right proof after a hundred wrong ones").await.map(drop)
}

async fn one_bit(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    for octet in 0..32 {
        let mut near = bound.binding.proof().map_or([0; 32], |proof| *proof.as_bytes());
        if let Some(octet) = near.get_mut(octet) {
            *octet ^= 1;
        }
        let attempt = sample::attempt(Some(Proof::from_bytes(near)))?;
        bound.refused(&format!("a proof that differs in octet {octet}"), &attempt).await?;
    }
    bound.live("the right proof").await.map(drop)
}

async fn missing(probe: Probe) -> Step {
    for method in [CodeChallengeMethod::S256, CodeChallengeMethod::Plain] {
        let challenge = Some((method, sample::proof()?));
        let bound = Bound::new(&probe, Draft { challenge, ..Draft::fresh()? }.binding()?).await?;
        bound.refused("no proof", &sample::attempt(None)?).await?;
        bound.live("the right proof").await?;
    }
    Ok(())
}

async fn superfluous(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::without_challenge()?.binding()?).await?;
    bound.refused("a proof", &sample::wrong()?).await?;
    bound.live("no proof").await.map(drop)
}

async fn none(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::without_challenge()?.binding()?).await?;
    let winner = bound.live("no proof").await?;
    bound.held_by("no proof, under another ticket", &winner).await?;
    bound.again("a proof, under another ticket", &sample::wrong()?, &winner).await
}

async fn zeros(probe: Probe) -> Step {
    let zeros = Proof::from_bytes([0; 32]);
    let unbound = Bound::new(&probe, Draft::without_challenge()?.binding()?).await?;
    unbound.refused("a proof of zeros for a code bound to none", &sample::attempt(Some(zeros))?).await?;
    let challenge = Some((CodeChallengeMethod::S256, zeros));
    let bound = Bound::new(&probe, Draft { challenge, ..Draft::fresh()? }.binding()?).await?;
    bound.refused("no proof for a code bound to a proof of zeros", &sample::attempt(None)?).await?;
    bound.live("a proof of zeros for a code bound to it").await.map(drop)
}

async fn burned(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    let right = bound.right()?;
    let burned = Attempt::new(right.proof().copied(), Ticket::BURNED, right.at());
    bound.first("the right proof under the burned ticket", &burned).await?;
    bound.held_by("a replay of a burned code", &burned).await?;
    bound.restore(right.ticket()).await?;
    bound.held_by("a replay of a burned code after a foreign restore", &burned).await?;
    bound.restore(Ticket::BURNED).await?;
    bound.live("the right proof after the burned ticket's restore").await.map(drop)
}
