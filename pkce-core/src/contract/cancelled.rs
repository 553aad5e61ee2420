//! A call that is dropped while it waits either happened or did not. The core drops a call when its time is over or its
//! client hangs up.
//!
//! What was sent may still arrive after the drop, so no case asks at once whether it happened. It makes the next call, and
//! what that one finds must stay true.

use std::pin::Pin;
use std::time::{Duration, Instant};

use super::bound::Bound;
use super::case::{Case, Step};
use super::cut::{Cut, usual};
use super::expect;
use super::probe::Probe;
use super::sample::{self, Draft};
use crate::store::{Inserted, Redemption};

pub(super) const CASES: &[Case] = &[
    Case::new("cancelled", "an insert that is dropped happened or did not", |probe| {
        Box::pin(everywhere(probe, |probe, cut| Box::pin(insert(probe, cut))))
    }),
    Case::new("cancelled", "a redeem that is dropped happened or did not", |probe| {
        Box::pin(everywhere(probe, |probe, cut| Box::pin(redeem(probe, cut))))
    }),
    Case::new("cancelled", "a wrong proof that is dropped changes nothing", |probe| {
        Box::pin(everywhere(probe, |probe, cut| Box::pin(wrong(probe, cut))))
    }),
    Case::new("cancelled", "a restore that is dropped happened or did not", |probe| {
        Box::pin(everywhere(probe, |probe, cut| Box::pin(restore(probe, cut))))
    }),
];

/// A call that is cut, and what must be true afterwards. Returns whether it was cut; if not, it was quicker.
type Trial = fn(Probe, Cut) -> Pin<Box<dyn Future<Output = Step<bool>> + Send>>;

/// How many waits of one call are tried.
const DEEPEST: usize = 16;
/// How often each wait is tried: what is on its way is not always at the same place.
const ROUNDS: usize = 3;
/// For how long one verb is cut.
pub(super) const CUTTING: Duration = Duration::from_millis(400);
/// How many trials there are at least, even if the store is slow.
const AT_LEAST: usize = 6;

/// Cuts at each wait of the store, with each pause, until the time is over.
async fn everywhere(probe: Probe, trial: Trial) -> Step {
    let pauses = Cut::pauses(usual(&probe).await?);
    let (began, mut trials) = (Instant::now(), 0);
    for pause in pauses.into_iter().cycle().take(pauses.len() * ROUNDS) {
        for polls in 1..=DEEPEST {
            if trials >= AT_LEAST && began.elapsed() >= CUTTING {
                return Ok(());
            }
            trials += 1;
            if !trial(probe.clone(), Cut { polls, pause }).await? {
                break;
            }
        }
    }
    Ok(())
}

/// The next insert tells: it is the first, or it finds a whole record.
async fn insert(probe: Probe, cut: Cut) -> Step<bool> {
    let dropped = Bound { probe, code: sample::code()?, binding: Draft::fresh()?.binding()? };
    let answer = cut.off(dropped.insert(&dropped.binding)).await.transpose()?;
    let next = Bound { binding: Draft::fresh()?.binding()?, ..dropped.clone() };
    let inserted = next.insert(&next.binding).await?;
    if let Some(answer) = answer {
        expect::same("insert of a new code", &Inserted::Recorded, &answer)?;
        expect::same("insert over a live record", &Inserted::Occupied, &inserted)?;
    }
    let (bound, after) = match inserted {
        Inserted::Recorded => (next, "after a dropped insert, when the next one was Recorded"),
        Inserted::Occupied => (dropped, "after a dropped insert, when the next one was Occupied"),
    };
    bound.refused(&format!("a wrong proof {after}"), &sample::wrong()?).await?;
    let winner = bound.live(&format!("the right proof {after}")).await?;
    bound.held_by(&format!("a replay {after}"), &winner).await?;
    Ok(answer.is_none())
}

/// The next redeem tells: it is the first, or learns of the dropped one. That must stay true.
async fn redeem(probe: Probe, cut: Cut) -> Step<bool> {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    let dropped = bound.right()?;
    let answer = cut.off(bound.redeem(&dropped)).await.transpose()?;
    let next = bound.right()?;
    let seen = bound.redeem(&next).await?;
    if let Some(answer) = &answer {
        expect::redemption("the right proof", &Redemption::First(bound.binding.clone()), answer)?;
    }
    let first = answer.is_none() && matches!(seen, Redemption::First(_));
    if first {
        bound.first("the right proof after a dropped redeem, sent again", &next).await?;
        bound.again("a dropped redeem sent again after another was the first", &dropped, &next).await?;
    } else {
        let step = "the right proof after a dropped redeem, unless First";
        expect::redemption(step, &bound.redeemed_by(&dropped), &seen)?;
        bound.first("a dropped redeem that happened, sent again", &dropped).await?;
    }
    bound.held_by("a replay after a dropped redeem", if first { &next } else { &dropped }).await?;
    Ok(answer.is_none())
}

async fn wrong(probe: Probe, cut: Cut) -> Step<bool> {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    let dropped = sample::wrong()?;
    let answer = cut.off(bound.redeem(&dropped)).await.transpose()?;
    bound.refused("a wrong proof after one that was dropped", &sample::wrong()?).await?;
    let winner = bound.live("the right proof after a wrong one that was dropped").await?;
    bound.again("the wrong proof sent again", &dropped, &winner).await?;
    Ok(answer.is_none())
}

/// The next redeem tells: the code is restored, or still held. If it is held, a second restore must work.
async fn restore(probe: Probe, cut: Cut) -> Step<bool> {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    let old = bound.live("the right proof").await?;
    let answer = cut.off(bound.restore(old.ticket())).await.transpose()?;
    let mut next = bound.right()?;
    let seen = bound.redeem(&next).await?;
    if answer.is_some() || matches!(seen, Redemption::First(_)) {
        let step = "the right proof after a dropped restore that happened";
        expect::redemption(step, &Redemption::First(bound.binding.clone()), &seen)?;
    } else {
        let step = "the right proof after a dropped restore, unless First";
        expect::redemption(step, &bound.redeemed_by(&old), &seen)?;
        bound.restore(old.ticket()).await?;
        next = bound.live("the right proof after a dropped restore was sent again").await?;
    }
    bound.held_by("a replay after a dropped restore", &next).await?;
    Ok(answer.is_none())
}
