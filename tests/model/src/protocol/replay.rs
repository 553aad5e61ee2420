//! Replays: how the host is told of one, and what it was a replay of.

use std::fmt;

use super::{End, Phase, Protocol, Reason, Request, State, Ticket};

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

impl Protocol {
    /// The host is told, and revokes.
    pub(super) fn replay(&self, state: &mut State, nth: usize, by: Ticket) {
        let of = by.request().filter(|request| *request != nth && self.is_right(*request));
        state.was_revoked_wrongly |= of.is_none() || !self.is_right(nth);
        if let Some(of) = of {
            let is_marked = state.record.is_some_and(|record| record.mark == Some(by));
            state.replays.note(replay_of(&state.requests[of], is_marked));
        }
        state.reject(nth, Reason::Replayed);
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
