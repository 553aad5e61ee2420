//! The state between two steps: the record, the commands on their way, the requests, the clocks, and what has gone wrong so far.

use super::{Command, End, Phase, Reason, Record, Request, Seen, Verb};

/// What a clock says of the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Clock {
    /// It was issued in the future: this clock is behind by more than the tolerated skew.
    Early,
    /// It is live.
    Live,
    /// It is expired.
    Expired,
}

/// Everything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct State {
    /// What the store has.
    pub record: Option<Record>,
    /// Commands on their way, in order, so that equal states are equal.
    pub flight: Vec<Command>,
    /// The first is the authorization request, then the token requests.
    pub requests: Vec<Request>,
    /// Of the two servers.
    pub clocks: [Clock; 2],
    /// Whether a clock has said that the code is expired.
    pub was_expired: bool,
    /// How many faults may still happen.
    pub faults_left: u8,
    /// How often a clock may still be set back.
    pub set_backs_left: u8,
    /// Replays of which the host was told.
    pub replays: Seen,
    /// Whether a right request was rejected for what a wrong one did, or a wrong one caused a replay.
    pub was_hindered: bool,
    /// Whether a replay was told of that the presented verifier or the client does not justify.
    pub was_revoked_wrongly: bool,
    /// Whether the host ran for a request that it must not run for.
    pub was_let_in_wrongly: bool,
}

impl State {
    pub(super) fn send(&mut self, request: usize, verb: Verb, phase: Phase) {
        self.flight.push(Command { request, verb, is_stray: false, has_looked: false });
        self.requests[request].phase = phase;
    }

    pub(super) fn reject(&mut self, request: usize, reason: Reason) {
        self.requests[request].phase = Phase::Over(End::Rejected(reason));
    }

    /// Nobody waits for this request's command any more.
    pub(super) fn abandon(&mut self, request: usize) {
        for command in self.flight.iter_mut().filter(|command| command.request == request) {
            command.is_stray = true;
        }
    }

    pub(super) fn fault(&mut self, request: usize) {
        self.faults_left -= 1;
        self.requests[request].had_a_fault = true;
    }

    /// Whether nothing is under way.
    pub fn is_settled(&self) -> bool {
        let is_settled = |request: &Request| matches!(request.phase, Phase::Idle | Phase::Over(_));
        self.flight.is_empty() && self.requests.iter().all(is_settled)
    }
}
