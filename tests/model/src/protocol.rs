//! The protocol: one code, its record in the store, the token requests that present it, and everything that can happen between
//! two steps.
//!
//! A step is what one party does at once: a server begins a request, the store carries out a command, a server gets a reply,
//! the host responds, a clock moves. What a server does on a reply is what `pkce-core` does between two calls of the store.

use std::fmt;

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

/// How a store treats expiry. The contract allows all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Store {
    /// `MemoryStore`: by its own clock, which is that of the one server.
    Memory,
    /// Redis: it marks as long as it has the record. It forgets it five seconds after the end.
    Redis,
    /// SQL: by the time of the attempt. It forgets the row a minute after the end.
    Sql,
}

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

/// The proof that a command presents, or that a record is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Proof {
    /// None.
    None,
    /// That of the verifier.
    Right,
    /// That of another verifier.
    Wrong,
    /// That of the verifier, for a code that is bound to a client.
    SealedRight,
    /// That of another verifier, for a code that is bound to a client.
    SealedWrong,
    /// That of the verifier, for a code that is bound to another client.
    SealedOther,
}

impl Proof {
    const fn sealed(self) -> Self {
        match self {
            Self::Right | Self::SealedOther => Self::SealedRight,
            Self::Wrong => Self::SealedWrong,
            other => other,
        }
    }

    /// For a code that is bound to no client.
    const fn bare(self) -> Self {
        match self {
            Self::SealedRight | Self::SealedOther => Self::Right,
            Self::SealedWrong => Self::Wrong,
            other => other,
        }
    }
}

/// Tells one attempt from every other: the request, and whether it is its first or its second.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(u8);

impl Ticket {
    /// The reserved one.
    pub const BURNED: Self = Self(u8::MAX);

    const fn of(request: usize, second: bool) -> Self {
        Self(request as u8 * 2 + second as u8)
    }

    /// The request that it belongs to, unless it is the reserved one.
    pub fn request(self) -> Option<usize> {
        (self != Self::BURNED).then_some(usize::from(self.0 / 2))
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.request() {
            Some(request) => write!(f, "{request}{}", if self.0.is_multiple_of(2) { 'a' } else { 'b' }),
            None => f.write_str("BURNED"),
        }
    }
}

/// One of the store's verbs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// Records the binding.
    Insert,
    /// Redeems by this ticket, with this proof, at this time.
    Redeem(Ticket, Proof, Clock),
    /// Restores what this ticket redeemed.
    Restore(Ticket),
}

/// A command on its way to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Command {
    /// Whose.
    pub request: usize,
    /// What.
    pub verb: Verb,
    /// Whether nobody waits for its reply any more.
    pub is_stray: bool,
    /// For [`Planted::ChecksThenMarks`]: it has looked, and will mark.
    pub has_looked: bool,
}

/// What the store replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reply {
    /// To an insert.
    Recorded,
    /// To an insert.
    Occupied,
    /// To a redemption.
    First,
    /// To a redemption.
    Refused,
    /// To a redemption: redeemed by this ticket.
    Again(Ticket),
    /// To a redemption.
    Unknown,
    /// To a restoring.
    Restored,
}

/// The record of the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Record {
    /// The ticket that has redeemed it.
    pub mark: Option<Ticket>,
    /// For [`Planted::RestoreRevives`]: its lifetime began anew.
    pub is_revived: bool,
    /// For [`Planted::RestoreByALateTicket`]: the tickets that have redeemed it at some time, one bit each.
    past: u16,
}

/// Why a request was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// `CodeUnknown`
    Unknown,
    /// `CodeExpired`
    Expired,
    /// `VerifierMismatch`
    Mismatch,
    /// `VerifierWithheld`
    Withheld,
    /// `VerifierUnexpected`
    Unexpected,
    /// `ClientMismatch`
    OtherClient,
    /// `CodeReplayed`: the host was told.
    Replayed,
    /// `CodeRedeemed`
    Redeemed,
    /// `CodeBurned`
    Burned,
    /// `StoreUnavailable`
    Unavailable,
    /// `StoreContractBroken`
    ContractBroken,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum End {
    /// The code is bound, and leaves.
    Bound,
    /// The code is not known to be bound, and does not leave.
    NotBound,
    /// The host issued tokens, or responded with anything else that keeps the code redeemed.
    Served,
    /// The host clearly refused, after the core had let the request pass.
    RefusedByHost,
    /// It was rejected.
    Rejected(Reason),
    /// The client hung up, or the server crashed, before the host ran.
    Vanished,
    /// The same while the host ran: nobody knows what it has done.
    VanishedAtHost,
}

/// Where a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// It has not begun.
    Idle,
    /// The authorization endpoint binds the code.
    Binding(Option<Reply>),
    /// It waits for the reply to a redemption.
    Redeeming(Verb, Option<Reply>),
    /// A redemption failed, and the core tries to take it back.
    TakingBack(Ticket, Option<Reply>),
    /// It is rejected, but the code is marked: the core restores it first.
    Restoring(Ticket, Reason, Option<Reply>),
    /// The core burns the code.
    Burning(Verb, Option<Reply>),
    /// The host runs.
    AtHost(Ticket),
    /// The host refused, and the code is restored.
    Settling(Ticket, Option<Reply>),
    /// It is over.
    Over(End),
}

/// A request and what happened to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Request {
    /// Where it is.
    pub phase: Phase,
    /// When it began, by the clock of its server.
    pub at: Clock,
    /// Whether a fault hit it.
    pub had_a_fault: bool,
    /// Whether it vanished, or a command that restores was lost or got no reply.
    pub is_unsure: bool,
    /// Whether a redemption of its own, for whose reply nobody waited any more, has marked the code, and no command that
    /// restores was carried out since.
    pub was_redeemed_late: bool,
}

/// What a replay was a replay of. [`Seen`] has one bit for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReplayOf {
    /// A request that the host served.
    Served,
    /// A request that the host is at work on.
    AtHost,
    /// A request that vanished while the host ran.
    VanishedAtHost,
    /// A request that vanished before the host ran, or while it settled.
    Vanished,
    /// A request that is not over, or was not when the store was asked: its redemption, or its restoring, is under way.
    UnderWay,
    /// A request that got no reply to its redemption, and whose restoring failed.
    FailedRestore,
    /// A request whose redemption was carried out after its restoring.
    LateRedemption,
    /// A request that the host refused, and whose restoring failed.
    RefusedAndNotRestored,
    /// Anything else. It never happens.
    Other,
}

/// The replays that the host was told of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Seen(u16);

impl Seen {
    fn note(&mut self, replay: ReplayOf) {
        self.0 |= 1 << replay as u16;
    }

    /// Whether there was one of these.
    pub const fn has(self, replay: ReplayOf) -> bool {
        self.0 & (1 << replay as u16) != 0
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [
            ReplayOf::Served,
            ReplayOf::AtHost,
            ReplayOf::VanishedAtHost,
            ReplayOf::Vanished,
            ReplayOf::UnderWay,
            ReplayOf::FailedRestore,
            ReplayOf::LateRedemption,
            ReplayOf::RefusedAndNotRestored,
            ReplayOf::Other,
        ];
        f.debug_set().entries(all.into_iter().filter(|replay| self.has(*replay))).finish()
    }
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

/// What can happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// A server begins a request.
    Begin(usize),
    /// The store carries out a command.
    Execute(Command),
    /// The reply arrives.
    Deliver(usize),
    /// The reply does not arrive in time. The command may still be carried out.
    TimeOut(usize),
    /// The command never arrives, and the server learns that it failed.
    Lose(usize),
    /// The client library sends the command again, and waits for the new one's reply.
    Resend(usize),
    /// The client hangs up, or the server crashes.
    Vanish(usize),
    /// The host issues tokens.
    HostServes(usize),
    /// The host refuses.
    HostRefuses(usize),
    /// A clock moves on.
    Tick(usize),
    /// A clock is set back.
    SetBack(usize),
    /// The store forgets the expired record.
    Forget,
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
    const fn clock(&self, state: &State, server: usize) -> Clock {
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

    fn presented(&self, request: usize) -> Proof {
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

    fn has(&self, planted: Planted) -> bool {
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

    /// All that can happen next.
    pub fn steps(&self, state: &State, steps: &mut Vec<Step>) {
        let is_bound = state.requests.first().is_some_and(|bind| bind.phase == Phase::Over(End::Bound));
        for (nth, request) in state.requests.iter().enumerate() {
            match request.phase {
                Phase::Idle if nth == 0 || is_bound => steps.push(Step::Begin(nth)),
                Phase::Idle | Phase::Over(_) => {}
                Phase::AtHost(_) => {
                    steps.extend([Step::HostServes(nth), Step::HostRefuses(nth)]);
                    if state.faults_left > 0 {
                        steps.push(Step::Vanish(nth));
                    }
                }
                waiting => {
                    let reply = waiting.reply();
                    if reply.is_some() {
                        steps.push(Step::Deliver(nth));
                    }
                    if state.faults_left > 0 {
                        steps.push(Step::Vanish(nth));
                        if self.network {
                            steps.extend([Step::TimeOut(nth), Step::Resend(nth)]);
                            if reply.is_none() {
                                steps.push(Step::Lose(nth));
                            }
                        }
                    }
                }
            }
        }
        steps.extend(state.flight.iter().copied().map(Step::Execute));
        if self.time {
            let servers = if self.store == Store::Memory { 0..1 } else { 0..2 };
            for server in servers {
                if state.clocks[server] != Clock::Expired {
                    steps.push(Step::Tick(server));
                }
                if state.clocks[server] != Clock::Early && state.set_backs_left > 0 {
                    steps.push(Step::SetBack(server));
                }
            }
            // A server waits for seconds, and these stores forget a record that much later.
            let waits =
                |request: &Request| matches!(request.phase, Phase::Redeeming(..)) && request.at != Clock::Expired;
            let is_over = match self.store {
                Store::Memory => state.clocks[0] == Clock::Expired,
                Store::Redis | Store::Sql => state.clocks == [Clock::Expired; 2] && !state.requests.iter().any(waits),
            };
            if is_over && state.record.is_some_and(|record| !record.is_revived) {
                steps.push(Step::Forget);
            }
        }
    }

    /// What a step leads to.
    pub fn after(&self, state: &State, step: Step) -> State {
        let mut next = state.clone();
        match step {
            Step::Begin(nth) => self.begin(&mut next, nth),
            Step::Execute(command) => {
                self.execute(&mut next, command);
            }
            Step::Deliver(nth) => {
                if let Some(reply) = next.requests[nth].phase.reply() {
                    self.deliver(&mut next, nth, reply);
                }
            }
            Step::TimeOut(nth) => {
                next.fault(nth);
                next.abandon(nth);
                self.fail(&mut next, nth);
            }
            Step::Lose(nth) => {
                next.fault(nth);
                next.flight.retain(|command| command.request != nth || command.is_stray);
                self.fail(&mut next, nth);
            }
            Step::Resend(nth) => {
                next.fault(nth);
                next.abandon(nth);
                if let Some(verb) = next.requests[nth].phase.verb() {
                    let phase = next.requests[nth].phase.without_reply();
                    next.send(nth, verb, phase);
                }
            }
            Step::Vanish(nth) => self.vanish(&mut next, nth),
            Step::HostServes(nth) => next.requests[nth].phase = Phase::Over(End::Served),
            Step::HostRefuses(nth) => {
                if let Phase::AtHost(ticket) = next.requests[nth].phase {
                    next.send(nth, Verb::Restore(ticket), Phase::Settling(ticket, None));
                }
            }
            Step::Tick(server) => {
                next.clocks[server] = match next.clocks[server] {
                    Clock::Early => Clock::Live,
                    Clock::Live | Clock::Expired => Clock::Expired,
                };
                next.was_expired |= next.clocks[server] == Clock::Expired;
            }
            Step::SetBack(server) => {
                next.set_backs_left -= 1;
                next.clocks[server] = match next.clocks[server] {
                    Clock::Expired => Clock::Live,
                    Clock::Live | Clock::Early => Clock::Early,
                };
            }
            Step::Forget => next.record = None,
        }
        next.flight.sort_unstable();
        next
    }

    fn begin(&self, state: &mut State, nth: usize) {
        if nth == 0 {
            return state.send(0, Verb::Insert, Phase::Binding(None));
        }
        let at = self.clock(state, Self::server(nth));
        state.requests[nth].at = at;
        let mut proof = self.presented(nth);
        if self.guesses_client {
            let names_another = self.caller(nth) == Caller::OtherClient && proof == Proof::Right;
            proof = if names_another { Proof::SealedOther } else { proof.sealed() };
        }
        if self.has(Planted::ComparesTheClientAfterTheMark) && self.has_client() {
            proof = proof.sealed();
        }
        let verb = Verb::Redeem(Ticket::of(nth, false), proof, at);
        state.send(nth, verb, Phase::Redeeming(verb, None));
    }

    /// The store carries out a command. Returns its reply, whether anybody waits for it or not.
    pub fn execute(&self, state: &mut State, command: Command) -> Option<Reply> {
        let place = state.flight.iter().position(|other| *other == command)?;
        state.flight.remove(place);
        let reply = match command.verb {
            Verb::Insert => self.insert(state),
            Verb::Redeem(ticket, proof, at) => {
                let looks = self.has(Planted::ChecksThenMarks) && !command.has_looked;
                let can_be_redeemed = state.record.is_some_and(|record| record.mark.is_none());
                if looks && can_be_redeemed && proof == self.bound_proof() {
                    state.flight.push(Command { has_looked: true, ..command });
                    return None;
                }
                let before = state.record.and_then(|record| record.mark);
                let reply = self.redeem(state, ticket, proof, at, command.has_looked);
                if reply == Reply::First && before.is_none() && command.is_stray {
                    state.requests[command.request].was_redeemed_late = true;
                }
                reply
            }
            Verb::Restore(ticket) => {
                self.restore(state, ticket);
                state.requests[command.request].was_redeemed_late = false;
                Reply::Restored
            }
        };
        if !command.is_stray {
            let request = &mut state.requests[command.request];
            request.phase = request.phase.with_reply(reply);
        }
        Some(reply)
    }

    fn insert(&self, state: &mut State) -> Reply {
        let over_an_expired_one = self.store == Store::Memory && state.clocks[0] == Clock::Expired;
        match state.record {
            Some(_) if !over_an_expired_one && !self.has(Planted::InsertOverwrites) => match (self.store, state.record)
            {
                // The very same record: it was sent before.
                (Store::Redis, Some(Record { mark: None, .. })) => Reply::Recorded,
                _ => Reply::Occupied,
            },
            _ => {
                state.record = Some(Record { mark: None, is_revived: false, past: 0 });
                Reply::Recorded
            }
        }
    }

    fn redeem(&self, state: &mut State, ticket: Ticket, proof: Proof, at: Clock, has_looked: bool) -> Reply {
        let is_expired = self.store == Store::Memory && state.clocks[0] == Clock::Expired;
        let Some(record) = &mut state.record else { return Reply::Unknown };
        if is_expired && !record.is_revived {
            return Reply::Unknown;
        }
        let is_live = self.store != Store::Sql || at != Clock::Expired || record.is_revived;
        match record.mark {
            Some(mark) if mark == ticket && !self.has(Planted::RedeemForgetsItsTicket) => Reply::First,
            Some(mark) if !has_looked => Reply::Again(mark),
            _ if proof != self.bound_proof() && !self.has(Planted::MarksOnAWrongProof) => Reply::Refused,
            _ if !is_live => Reply::Refused,
            _ => {
                record.mark = Some(ticket);
                if let Some(request) = ticket.request() {
                    record.past |= 1 << request;
                }
                Reply::First
            }
        }
    }

    fn restore(&self, state: &mut State, ticket: Ticket) {
        match &mut state.record {
            Some(record) => {
                let was_once = ticket.request().is_some_and(|request| record.past & (1 << request) != 0);
                let is_its_own = record.mark == Some(ticket);
                let acts = is_its_own
                    || self.has(Planted::RestoreByAnyTicket)
                    || (self.has(Planted::RestoreByALateTicket) && was_once);
                if acts {
                    record.mark = None;
                }
            }
            None if self.has(Planted::RestoreRevives) => {
                state.record = Some(Record { mark: None, is_revived: true, past: 0 });
            }
            None => {}
        }
    }

    /// The server gets a reply. What it does then is `pkce-core`.
    fn deliver(&self, state: &mut State, nth: usize, reply: Reply) {
        match state.requests[nth].phase {
            Phase::Binding(_) => {
                let end = if reply == Reply::Recorded { End::Bound } else { End::NotBound };
                state.requests[nth].phase = Phase::Over(end);
            }
            Phase::Redeeming(Verb::Redeem(ticket, proof, at), _) => {
                let is_expired = at != Clock::Live && !self.has(Planted::IgnoresExpiry);
                let is_expired = is_expired && !state.record.is_some_and(|record| record.is_revived);
                if reply == Reply::Unknown || ticket == Ticket::of(nth, true) {
                    self.judge(state, nth, (ticket, proof), is_expired, reply);
                } else {
                    self.deliver_first(state, nth, (ticket, proof, at), is_expired, reply);
                }
            }
            Phase::TakingBack(..) => state.reject(nth, Reason::Unavailable),
            Phase::Restoring(_, reason, _) => state.reject(nth, reason),
            Phase::Burning(..) => state.reject(nth, Reason::Mismatch),
            Phase::Settling(..) => state.requests[nth].phase = Phase::Over(End::RefusedByHost),
            Phase::Idle | Phase::Redeeming(..) | Phase::AtHost(_) | Phase::Over(_) => {}
        }
    }

    /// `Pkce::redeem_record`, from the reply to the first attempt on: the record tells which proof the code has.
    fn deliver_first(
        &self,
        state: &mut State,
        nth: usize,
        (ticket, tried, at): (Ticket, Proof, Clock),
        is_expired: bool,
        reply: Reply,
    ) {
        let proof = if self.has_client() { tried.sealed() } else { tried.bare() };
        let is_right = proof == self.bound_proof() && !is_expired;
        let is_other = is_right && self.has_client() && self.caller(nth) == Caller::OtherClient;
        match reply {
            Reply::First if is_other => {
                state.send(nth, Verb::Restore(ticket), Phase::Restoring(ticket, Reason::OtherClient, None));
            }
            _ if is_other => state.reject(nth, Reason::OtherClient),
            Reply::Refused if is_right && proof != tried => {
                let verb = Verb::Redeem(Ticket::of(nth, true), proof, at);
                state.send(nth, verb, Phase::Redeeming(verb, None));
            }
            _ => self.judge(state, nth, (ticket, proof), is_expired, reply),
        }
    }

    /// `decision::judge`, and what it entails.
    fn judge(&self, state: &mut State, nth: usize, (ticket, proof): (Ticket, Proof), is_expired: bool, reply: Reply) {
        let bound = self.bound_proof();
        let disagreement = match (proof, bound) {
            (Proof::None, Proof::None) => None,
            (Proof::None, _) => Some(Reason::Withheld),
            (_, Proof::None) => Some(Reason::Unexpected),
            _ => (proof != bound).then_some(Reason::Mismatch),
        };
        let restore = |state: &mut State, reason| {
            state.send(nth, Verb::Restore(ticket), Phase::Restoring(ticket, reason, None));
        };
        match (reply, disagreement) {
            (Reply::Unknown, _) => {
                state.was_hindered |= self.is_right(nth) && !state.was_expired;
                state.reject(nth, Reason::Unknown);
            }
            (Reply::First, _) if is_expired => restore(state, Reason::Expired),
            (Reply::Refused | Reply::Again(_), _) if is_expired => state.reject(nth, Reason::Expired),
            (Reply::First, Some(_)) => restore(state, Reason::ContractBroken),
            (Reply::First, None) => {
                let is_live = state.requests[nth].at == Clock::Live;
                state.was_let_in_wrongly |= !self.is_right(nth) || !is_live;
                state.requests[nth].phase = Phase::AtHost(ticket);
            }
            (Reply::Refused, None) => {
                state.was_hindered |= self.is_right(nth);
                state.reject(nth, Reason::ContractBroken);
            }
            (Reply::Refused, Some(Reason::Mismatch)) if self.burns => {
                let verb = Verb::Redeem(Ticket::BURNED, bound, state.requests[nth].at);
                state.send(nth, verb, Phase::Burning(verb, None));
            }
            (Reply::Refused, Some(reason)) => state.reject(nth, reason),
            (Reply::Again(by), disagreement) => {
                let is_burned = by == Ticket::BURNED;
                let by_a_wrong_one = by.request().is_some_and(|request| !self.is_right(request));
                state.was_hindered |= self.is_right(nth) && (is_burned || by_a_wrong_one || by.request() == Some(nth));
                match disagreement {
                    _ if is_burned && !self.has(Planted::ReplaysABurnedCode) => state.reject(nth, Reason::Burned),
                    Some(_) if !self.has(Planted::ReplaysOnAnyProof) => state.reject(nth, Reason::Redeemed),
                    _ => self.replay(state, nth, by),
                }
            }
            (Reply::Recorded | Reply::Occupied | Reply::Restored, _) => {}
        }
    }

    /// The host is told, and revokes.
    fn replay(&self, state: &mut State, nth: usize, by: Ticket) {
        let of = by.request().filter(|request| *request != nth && self.is_right(*request));
        state.was_revoked_wrongly |= of.is_none() || !self.is_right(nth);
        if let Some(of) = of {
            let is_marked = state.record.is_some_and(|record| record.mark == Some(by));
            state.replays.note(replay_of(&state.requests[of], is_marked));
        }
        state.reject(nth, Reason::Replayed);
    }

    /// The server gives up waiting, or learns that the command failed.
    fn fail(&self, state: &mut State, nth: usize) {
        let phase = state.requests[nth].phase;
        let mut unsure = || state.requests[nth].is_unsure = true;
        match phase {
            Phase::Binding(_) => state.requests[nth].phase = Phase::Over(End::NotBound),
            Phase::Redeeming(..) if self.has(Planted::TakesNothingBack) => state.reject(nth, Reason::Unavailable),
            Phase::Redeeming(Verb::Redeem(ticket, ..), _) => {
                state.send(nth, Verb::Restore(ticket), Phase::TakingBack(ticket, None));
            }
            Phase::TakingBack(..) => {
                unsure();
                state.reject(nth, Reason::Unavailable);
            }
            Phase::Restoring(_, reason, _) => {
                unsure();
                state.reject(nth, reason);
            }
            Phase::Burning(..) => state.reject(nth, Reason::Unavailable),
            Phase::Settling(..) => {
                unsure();
                state.requests[nth].phase = Phase::Over(End::RefusedByHost);
            }
            Phase::Idle | Phase::Redeeming(..) | Phase::AtHost(_) | Phase::Over(_) => {}
        }
    }

    fn vanish(&self, state: &mut State, nth: usize) {
        state.fault(nth);
        state.abandon(nth);
        state.requests[nth].is_unsure = true;
        let end = match state.requests[nth].phase {
            Phase::AtHost(ticket) => {
                if self.has(Planted::RestoresAfterAHangUp) {
                    let (request, verb) = (nth, Verb::Restore(ticket));
                    state.flight.push(Command { request, verb, is_stray: true, has_looked: false });
                }
                End::VanishedAtHost
            }
            Phase::Settling(..) => End::RefusedByHost,
            Phase::Binding(_) => End::NotBound,
            _ => End::Vanished,
        };
        state.requests[nth].phase = Phase::Over(end);
    }
}

/// Whose replay it is, by what became of the request that had redeemed the code, and whether it still is redeemed by it.
fn replay_of(of: &Request, is_marked: bool) -> ReplayOf {
    match of.phase {
        Phase::AtHost(_) => ReplayOf::AtHost,
        Phase::Over(End::Served) => ReplayOf::Served,
        Phase::Over(End::VanishedAtHost) => ReplayOf::VanishedAtHost,
        _ if of.was_redeemed_late => ReplayOf::LateRedemption,
        Phase::Over(End::Vanished) => ReplayOf::Vanished,
        Phase::Over(End::RefusedByHost) if of.is_unsure => ReplayOf::RefusedAndNotRestored,
        Phase::Over(_) if of.is_unsure => ReplayOf::FailedRestore,
        Phase::Redeeming(..) | Phase::TakingBack(..) | Phase::Restoring(..) | Phase::Settling(..) => ReplayOf::UnderWay,
        // The code was restored after the store had replied, and before that reply arrived.
        _ if !is_marked => ReplayOf::UnderWay,
        _ => ReplayOf::Other,
    }
}

impl Phase {
    /// The reply that waits for its server.
    pub const fn reply(self) -> Option<Reply> {
        match self {
            Self::Binding(reply)
            | Self::Redeeming(_, reply)
            | Self::TakingBack(_, reply)
            | Self::Restoring(_, _, reply)
            | Self::Burning(_, reply)
            | Self::Settling(_, reply) => reply,
            Self::Idle | Self::AtHost(_) | Self::Over(_) => None,
        }
    }

    /// The command that its server waits for.
    pub const fn verb(self) -> Option<Verb> {
        match self {
            Self::Binding(_) => Some(Verb::Insert),
            Self::Redeeming(verb, _) | Self::Burning(verb, _) => Some(verb),
            Self::TakingBack(ticket, _) | Self::Restoring(ticket, _, _) | Self::Settling(ticket, _) => {
                Some(Verb::Restore(ticket))
            }
            Self::Idle | Self::AtHost(_) | Self::Over(_) => None,
        }
    }

    fn replied(self, reply: Option<Reply>) -> Self {
        match self {
            Self::Binding(_) => Self::Binding(reply),
            Self::Redeeming(verb, _) => Self::Redeeming(verb, reply),
            Self::TakingBack(ticket, _) => Self::TakingBack(ticket, reply),
            Self::Restoring(ticket, reason, _) => Self::Restoring(ticket, reason, reply),
            Self::Burning(verb, _) => Self::Burning(verb, reply),
            Self::Settling(ticket, _) => Self::Settling(ticket, reply),
            Self::Idle | Self::AtHost(_) | Self::Over(_) => self,
        }
    }

    fn with_reply(self, reply: Reply) -> Self {
        self.replied(Some(reply))
    }

    fn without_reply(self) -> Self {
        self.replied(None)
    }
}

impl State {
    fn send(&mut self, request: usize, verb: Verb, phase: Phase) {
        self.flight.push(Command { request, verb, is_stray: false, has_looked: false });
        self.requests[request].phase = phase;
    }

    fn reject(&mut self, request: usize, reason: Reason) {
        self.requests[request].phase = Phase::Over(End::Rejected(reason));
    }

    /// Nobody waits for this request's command any more.
    fn abandon(&mut self, request: usize) {
        for command in self.flight.iter_mut().filter(|command| command.request == request) {
            command.is_stray = true;
        }
    }

    fn fault(&mut self, request: usize) {
        self.faults_left -= 1;
        self.requests[request].had_a_fault = true;
    }

    /// Whether nothing is under way.
    pub fn is_settled(&self) -> bool {
        let is_settled = |request: &Request| matches!(request.phase, Phase::Idle | Phase::Over(_));
        self.flight.is_empty() && self.requests.iter().all(is_settled)
    }
}
