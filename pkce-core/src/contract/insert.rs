//! *insert* never overwrites a live record.

use super::bound::Bound;
use super::case::{Case, Step};
use super::expect;
use super::probe::Probe;
use super::sample::Draft;
use crate::store::Inserted;

pub(super) const CASES: &[Case] = &[
    Case::new("insert", "a new code is recorded and can be redeemed", |probe| Box::pin(recorded(probe))),
    Case::new("insert", "a live code is occupied and keeps its first binding", |probe| Box::pin(occupied(probe))),
    Case::new("insert", "a code bound to no challenge is occupied too", |probe| Box::pin(occupied_by_none(probe))),
    Case::new("insert", "a redeemed code is occupied and stays redeemed", |probe| Box::pin(redeemed(probe))),
    Case::new("insert", "a restored code is occupied and stays live", |probe| Box::pin(restored(probe))),
    Case::new("insert", "the same binding inserted twice is one record", |probe| Box::pin(twice(probe))),
];

async fn recorded(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    bound.live("the right proof").await.map(drop)
}

async fn occupied(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    let rival = Bound { binding: Draft::fresh()?.binding()?, ..bound.clone() };
    expect::same("insert over a live record", &Inserted::Occupied, &bound.insert(&rival.binding).await?)?;
    bound.refused("the proof of the binding that came second", &rival.right()?).await?;
    bound.live("the proof of the binding that came first").await.map(drop)
}

async fn occupied_by_none(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::without_challenge()?.binding()?).await?;
    let rival = Bound { binding: Draft::fresh()?.binding()?, ..bound.clone() };
    expect::same("insert over a live record", &Inserted::Occupied, &bound.insert(&rival.binding).await?)?;
    bound.refused("the proof of the binding that came second", &rival.right()?).await?;
    bound.live("no proof, as the binding that came first demands").await.map(drop)
}

async fn redeemed(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    let winner = bound.live("the right proof").await?;
    let rival = Bound { binding: Draft::fresh()?.binding()?, ..bound.clone() };
    expect::same("insert over a redeemed record", &Inserted::Occupied, &bound.insert(&rival.binding).await?)?;
    bound.again("the proof of the binding that came second", &rival.right()?, &winner).await?;
    bound.held_by("the proof of the binding that came first", &winner).await
}

async fn restored(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    let winner = bound.live("the right proof").await?;
    bound.restore(winner.ticket()).await?;
    let rival = Draft::fresh()?.binding()?;
    expect::same("insert over a restored record", &Inserted::Occupied, &bound.insert(&rival).await?)?;
    bound.live("the proof of the binding that came first").await.map(drop)
}

/// Whether the second of two identical inserts is *Recorded* or *Occupied* is left to the store: both are true.
async fn twice(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    let _either = bound.insert(&bound.binding).await?;
    let winner = bound.live("the right proof after a second insert").await?;
    let _either = bound.insert(&bound.binding).await?;
    bound.held_by("a replay after a third insert", &winner).await
}
