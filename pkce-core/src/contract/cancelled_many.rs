//! Many calls that are dropped: they delay no other call, and nothing of the store is lost with them.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::timeout;

use super::bound::Bound;
use super::cancelled::CUTTING;
use super::case::{Case, died};
use super::cut::{Cut, usual};
use super::expect;
use super::probe::Probe;
use super::report::{Outcome, Step};
use super::sample::{self, Draft};
use crate::store::Redemption;

pub(super) const CASES: &[Case] = &[
    Case::new("cancelled", "calls that are dropped in a crowd delay no other", |probe| Box::pin(crowd(probe))),
    // The last of all: a store that loses a lock here answers no other call.
    Case::new("cancelled", "after very many dropped calls the store answers as before", |probe| Box::pin(many(probe))),
];

/// How many crowds there are, and how many at least if the store is slow.
const CROWDS: usize = 100;
const AT_LEAST: usize = 3;

/// Right proofs for one code, every other one dropped: the rest are answered, and agree on the first.
async fn crowd(probe: Probe) -> Step {
    let (began, racers) = (Instant::now(), probe.settings().racers.max(4));
    for nth in 0..CROWDS {
        if nth >= AT_LEAST && began.elapsed() >= CUTTING {
            break;
        }
        let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
        let attempts = (0..racers).map(|_| bound.right()).collect::<Step<Vec<_>>>()?;
        let mut calls = JoinSet::new();
        for (place, attempt) in attempts.iter().copied().enumerate() {
            let bound = bound.clone();
            let cut = Cut { polls: 1 + (nth + place / 2) % 3, pause: Duration::ZERO };
            calls.spawn(async move {
                let call = bound.redeem(&attempt);
                let answer = if place % 2 == 0 { cut.off(call).await } else { Some(call.await) };
                (attempt, answer)
            });
        }
        let mut answers = Vec::new();
        while let Some(call) = calls.join_next().await {
            let (attempt, answer) = call.map_err(died)?;
            answers.push((attempt, answer.transpose()?));
        }
        let last = bound.redeem(&bound.right()?).await?;
        let winner = attempts.iter().find(|attempt| match last {
            Redemption::Again { ticket, .. } => ticket == attempt.ticket(),
            _ => false,
        });
        let Some(winner) = winner else {
            return Err(Outcome::failed("a replay after the crowd: Again, by one of it", expect::name(&last)));
        };
        expect::redemption("a replay after the crowd", &bound.redeemed_by(winner), &last)?;
        for (attempt, answer) in answers.iter().filter_map(|(attempt, answer)| Some((attempt, answer.as_ref()?))) {
            if attempt.ticket() == winner.ticket() {
                expect::redemption("the winner", &Redemption::First(bound.binding.clone()), answer)?;
            } else {
                expect::redemption("a loser", &bound.redeemed_by(winner), answer)?;
            }
        }
    }
    Ok(())
}

/// The number of calls to drop (more than any pool has connections), and the longest time to spend on it.
const DROPS: usize = 2_000;
const DROPPING: Duration = Duration::from_secs(1);
/// How many callers drop them, and call afterwards.
const CALLERS: usize = 8;
/// The core waits two seconds for a store by default. A store that was slower from the beginning may take ten times as
/// long as then.
const IN_TIME: Duration = Duration::from_secs(2);
const SLOWER: u32 = 10;

async fn many(probe: Probe) -> Step {
    let usual = usual(&probe).await?;
    let mut before = Duration::MAX;
    for _ in 0..3 {
        let since = Instant::now();
        everyone_answered(&probe).await?;
        before = before.min(since.elapsed());
    }

    let mut dropping = JoinSet::new();
    for _ in 0..CALLERS {
        dropping.spawn(drop_calls(probe.clone(), usual));
    }
    let mut dropped = 0;
    while let Some(drops) = dropping.join_next().await {
        dropped += drops.map_err(died)??;
    }

    // What is lost stays lost, but a busy machine or a pool that reconnects needs a moment.
    let (limit, since) = (IN_TIME.max(before * SLOWER), Instant::now());
    while since.elapsed() < probe.settings().patience {
        if let Ok(answered) = timeout(limit, everyone_answered(&probe)).await {
            return answered;
        }
    }
    let expected = format!("answers for {CALLERS} callers within {limit:?}, as they took {before:?} before");
    Err(Outcome::failed(expected, format!("none after {dropped} calls were dropped")))
}

/// All callers at once, so that a store with fewer connections than before is noticed.
async fn everyone_answered(probe: &Probe) -> Step {
    let mut calls = JoinSet::new();
    for _ in 0..CALLERS {
        let probe = probe.clone();
        calls.spawn(async move {
            let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
            let winner = bound.live("the right proof").await?;
            bound.restore(winner.ticket()).await?;
            bound.refused("a wrong proof", &sample::wrong()?).await
        });
    }
    while let Some(call) = calls.join_next().await {
        call.map_err(died)??;
    }
    Ok(())
}

/// Returns how many calls were dropped. A store that never waits has nothing to drop.
async fn drop_calls(probe: Probe, usual: Duration) -> Step<usize> {
    let (began, mut dropped) = (Instant::now(), 0);
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    // One wait further each time, until the call is answered before.
    let mut polls = [1; VERBS];
    for nth in 0..DROPS {
        let never_waits = dropped == 0 && nth >= NEVER_WAITS;
        if never_waits || dropped >= DROPS / CALLERS || began.elapsed() >= DROPPING {
            break;
        }
        let (verb, pause) = (nth % VERBS, if nth % 8 < VERBS { Duration::ZERO } else { usual / 2 });
        let Some(polls) = polls.get_mut(verb) else { break };
        let cut = Cut { polls: *polls, pause };
        if drop_one(&bound, verb, cut).await? {
            (*polls, dropped) = (*polls + 1, dropped + 1);
        } else {
            *polls = 1;
        }
    }
    Ok(dropped)
}

/// An insert, a right and a wrong redeem, a restore.
const VERBS: usize = 4;
/// If none of this many calls waited, none will.
const NEVER_WAITS: usize = 64;

/// Returns whether the call was dropped; if not, it was quicker.
async fn drop_one(bound: &Bound, verb: usize, cut: Cut) -> Step<bool> {
    let answer = match verb {
        0 => {
            let new = Bound { code: sample::code()?, ..bound.clone() };
            cut.off(async { new.insert(&new.binding).await.map(drop) }).await
        }
        1 => {
            let attempt = bound.right()?;
            cut.off(async { bound.redeem(&attempt).await.map(drop) }).await
        }
        2 => {
            let attempt = sample::wrong()?;
            cut.off(async { bound.redeem(&attempt).await.map(drop) }).await
        }
        _ => cut.off(bound.restore(sample::ticket()?)).await,
    };
    answer.transpose().map(|answer| answer.is_none())
}
