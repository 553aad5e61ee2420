//! The side of the servers: how one begins a request, what it does on a reply or without one, and what is left of a request that
//! vanishes.

use super::{Caller, Clock, Command, End, Phase, Proof, Protocol, Reason, Reply, State, Ticket, Verb};
use crate::planted::Planted;

impl Protocol {
    pub(super) fn begin(&self, state: &mut State, nth: usize) {
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

    /// The server gets a reply. What it does then is `pkce-core`.
    pub(super) fn deliver(&self, state: &mut State, nth: usize, reply: Reply) {
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

    /// The server gives up waiting, or learns that the command failed.
    pub(super) fn fail(&self, state: &mut State, nth: usize) {
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

    pub(super) fn vanish(&self, state: &mut State, nth: usize) {
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
