//! *restore* acts for the ticket that redeemed the code, for no other and for no older one.

use super::bound::Bound;
use super::case::{Case, Step};
use super::expect;
use super::probe::Probe;
use super::sample::{self, Draft};
use crate::store::{Attempt, Inserted, Redemption, Ticket};

pub(super) const CASES: &[Case] = &[
    Case::new("restore", "the ticket that redeemed a code restores it", |probe| Box::pin(holder(probe))),
    Case::new("restore", "a foreign ticket restores nothing", |probe| Box::pin(foreign(probe))),
    Case::new("restore", "an old ticket restores nothing once another has redeemed", |probe| Box::pin(old(probe))),
    Case::new("restore", "a redeem that arrives late is not the first again", |probe| Box::pin(late_resend(probe))),
    Case::new("restore", "an unknown code stays unknown", |probe| Box::pin(unknown(probe))),
    Case::new("restore", "a code that nobody redeemed stays as it is", |probe| Box::pin(unredeemed(probe))),
    Case::new("restore", "a restore sent twice is one restore", |probe| Box::pin(twice(probe))),
    Case::new("restore", "a restored code refuses a wrong proof as before", |probe| Box::pin(still_bound(probe))),
    Case::new("restore", "a code can be restored many times", |probe| Box::pin(many(probe))),
    Case::new("restore", "a ticket restores its own code and no other", |probe| Box::pin(elsewhere(probe))),
    Case::new("restore", "two burned codes are two redemptions", |probe| Box::pin(two_burned(probe))),
];

async fn holder(probe: Probe) -> Step {
    for draft in [Draft::fresh()?, Draft::without_challenge()?] {
        let bound = Bound::new(&probe, draft.binding()?).await?;
        let winner = bound.live("the right proof").await?;
        bound.restore(winner.ticket()).await?;
        let next = bound.live("the right proof after the restore").await?;
        bound.held_by("a replay after the restored code was redeemed", &next).await?;
        bound.restore(next.ticket()).await?;
        // A redeem that was sent before the restore may arrive after it.
        bound.first("the attempt that was restored first, sent again", &winner).await?;
        bound.held_by("a replay after it was the first again", &winner).await?;
        bound.restore(winner.ticket()).await?;
        bound.live("the right proof after the second restore by one ticket").await?;
    }
    Ok(())
}

async fn foreign(probe: Probe) -> Step {
    let bound = bound(&probe).await?;
    let refused = sample::wrong()?;
    bound.refused("a wrong proof", &refused).await?;
    let winner = bound.live("the right proof").await?;
    let (loser, wrong) = (bound.right()?, sample::wrong()?);
    bound.again("a replay", &loser, &winner).await?;
    bound.again("a replay with a wrong proof", &wrong, &winner).await?;
    for (step, ticket) in [
        ("a replay after a restore by the ticket of a wrong proof", wrong.ticket()),
        ("a replay after a restore by the ticket of a wrong proof before the redemption", refused.ticket()),
        ("a replay after a restore by the loser's ticket", loser.ticket()),
        ("a replay after a restore by a ticket nobody used", sample::ticket()?),
        ("a replay after a restore by the burned ticket", Ticket::BURNED),
    ] {
        bound.restore(ticket).await?;
        bound.held_by(step, &winner).await?;
    }
    Ok(())
}

async fn old(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    let old = bound.live("the right proof").await?;
    bound.restore(old.ticket()).await?;
    let winner = bound.live("the right proof after the restore").await?;
    bound.restore(old.ticket()).await?;
    bound.held_by("a replay after a second restore by the old ticket", &winner).await
}

async fn late_resend(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    let old = bound.live("the right proof").await?;
    bound.restore(old.ticket()).await?;
    let winner = bound.live("the right proof after the restore").await?;
    bound.again("the old attempt sent again", &old, &winner).await?;
    bound.restore(old.ticket()).await?;
    bound.held_by("a replay after the old attempt's restore", &winner).await
}

async fn unknown(probe: Probe) -> Step {
    let bound = Bound { probe, code: sample::code()?, binding: Draft::fresh()?.binding()? };
    bound.restore(sample::ticket()?).await?;
    bound.restore(Ticket::BURNED).await?;
    for attempt in [bound.right()?, sample::attempt(None)?] {
        expect::redemption("redeem of an unknown code", &Redemption::Unknown, &bound.redeem(&attempt).await?)?;
    }
    expect::same("insert after the restore", &Inserted::Recorded, &bound.insert(&bound.binding).await?)?;
    bound.live("the right proof").await.map(drop)
}

async fn unredeemed(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    bound.restore(sample::ticket()?).await?;
    bound.restore(Ticket::BURNED).await?;
    bound.refused("a wrong proof after restores", &sample::wrong()?).await?;
    let winner = bound.live("the right proof after restores").await?;
    bound.held_by("a replay", &winner).await
}

async fn twice(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    let old = bound.live("the right proof").await?;
    bound.restore(old.ticket()).await?;
    bound.restore(old.ticket()).await?;
    let winner = bound.live("the right proof after two restores").await?;
    bound.held_by("a replay", &winner).await
}

async fn still_bound(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    let old = bound.live("the right proof").await?;
    bound.restore(old.ticket()).await?;
    bound.refused("a wrong proof after the restore", &sample::wrong()?).await?;
    bound.refused("no proof after the restore", &sample::attempt(None)?).await?;
    bound.live("the right proof after the restore").await.map(drop)
}

/// Two writes each time: more than a byte counts.
const TIMES: usize = 130;

async fn many(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    for nth in 1..=TIMES {
        let holder = bound.live(&format!("the right proof after {} restores", nth - 1)).await?;
        if nth % 10 == 0 {
            bound.held_by("a replay while the code is redeemed", &holder).await?;
        }
        bound.restore(holder.ticket()).await?;
    }
    Ok(())
}

async fn elsewhere(probe: Probe) -> Step {
    let (bound, other) = (bound(&probe).await?, bound(&probe).await?);
    let (winner, other_winner) = (bound.live("the right proof").await?, other.live("the right proof").await?);
    other.restore(winner.ticket()).await?;
    probe.restore(&sample::code()?, winner.ticket()).await?;
    bound.held_by("a replay after its ticket was restored for other codes", &winner).await?;
    other.held_by("a replay after a restore by another code's ticket", &other_winner).await?;
    bound.restore(winner.ticket()).await?;
    other.held_by("a replay after another code was restored", &other_winner).await?;
    bound.live("the right proof after the restore").await.map(drop)
}

async fn bound(probe: &Probe) -> Step<Bound> {
    Bound::new(probe, Draft::fresh()?.binding()?).await
}

/// The burned ticket is the only one that more than one code can have.
async fn two_burned(probe: Probe) -> Step {
    let (one, other) = (bound(&probe).await?, bound(&probe).await?);
    let burned = |bound: &Bound| -> Step<Attempt> {
        let right = bound.right()?;
        Ok(Attempt::new(right.proof().copied(), Ticket::BURNED, right.at()))
    };
    let (one_burned, other_burned) = (burned(&one)?, burned(&other)?);
    one.first("the right proof under the burned ticket", &one_burned).await?;
    other.first("the right proof of a second code under the burned ticket", &other_burned).await?;
    one.first("the burned ticket sent again", &one_burned).await?;
    one.held_by("a replay of the first burned code", &one_burned).await?;
    other.held_by("a replay of the second burned code", &other_burned).await?;
    one.restore(Ticket::BURNED).await?;
    other.held_by("a replay of the second burned code after the first was restored", &other_burned).await?;
    one.live("the right proof of the first burned code after the restore").await.map(drop)
}
