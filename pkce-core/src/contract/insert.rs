//! *insert* never overwrites a live record.

use super::bound::Bound;
use super::case::{Case, Step};
use super::probe::Probe;
use super::sample::Draft;

pub(super) const CASES: &[Case] = &[
    Case::new("insert", "a new code is recorded and can be redeemed", |probe| Box::pin(recorded(probe))),
    Case::new("insert", "a live code is occupied and keeps its first binding", |probe| Box::pin(occupied(probe))),
    Case::new("insert", "a code bound to no challenge is occupied too", |probe| Box::pin(occupied_by_none(probe))),
    Case::new("insert", "a redeemed code is occupied and stays redeemed", |probe| Box::pin(redeemed(probe))),
    Case::new("insert", "a restored code is occupied and stays live", |probe| Box::pin(restored(probe))),
    Case::new("insert", "a binding that differs in one part is another binding", |probe| Box::pin(one_part(probe))),
    Case::new("insert", "the same binding inserted twice is one record", |probe| Box::pin(twice(probe))),
];

async fn recorded(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    bound.live("the right proof").await.map(drop)
}

async fn occupied(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    let rival = Bound { binding: Draft::fresh()?.binding()?, ..bound.clone() };
    bound.occupied("insert over a live record", &rival.binding).await?;
    bound.refused("the proof of the second binding", &rival.right()?).await?;
    bound.live("the proof of the first binding").await.map(drop)
}

async fn occupied_by_none(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::without_challenge()?.binding()?).await?;
    let rival = Bound { binding: Draft::fresh()?.binding()?, ..bound.clone() };
    bound.occupied("insert over a live record", &rival.binding).await?;
    bound.refused("the proof of the second binding", &rival.right()?).await?;
    bound.live("no proof, as the first binding demands").await.map(drop)
}

async fn redeemed(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    let winner = bound.live("the right proof").await?;
    let rival = Bound { binding: Draft::fresh()?.binding()?, ..bound.clone() };
    bound.occupied("insert over a redeemed record", &rival.binding).await?;
    bound.again("the proof of the second binding", &rival.right()?, &winner).await?;
    bound.held_by("the proof of the first binding", &winner).await
}

async fn restored(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    let winner = bound.live("the right proof").await?;
    bound.restore(winner.ticket()).await?;
    bound.occupied("insert over a restored record", &Draft::fresh()?.binding()?).await?;
    bound.live("the proof of the first binding").await.map(drop)
}

/// A key or a comparison that includes a part of the binding lets the rival in.
async fn one_part(probe: Probe) -> Step {
    for draft in [Draft::fresh()?, Draft::without_challenge()?] {
        let bound = Bound::new(&probe, draft.clone().binding()?).await?;
        let rivals = draft.rivals()?;
        for (part, rival) in &rivals {
            bound.occupied(&format!("insert over a live record that differs in {part}"), rival).await?;
        }
        let winner = bound.live("the proof of the first binding").await?;
        for (part, rival) in &rivals {
            bound.occupied(&format!("insert over a redeemed record that differs in {part}"), rival).await?;
        }
        bound.held_by("a replay", &winner).await?;
        bound.restore(winner.ticket()).await?;
        for (part, rival) in &rivals {
            bound.occupied(&format!("insert over a restored record that differs in {part}"), rival).await?;
        }
        bound.live("the proof of the first binding after the restore").await?;
    }
    Ok(())
}

/// The store may answer *Recorded* or *Occupied* to the second of two identical inserts: both are true.
async fn twice(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    let _either = bound.insert(&bound.binding).await?;
    let winner = bound.live("the right proof after a second insert").await?;
    let _either = bound.insert(&bound.binding).await?;
    bound.held_by("a replay after a third insert", &winner).await
}
