//! *restore* acts for the ticket that redeemed the code, for no other and for no older one.

use super::bound::Bound;
use super::case::{Case, Step};
use super::expect;
use super::probe::Probe;
use super::sample::{self, Draft};
use crate::store::{Inserted, Redemption, Ticket};

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
];

async fn holder(probe: Probe) -> Step {
    for draft in [Draft::fresh()?, Draft::without_challenge()?] {
        let bound = Bound::new(&probe, draft.binding()?).await?;
        let winner = bound.live("the right proof").await?;
        bound.restore(winner.ticket()).await?;
        let next = bound.live("the right proof after the restore").await?;
        bound.held_by("a replay after the restored code was redeemed", &next).await?;
    }
    Ok(())
}

async fn foreign(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    let winner = bound.live("the right proof").await?;
    let loser = bound.right()?;
    bound.again("a replay", &loser, &winner).await?;
    for (step, ticket) in [
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

async fn many(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    for _ in 0..20 {
        let holder = bound.live("the right proof while the code is live").await?;
        bound.held_by("a replay while the code is redeemed", &holder).await?;
        bound.restore(holder.ticket()).await?;
    }
    Ok(())
}
