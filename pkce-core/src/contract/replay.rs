//! A redeemed code is remembered with its ticket and time, and the same call sent twice is one redemption.

use super::bound::Bound;
use super::case::{Case, Step};
use super::probe::Probe;
use super::sample::{self, Draft};
use crate::store::{Attempt, Ticket};

pub(super) const CASES: &[Case] = &[
    Case::new("replay", "the right proof is told who redeemed the code, and when", |probe| Box::pin(right(probe))),
    Case::new("replay", "a wrong or missing proof is told the same", |probe| Box::pin(wrong(probe))),
    Case::new("replay", "replays change nothing", |probe| Box::pin(many(probe))),
    Case::new("replay", "a redeem sent twice is one redemption", |probe| Box::pin(resent(probe))),
    Case::new("replay", "a resend is recognised after others have failed", |probe| Box::pin(resent_late(probe))),
    Case::new("replay", "a ticket that differs in one bit is another ticket", |probe| Box::pin(one_bit(probe))),
];

async fn right(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    let winner = bound.live("the right proof").await?;
    bound.held_by("a replay with the right proof", &winner).await
}

async fn wrong(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    let winner = bound.live("the right proof").await?;
    bound.again("a replay with a wrong proof", &sample::wrong()?, &winner).await?;
    bound.again("a replay with no proof", &sample::attempt(None)?, &winner).await
}

async fn many(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    let winner = bound.live("the right proof").await?;
    for _ in 0..25 {
        bound.held_by("one of several replays", &winner).await?;
        bound.again("one of several replays, with a wrong proof", &sample::wrong()?, &winner).await?;
    }
    Ok(())
}

async fn resent(probe: Probe) -> Step {
    for draft in [Draft::fresh()?, Draft::without_challenge()?] {
        let bound = Bound::new(&probe, draft.binding()?).await?;
        let winner = bound.live("the right proof").await?;
        bound.first("the same attempt sent again", &winner).await?;
        bound.first("the same attempt sent a third time", &winner).await?;
        bound.held_by("a replay after the resends", &winner).await?;
    }
    Ok(())
}

async fn resent_late(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    let winner = bound.live("the right proof").await?;
    let loser = bound.right()?;
    bound.again("a replay", &loser, &winner).await?;
    bound.first("the first attempt sent again", &winner).await?;
    bound.again("the replay sent again", &loser, &winner).await
}

async fn one_bit(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    let winner = bound.live("the right proof").await?;
    for octet in 0..16 {
        let mut near = *winner.ticket().as_bytes();
        if let Some(octet) = near.get_mut(octet) {
            *octet ^= 1;
        }
        let near = Attempt::new(winner.proof().copied(), Ticket::from_bytes(near), winner.at());
        bound.again(&format!("a ticket that differs in octet {octet}"), &near, &winner).await?;
        bound.restore(near.ticket()).await?;
    }
    bound.held_by("a replay after restores by nearly the same ticket", &winner).await
}
