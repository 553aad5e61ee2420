//! Races that include an *insert*.

use super::bound::Bound;
use super::case::{Case, Step};
use super::expect;
use super::probe::Probe;
use super::race::{Lap, Racer, Tally, race};
use super::report::Outcome;
use super::sample::{self, Draft};
use crate::store::{Binding, Inserted, Redemption};

pub(super) const CASES: &[Case] = &[
    Case::new("race", "of many inserts for one code exactly one is recorded", |probe| Box::pin(rivals(probe))),
    Case::new("race", "a redeem beside the insert sees all of the binding or none", |probe| Box::pin(whole(probe))),
];

async fn rivals(probe: Probe) -> Step {
    let mut tally = Tally::of(&probe);
    while tally.wants_more() {
        let code = sample::code()?;
        let mut bindings = Vec::new();
        let mut racers: Vec<Racer<Inserted>> = Vec::new();
        for _ in 0..probe.settings().racers {
            let binding = Draft::fresh()?.binding()?;
            bindings.push(binding.clone());
            let probe = probe.clone();
            racers.push(Box::pin(async move { probe.insert(&code, &binding).await }));
        }
        let laps = race(racers).await?;
        let recorded: Vec<(&Lap<Inserted>, &Binding)> =
            laps.iter().zip(&bindings).filter(|(lap, _)| lap.answer == Inserted::Recorded).collect();
        let [(winner, binding)] = recorded[..] else {
            return Err(Outcome::failed("one insert Recorded", format!("{} Recorded", recorded.len())));
        };
        let bound = Bound { probe: probe.clone(), code, binding: binding.clone() };
        bound.refused("a wrong proof for the binding that was recorded", &sample::wrong()?).await?;
        bound.live("the right proof for the binding that was recorded").await?;
        tally.add(laps.iter().any(|lap| lap.answer == Inserted::Occupied && lap.overlaps(winner)));
    }
    tally.verdict()
}

async fn whole(probe: Probe) -> Step {
    let mut tally = Tally::of(&probe);
    while tally.wants_more() {
        let bound = Bound { probe: probe.clone(), code: sample::code()?, binding: Draft::fresh()?.binding()? };
        let writer = bound.clone();
        let mut racers: Vec<Racer<Option<Redemption>>> = vec![Box::pin(async move {
            let inserted = writer.insert(&writer.binding).await?;
            expect::same("the only insert", &Inserted::Recorded, &inserted).map(|()| None)
        })];
        for _ in 1..probe.settings().racers {
            let (reader, attempt) = (bound.clone(), sample::wrong()?);
            racers.push(Box::pin(async move { reader.redeem(&attempt).await.map(Some) }));
        }
        let laps = race(racers).await?;
        let Some((writer, readers)) = laps.split_first() else { break };
        for seen in readers.iter().filter_map(|lap| lap.answer.as_ref()).filter(|seen| **seen != Redemption::Unknown) {
            let whole = Redemption::Refused(bound.binding.clone());
            expect::redemption("a wrong proof beside the insert, unless Unknown", &whole, seen)?;
        }
        bound.live("the right proof after the insert").await?;
        tally.add(readers.iter().any(|lap| lap.overlaps(writer)));
    }
    tally.verdict()
}
