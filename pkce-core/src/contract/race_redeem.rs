//! Races of *redeem* with itself: exactly one is the first.

use std::ptr;

use super::bound::Bound;
use super::case::Case;
use super::expect;
use super::probe::Probe;
use super::race::{Lap, Racer, Tally, race};
use super::report::{Outcome, Step};
use super::sample::{self, Draft};
use crate::store::{Attempt, Redemption};

pub(super) const CASES: &[Case] = &[
    Case::new("race", "of many right proofs exactly one is the first", |probe| Box::pin(right(probe))),
    Case::new("race", "of many proofs for no challenge exactly one is the first", |probe| Box::pin(none(probe))),
    Case::new("race", "wrong proofs in the crowd change nothing", |probe| Box::pin(mixed(probe))),
    Case::new("race", "a crowd of wrong proofs leaves the code live", |probe| Box::pin(wrong(probe))),
    Case::new("race", "a resend beside its twin is the same redemption", |probe| Box::pin(twins(probe))),
    Case::new("race", "a resend beside its twin and rivals is one redemption", |probe| Box::pin(rivals(probe))),
    Case::new("race", "codes redeemed side by side are all the first", |probe| Box::pin(side_by_side(probe))),
];

fn redeem(bound: &Bound, attempt: Attempt) -> Racer<Redemption> {
    let bound = bound.clone();
    Box::pin(async move { bound.redeem(&attempt).await })
}

async fn redeem_all(bound: &Bound, attempts: &[Attempt]) -> Step<Vec<Lap<Redemption>>> {
    race(attempts.iter().map(|attempt| redeem(bound, *attempt)).collect()).await
}

/// The only attempt that got `First`. Use it where all attempts differ.
fn winner<'a>(laps: &'a [Lap<Redemption>], attempts: &[Attempt]) -> Step<(&'a Lap<Redemption>, Attempt)> {
    let firsts: Vec<_> =
        laps.iter().zip(attempts).filter(|(lap, _)| matches!(lap.answer, Redemption::First(_))).collect();
    match firsts[..] {
        [(lap, attempt)] => Ok((lap, *attempt)),
        _ => Err(Outcome::failed("one redeem First", format!("{} First", firsts.len()))),
    }
}

async fn right(probe: Probe) -> Step {
    contest(&probe, Draft::fresh).await
}

async fn none(probe: Probe) -> Step {
    contest(&probe, Draft::without_challenge).await
}

async fn contest(probe: &Probe, draft: fn() -> Step<Draft>) -> Step {
    let mut tally = Tally::of(probe);
    while tally.wants_more() {
        let bound = Bound::new(probe, draft()?.binding()?).await?;
        let attempts = (0..probe.settings().racers).map(|_| bound.right()).collect::<Step<Vec<_>>>()?;
        let laps = redeem_all(&bound, &attempts).await?;
        let (won, winner) = winner(&laps, &attempts)?;
        for lap in &laps {
            if let Redemption::First(_) = lap.answer {
                expect::redemption("the winner", &Redemption::First(bound.binding.clone()), &lap.answer)?;
            } else {
                expect::redemption("a loser", &bound.redeemed_by(&winner), &lap.answer)?;
            }
        }
        bound.held_by("a replay after the race", &winner).await?;
        bound.first("the winner sent again after the race", &winner).await?;
        tally.add(laps.iter().any(|lap| !ptr::eq(lap, won) && lap.overlaps(won)));
    }
    tally.verdict()
}

async fn mixed(probe: Probe) -> Step {
    let mut tally = Tally::of(&probe);
    while tally.wants_more() {
        let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
        let mut attempts = Vec::new();
        for nth in 0..probe.settings().racers {
            attempts.push(sample::wrong()?);
            attempts.push(bound.right()?);
            attempts.push(if nth % 2 == 0 { sample::wrong()? } else { sample::attempt(None)? });
        }
        let laps = redeem_all(&bound, &attempts).await?;
        let (won, winner) = winner(&laps, &attempts)?;
        let mut contested = false;
        for (lap, attempt) in laps.iter().zip(&attempts) {
            let right = attempt.proof() == bound.binding.proof();
            let expected = match (&lap.answer, right) {
                (Redemption::First(_), true) => Redemption::First(bound.binding.clone()),
                (Redemption::Refused(_), false) => Redemption::Refused(bound.binding.clone()),
                _ => bound.redeemed_by(&winner),
            };
            let step = if right { "a right proof in the crowd" } else { "a wrong proof in the crowd" };
            expect::redemption(step, &expected, &lap.answer)?;
            contested |= !right && lap.overlaps(won);
        }
        bound.held_by("a replay after the race", &winner).await?;
        tally.add(contested);
    }
    tally.verdict()
}

async fn wrong(probe: Probe) -> Step {
    let mut tally = Tally::of(&probe);
    while tally.wants_more() {
        let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
        let attempts = (0..probe.settings().racers).map(|_| sample::wrong()).collect::<Step<Vec<_>>>()?;
        let laps = redeem_all(&bound, &attempts).await?;
        for lap in &laps {
            expect::redemption("a wrong proof", &Redemption::Refused(bound.binding.clone()), &lap.answer)?;
        }
        let winner = bound.live("the right proof after the crowd").await?;
        bound.held_by("a replay", &winner).await?;
        tally.add(met(&laps));
    }
    tally.verdict()
}

async fn twins(probe: Probe) -> Step {
    let mut tally = Tally::of(&probe);
    while tally.wants_more() {
        let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
        let attempt = bound.right()?;
        let laps = redeem_all(&bound, &vec![attempt; probe.settings().racers]).await?;
        for lap in &laps {
            expect::redemption("each twin", &Redemption::First(bound.binding.clone()), &lap.answer)?;
        }
        bound.held_by("a replay after the twins", &attempt).await?;
        tally.add(met(&laps));
    }
    tally.verdict()
}

async fn rivals(probe: Probe) -> Step {
    let mut tally = Tally::of(&probe);
    while tally.wants_more() {
        let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
        let mut attempts = Vec::new();
        for _ in 0..probe.settings().racers.div_ceil(2) {
            attempts.extend([bound.right()?; 2]);
        }
        let laps = redeem_all(&bound, &attempts).await?;
        let first = laps.iter().zip(&attempts).find(|(lap, _)| matches!(lap.answer, Redemption::First(_)));
        let Some((won, winner)) = first else {
            return Err(Outcome::failed("one redemption First", "none"));
        };
        let mut contested = false;
        for (lap, attempt) in laps.iter().zip(&attempts) {
            let twin = attempt.ticket() == winner.ticket();
            let expected = if twin { Redemption::First(bound.binding.clone()) } else { bound.redeemed_by(winner) };
            expect::redemption(if twin { "the winner's twin" } else { "a rival" }, &expected, &lap.answer)?;
            contested |= !ptr::eq(lap, won) && lap.overlaps(won);
        }
        bound.held_by("a replay after the race", winner).await?;
        tally.add(contested);
    }
    tally.verdict()
}

async fn side_by_side(probe: Probe) -> Step {
    let mut tally = Tally::of(&probe);
    while tally.wants_more() {
        let mut all = Vec::new();
        let mut racers = Vec::new();
        for _ in 0..probe.settings().racers {
            let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
            let attempt = bound.right()?;
            racers.push(redeem(&bound, attempt));
            all.push((bound, attempt));
        }
        let laps = race(racers).await?;
        for (lap, (bound, attempt)) in laps.iter().zip(&all) {
            let first = Redemption::First(bound.binding.clone());
            expect::redemption("the only attempt for this code", &first, &lap.answer)?;
            bound.held_by("a replay after the race", attempt).await?;
        }
        tally.add(met(&laps));
    }
    tally.verdict()
}

/// Whether any two laps overlapped.
fn met<T>(laps: &[Lap<T>]) -> bool {
    laps.iter().enumerate().any(|(nth, lap)| laps.iter().skip(nth + 1).any(|other| lap.overlaps(other)))
}
