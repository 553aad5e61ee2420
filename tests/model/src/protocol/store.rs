//! The store: its kinds, the commands it gets, its replies, the record of the code, and how it carries out a command.

use super::{Clock, Proof, Protocol, State, Ticket};
use crate::planted::Planted;

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

impl Protocol {
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
}
