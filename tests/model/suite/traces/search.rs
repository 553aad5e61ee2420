//! Which traces: the shortest to each kind of step, and random ones.

use std::collections::{HashMap, HashSet};

use pkce_model::Protocol;
use pkce_model::protocol::{State, Step};

/// A state to begin with, and the steps from there.
pub(crate) type Trace = (State, Vec<Step>);

/// A xorshift generator.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap_or_default() % limit
    }
}

/// When a store forgets cannot be told from outside.
fn steps(protocol: &Protocol, state: &State) -> Vec<Step> {
    let mut steps = Vec::new();
    protocol.steps(state, &mut steps);
    steps.retain(|step| *step != Step::Forget);
    steps
}

/// A trace for every kind of step that the model can take.
pub(crate) fn shortest(protocol: &Protocol) -> Vec<Trace> {
    let mut states: Vec<(State, Option<(usize, Step)>)> = Vec::new();
    let mut known: HashSet<State> = HashSet::new();
    let mut kinds: HashMap<String, (usize, Step)> = HashMap::new();
    for state in protocol.beginnings() {
        known.insert(state.clone());
        states.push((state, None));
    }
    let mut at = 0;
    while let Some((state, _)) = states.get(at).cloned() {
        for step in steps(protocol, &state) {
            let next = protocol.after(&state, step);
            kinds.entry(kind(protocol, &state, step, &next)).or_insert((at, step));
            if known.insert(next.clone()) {
                states.push((next, Some((at, step))));
            }
        }
        at += 1;
    }
    let mut traces: Vec<Trace> = kinds
        .into_values()
        .map(|(mut at, last)| {
            let mut trace = vec![last];
            while let Some((before, step)) = states[at].1 {
                trace.push(step);
                at = before;
            }
            trace.reverse();
            (states[at].0.clone(), trace)
        })
        .collect();
    // One that another one begins with is carried out with that one.
    traces.sort_by_key(|(_, trace)| std::cmp::Reverse(trace.len()));
    let mut chosen: Vec<Trace> = Vec::new();
    for (start, trace) in traces {
        if !chosen.iter().any(|(other, longer)| *other == start && longer.starts_with(&trace)) {
            chosen.push((start, trace));
        }
    }
    chosen
}

/// Steps by chance until nothing can happen any more.
pub(crate) fn walk(protocol: &Protocol, chance: &mut Chance) -> Trace {
    let mut beginnings = protocol.beginnings();
    let start = beginnings.swap_remove(chance.below(beginnings.len()));
    let (mut state, mut trace) = (start.clone(), Vec::new());
    loop {
        let steps = steps(protocol, &state);
        if steps.is_empty() {
            return (start, trace);
        }
        let step = steps[chance.below(steps.len())];
        state = protocol.after(&state, step);
        trace.push(step);
    }
}

/// What a step does, whoever does it.
fn kind(protocol: &Protocol, before: &State, step: Step, after: &State) -> String {
    let told = match step {
        Step::Execute(command) => {
            let reply = protocol.execute(&mut before.clone(), command);
            let is_own = before.record.and_then(|record| record.mark).and_then(pkce_model::protocol::Ticket::request);
            format!(
                "{:?} {:?} {reply:?} stray {} own {}",
                protocol.caller(command.request),
                command.verb,
                command.is_stray,
                is_own == Some(command.request)
            )
        }
        Step::Begin(nth)
        | Step::Deliver(nth)
        | Step::TimeOut(nth)
        | Step::Lose(nth)
        | Step::Resend(nth)
        | Step::Vanish(nth)
        | Step::HostServes(nth)
        | Step::HostRefuses(nth) => {
            let (from, to) = (before.requests[nth].phase, after.requests[nth].phase);
            format!("{step:?} {:?} {from:?} {to:?}", protocol.caller(nth))
        }
        Step::Tick(_) | Step::SetBack(_) | Step::Forget => format!("{step:?}"),
    };
    told.chars().filter(|letter| !letter.is_ascii_digit()).collect()
}
