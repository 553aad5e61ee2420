//! A redeemed code is remembered with its ticket and time, and the same call sent twice is one redemption.

use super::bound::Bound;
use super::callers::share;
use super::case::{Case, Step};
use super::near;
use super::probe::Probe;
use super::sample::{self, Draft};
use crate::store::{Attempt, Ticket};

pub(super) const CASES: &[Case] = &[
    Case::new("replay", "the right proof is told who redeemed the code, and when", |probe| Box::pin(right(probe))),
    Case::new("replay", "a wrong or missing proof is told the same", |probe| Box::pin(wrong(probe))),
    Case::new("replay", "three hundred replays change nothing", |probe| Box::pin(very_many(probe))),
    Case::new("replay", "a redeem sent twice is one redemption", |probe| Box::pin(resent(probe))),
    Case::new("replay", "a resend is recognized after others have failed", |probe| Box::pin(resent_late(probe))),
    Case::new("replay", "a ticket that differs in one bit is another ticket", |probe| Box::pin(one_bit(probe))),
    Case::new("replay", "a ticket that is alike as text is another ticket", |probe| Box::pin(alike(probe))),
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

/// More than a byte counts.
const VERY_MANY: usize = 300;

async fn very_many(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    let winner = bound.live("the right proof").await?;
    let replayed = bound.clone();
    share((1..=VERY_MANY).collect(), move |nth| {
        let bound = replayed.clone();
        async move {
            if nth % 2 == 0 {
                return bound.held_by(&format!("replay number {nth}"), &winner).await;
            }
            bound.again(&format!("replay number {nth}, with a wrong proof"), &sample::wrong()?, &winner).await
        }
    })
    .await?;
    bound.held_by("one more replay", &winner).await?;
    bound.restore(winner.ticket()).await?;
    bound.live("the right proof after replays and a restore").await.map(drop)
}

async fn resent(probe: Probe) -> Step {
    for draft in [Draft::fresh()?, Draft::without_challenge()?] {
        let bound = Bound::new(&probe, draft.binding()?).await?;
        let winner = bound.live("the right proof").await?;
        bound.first("the same attempt sent again", &winner).await?;
        bound.first("the same attempt sent a third time", &winner).await?;
        bound.held_by("a replay after the resends", &winner).await?;
        bound.restore(winner.ticket()).await?;
        bound.live("the right proof after the resends and one restore").await?;
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
    let random = sample::bytes::<16>()?;
    let (letters, near_letters) = near::one_letter(sample::bytes::<16>()?);
    for (base, near) in [(random, near::one_bit(random)), (letters, near_letters)] {
        tells_apart(&probe, "a ticket", base, near).await?;
    }
    Ok(())
}

async fn alike(probe: Probe) -> Step {
    let alike = near::alike(sample::bytes::<16>()?);
    for (nth, (what, ticket)) in alike.iter().enumerate() {
        let mut others = alike.clone();
        others.remove(nth);
        tells_apart(&probe, &format!("where a ticket redeemed the code with {what}: a ticket"), *ticket, others)
            .await?;
    }
    Ok(())
}

/// Redeems a code by one ticket, and then tries to redeem and to restore it by the others.
async fn tells_apart(probe: &Probe, whose: &str, ticket: [u8; 16], others: Vec<(String, [u8; 16])>) -> Step {
    let bound = Bound::new(probe, Draft::fresh()?.binding()?).await?;
    let right = bound.right()?;
    let winner = Attempt::new(right.proof().copied(), Ticket::from_bytes(ticket), right.at());
    bound.first("the right proof", &winner).await?;
    let (asked, whose) = (bound.clone(), whose.to_owned());
    share(others, move |(what, other)| {
        let (bound, step) = (asked.clone(), format!("{whose} with {what}"));
        let other = Attempt::new(winner.proof().copied(), Ticket::from_bytes(other), winner.at());
        async move {
            bound.again(&step, &other, &winner).await?;
            bound.restore(other.ticket()).await?;
            bound.held_by(&format!("a replay after a restore by {step}"), &winner).await
        }
    })
    .await
    .map(drop)
}
