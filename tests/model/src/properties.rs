//! What is promised, and the model checker's view of the protocol.

use stateright::{Model, Property};

use crate::protocol::{Bound, Caller, Clock, End, Phase, Protocol, ReplayOf, Request, State, Step};

/// At any time at most one request is at the host, was served, or vanished there.
pub const ONCE: &str = "at most one is served";
/// The host runs only for a request that presents what was bound, while the code is live by its server's clock.
pub const RIGHT: &str = "only the right one is served, and only in time";
/// A right request is rejected only because the code is expired, because of another right request, or for a fault that hit itself.
pub const UNHINDERED: &str = "whoever lacks the verifier never hinders the client";
/// The host is told of a replay only if two requests presented what was bound.
pub const TRUE_REPLAY: &str = "no revocation but for a true replay";
/// A code that the host did not use can be redeemed, unless the attempt to restore it failed or was overtaken.
pub const RESTORED: &str = "an unused code can be redeemed again";
/// A right request that no other right one competes with, and that no fault hits, reaches the host.
pub const SERVED: &str = "the client alone is served";
/// The replays are those that the documentation of `Replay` lists.
pub const DOCUMENTED: &str = "every replay is of a documented kind";

fn at_host(request: &Request) -> bool {
    matches!(request.phase, Phase::AtHost(_) | Phase::Over(End::Served | End::VanishedAtHost))
}

fn once(_: &Protocol, state: &State) -> bool {
    state.requests.iter().filter(|request| at_host(request)).count() <= 1
}

fn right(_: &Protocol, state: &State) -> bool {
    !state.was_let_in_wrongly
}

/// Burning on a mismatch is the policy that gives this promise up, and without a challenge nobody lacks the verifier.
fn unhindered(protocol: &Protocol, state: &State) -> bool {
    !state.was_hindered || protocol.burns || !protocol.has_challenge()
}

/// A code with a client and without a challenge is marked before the client is compared: the documentation of
/// `Bind::client_id` and of `Replay::method` says so.
fn true_replay(protocol: &Protocol, state: &State) -> bool {
    !state.was_revoked_wrongly || protocol.bound == Bound::NothingButClient
}

fn restored(_: &Protocol, state: &State) -> bool {
    let Some(record) = state.record.filter(|_| state.is_settled()) else { return true };
    let Some(by) = record.mark.and_then(super::protocol::Ticket::request) else { return true };
    let request = &state.requests[by];
    at_host(request) || request.is_unsure || request.was_redeemed_late
}

fn served(protocol: &Protocol, state: &State) -> bool {
    let right = |nth: &usize| protocol.is_right(*nth);
    let mut begun = (1..state.requests.len()).filter(right).filter(|nth| state.requests[*nth].phase != Phase::Idle);
    let (Some(nth), None) = (begun.next(), begun.next()) else { return true };
    let request = &state.requests[nth];
    let is_excused = request.had_a_fault
        || state.was_expired
        || request.at != Clock::Live
        || protocol.burns
        || !protocol.has_challenge();
    is_excused || !matches!(request.phase, Phase::Over(End::Rejected(_)))
}

fn documented(_: &Protocol, state: &State) -> bool {
    !state.replays.has(ReplayOf::Other)
}

impl Model for Protocol {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        self.beginnings()
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        self.steps(state, steps);
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        Some(self.after(state, step))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always(ONCE, once),
            Property::always(RIGHT, right),
            Property::always(UNHINDERED, unhindered),
            Property::always(TRUE_REPLAY, true_replay),
            Property::always(RESTORED, restored),
            Property::always(SERVED, served),
            Property::always(DOCUMENTED, documented),
            // So that none of the above holds because nothing happens.
            Property::sometimes("somebody is served", |_, state: &State| {
                state.requests.iter().any(|request| request.phase == Phase::Over(End::Served))
            }),
        ];
        if self.callers.iter().filter(|caller| **caller == Caller::Right).count() > 1 {
            properties.push(Property::sometimes(
                "somebody is served after the host refused another",
                |_, state: &State| {
                    let ended = |end| state.requests.iter().any(|request| request.phase == Phase::Over(end));
                    ended(End::RefusedByHost) && ended(End::Served)
                },
            ));
            properties.push(Property::sometimes("a replay is recognised", |_, state: &State| {
                state.replays.has(ReplayOf::Served)
            }));
        }
        properties
    }
}
