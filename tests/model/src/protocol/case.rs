//! The case to check: who makes the token requests, what the code is bound to, what may go wrong, and how it all begins.

use super::{Clock, Phase, Proof, Request, Seen, State, Store};
use crate::planted::Planted;

/// Who makes a token request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Caller {
    /// Presents what the code is bound to: the verifier, or none if no challenge is bound.
    Right,
    /// Presents another verifier; if no challenge is bound, any verifier.
    Wrong,
    /// Presents none. Only of interest under `allow_missing_challenge`, for a code with a challenge.
    Without,
    /// Presents the same as [`Caller::Right`], and names another client.
    OtherClient,
}

/// What the code is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bound {
    /// A challenge.
    Challenge,
    /// A challenge and a client (rules C26 and C27).
    ChallengeAndClient,
    /// Explicitly no challenge.
    Nothing,
    /// Explicitly no challenge, and a client.
    NothingButClient,
}

/// A protocol to check: who does what, and what may go wrong.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own, not a state")]
pub struct Protocol {
    /// The token requests. They are sent to the two servers in turn.
    pub callers: Vec<Caller>,
    /// What the code is bound to.
    pub bound: Bound,
    /// Whether the core first tries the proof of a code that is bound to the client that the request names.
    pub guesses_client: bool,
    /// Whether the policy burns a code on a mismatch.
    pub burns: bool,
    /// The store.
    pub store: Store,
    /// How many faults may happen: time-outs, lost commands, resent commands, requests that vanish.
    pub faults: u8,
    /// Whether the store is reached by a network: without one, requests can only vanish.
    pub network: bool,
    /// Whether time passes.
    pub time: bool,
    /// How often a clock may be set back.
    pub set_backs: u8,
    /// A fault of the design.
    pub planted: Option<Planted>,
}

impl Protocol {
    /// Requests of these callers, a code with a challenge, no faults, and no passing of time.
    pub fn of(callers: &[Caller]) -> Self {
        Self {
            callers: callers.to_vec(),
            bound: Bound::Challenge,
            guesses_client: false,
            burns: false,
            store: Store::Redis,
            faults: 0,
            network: true,
            time: false,
            set_backs: 0,
            planted: None,
        }
    }

    /// Who makes this request.
    pub fn caller(&self, request: usize) -> Caller {
        let nth = request.checked_sub(1);
        nth.and_then(|nth| self.callers.get(nth)).copied().unwrap_or(Caller::Right)
    }

    /// The server that gets this request.
    pub const fn server(request: usize) -> usize {
        (request + 1) % 2
    }

    /// The clock of this server. `MemoryStore` is in one process.
    pub(super) const fn clock(&self, state: &State, server: usize) -> Clock {
        match self.store {
            Store::Memory => state.clocks[0],
            Store::Redis | Store::Sql => state.clocks[server],
        }
    }

    /// Whether the code is bound to a challenge.
    pub const fn has_challenge(&self) -> bool {
        matches!(self.bound, Bound::Challenge | Bound::ChallengeAndClient)
    }

    /// Whether the code is bound to a client.
    pub const fn has_client(&self) -> bool {
        matches!(self.bound, Bound::ChallengeAndClient | Bound::NothingButClient)
    }

    /// Whether the host may run for this request: it presents what was bound.
    pub fn is_right(&self, request: usize) -> bool {
        match self.caller(request) {
            Caller::Right => true,
            Caller::OtherClient => !self.has_client(),
            Caller::Without => !self.has_challenge(),
            Caller::Wrong => false,
        }
    }

    pub(super) fn presented(&self, request: usize) -> Proof {
        match self.caller(request) {
            Caller::Wrong => Proof::Wrong,
            Caller::Right | Caller::OtherClient if self.has_challenge() => Proof::Right,
            Caller::Right | Caller::OtherClient | Caller::Without => Proof::None,
        }
    }

    /// The proof that the record has.
    pub const fn bound_proof(&self) -> Proof {
        match self.bound {
            Bound::Challenge => Proof::Right,
            Bound::ChallengeAndClient => Proof::SealedRight,
            Bound::Nothing | Bound::NothingButClient => Proof::None,
        }
    }

    pub(super) fn has(&self, planted: Planted) -> bool {
        self.planted == Some(planted)
    }

    /// Before anything has happened. The clock of the second server may be behind.
    pub fn beginnings(&self) -> Vec<State> {
        let request = Request {
            phase: Phase::Idle,
            at: Clock::Live,
            had_a_fault: false,
            is_unsure: false,
            was_redeemed_late: false,
        };
        let state = State {
            record: None,
            flight: Vec::new(),
            requests: vec![request; self.callers.len() + 1],
            clocks: [Clock::Live; 2],
            was_expired: false,
            faults_left: self.faults,
            set_backs_left: self.set_backs,
            replays: Seen::default(),
            was_hindered: false,
            was_revoked_wrongly: false,
            was_let_in_wrongly: false,
        };
        let mut beginnings = vec![state.clone()];
        if self.time && self.store != Store::Memory {
            beginnings.push(State { clocks: [Clock::Live, Clock::Early], ..state });
        }
        beginnings
    }
}
