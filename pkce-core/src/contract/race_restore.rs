//! Races that include a *restore*: a code is never held by two.

use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::bound::Bound;
use super::case::{Case, Step};
use super::expect;
use super::probe::Probe;
use super::race::{Lap, Racer, Tally, race, run};
use super::report::Outcome;
use super::sample::{self, Draft};
use crate::store::Redemption;

pub(super) const CASES: &[Case] = &[
    Case::new("race", "restores by losers leave the winner alone", |probe| Box::pin(losers(probe))),
    Case::new("race", "a restored code is the first for one rival at most", |probe| Box::pin(holder(probe))),
    Case::new("race", "a code that goes from hand to hand is never in two", |probe| Box::pin(hand_to_hand(probe))),
];

/// How often each racer tries to redeem the code that goes from hand to hand.
const REACHES: usize = 4;

/// `None` is a restore, here and below.
async fn losers(probe: Probe) -> Step {
    let mut tally = Tally::of(&probe);
    while tally.wants_more() {
        let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
        let winner = bound.live("the right proof before the race").await?;
        let mut racers: Vec<Racer<Option<Redemption>>> = Vec::new();
        for _ in 0..probe.settings().racers.div_ceil(2) {
            let (redeemer, restorer, loser) = (bound.clone(), bound.clone(), bound.right()?);
            racers.push(Box::pin(async move { redeemer.redeem(&loser).await.map(Some) }));
            racers.push(Box::pin(async move { restorer.restore(loser.ticket()).await.map(|()| None) }));
        }
        let laps = race(racers).await?;
        for seen in laps.iter().filter_map(|lap| lap.answer.as_ref()) {
            expect::redemption("a loser beside its own restore", &bound.redeemed_by(&winner), seen)?;
        }
        bound.held_by("a replay after the race", &winner).await?;
        tally.add(met_a_restore(&laps));
    }
    tally.verdict()
}

/// The restore is sent more than once. A later one must not take the code from the rival that redeemed it after the first.
async fn holder(probe: Probe) -> Step {
    let mut tally = Tally::of(&probe);
    while tally.wants_more() {
        let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
        let old = bound.live("the right proof before the race").await?;
        let mut attempts = Vec::new();
        let mut racers: Vec<Racer<Option<Redemption>>> = Vec::new();
        for nth in 0..probe.settings().racers.max(4) {
            let racer = bound.clone();
            // In a new order every round: some faults show in one order only.
            let [dice] = sample::bytes()?;
            if nth == 1 || dice % 2 == 0 {
                attempts.push(old);
                racers.push(Box::pin(async move { racer.restore(old.ticket()).await.map(|()| None) }));
            } else {
                let rival = bound.right()?;
                attempts.push(rival);
                racers.push(Box::pin(async move { racer.redeem(&rival).await.map(Some) }));
            }
        }
        let laps = race(racers).await?;
        let firsts: Vec<_> =
            laps.iter().zip(&attempts).filter(|(lap, _)| matches!(lap.answer, Some(Redemption::First(_)))).collect();
        let winner = match firsts[..] {
            [] => bound.live("the right proof after a restore that no rival saw").await?,
            [(_, winner)] => *winner,
            _ => return Err(Outcome::failed("one rival First at most", format!("{} First", firsts.len()))),
        };
        for seen in laps.iter().filter_map(|lap| lap.answer.as_ref()) {
            let expected = match seen {
                Redemption::First(_) => Redemption::First(bound.binding.clone()),
                // It came before the restore.
                Redemption::Again { ticket, .. } if *ticket == old.ticket() => bound.redeemed_by(&old),
                _ => bound.redeemed_by(&winner),
            };
            expect::redemption("a rival beside the restore", &expected, seen)?;
        }
        bound.held_by("a replay after the race", &winner).await?;
        tally.add(met_a_restore(&laps));
    }
    tally.verdict()
}

/// Every racer redeems the code, counts how many hold it during one more call, and restores it.
async fn hand_to_hand(probe: Probe) -> Step {
    let mut tally = Tally::of(&probe);
    while tally.wants_more() {
        let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
        let hands = Arc::new(AtomicUsize::new(0));
        let racers = (0..probe.settings().racers).map(|_| {
            let (bound, hands) = (bound.clone(), Arc::clone(&hands));
            Box::pin(async move {
                let mut laps = Vec::with_capacity(REACHES);
                for _ in 0..REACHES {
                    let attempt = bound.right()?;
                    let lap = Lap::of(bound.redeem(&attempt)).await?;
                    if matches!(lap.answer, Redemption::First(_)) {
                        let others = hands.fetch_add(1, Ordering::SeqCst);
                        bound.held_by("a replay while the code is in one hand", &attempt).await?;
                        // Counted before the restore is sent: from then on another racer may hold the code.
                        let still = hands.fetch_sub(1, Ordering::SeqCst);
                        if others != 0 || still != 1 {
                            return Err(Outcome::failed("First for one at a time", "First for two at once"));
                        }
                        bound.restore(attempt.ticket()).await?;
                    }
                    laps.push(lap);
                }
                Ok(laps)
            }) as Racer<Vec<Lap<Redemption>>>
        });
        let laps = run(racers.collect()).await?;
        for seen in laps.iter().flatten().map(|lap| &lap.answer) {
            match seen {
                Redemption::First(_) | Redemption::Again { .. } => {
                    expect::truthful("a code that goes from hand to hand", &bound.binding, seen)?;
                }
                _ => return Err(Outcome::failed("First or Again for the right proof", expect::name(seen))),
            }
        }
        bound.live("the right proof after all have let go").await?;
        let all = || laps.iter().flatten();
        let mut won = all().filter(|lap| matches!(lap.answer, Redemption::First(_)));
        tally.add(won.any(|won| all().any(|lap| !ptr::eq(lap, won) && lap.overlaps(won))));
    }
    tally.verdict()
}

/// Whether a redeem overlapped with a restore.
fn met_a_restore(laps: &[Lap<Option<Redemption>>]) -> bool {
    let mut restores = laps.iter().filter(|lap| lap.answer.is_none());
    restores.any(|restore| laps.iter().any(|lap| lap.answer.is_some() && lap.overlaps(restore)))
}
