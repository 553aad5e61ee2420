//! What a planted store keeps.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use pkce_core::Timestamp;
use pkce_core::store::{Binding, Ticket};

#[derive(Clone)]
pub(super) struct Record {
    pub(super) binding: Binding,
    pub(super) redeemed: Option<(Ticket, Timestamp)>,
    pub(super) forgotten_at: Timestamp,
    /// By the store's own clock.
    pub(super) inserted_at: Timestamp,
    pub(super) marked_at: Timestamp,
    /// For faults that remember too much.
    pub(super) replayed: bool,
    pub(super) restored_by_stranger: bool,
    pub(super) first_time: Option<Timestamp>,
    pub(super) first_ticket: Option<Ticket>,
    pub(super) spent: Option<Ticket>,
    pub(super) wrong_replay: Option<Ticket>,
    pub(super) wrong_ticket: Option<Ticket>,
    pub(super) wrong_proofs: u32,
    pub(super) replays: u32,
    pub(super) resends: u32,
    pub(super) restores: u32,
}

pub(super) type Records = HashMap<Vec<u8>, Record>;

impl Record {
    pub(super) fn new(binding: Binding, forgotten_at: Timestamp) -> Self {
        Self {
            binding,
            redeemed: None,
            forgotten_at,
            inserted_at: now(),
            marked_at: now(),
            replayed: false,
            restored_by_stranger: false,
            first_time: None,
            first_ticket: None,
            spent: None,
            wrong_replay: None,
            wrong_ticket: None,
            wrong_proofs: 0,
            replays: 0,
            resends: 0,
            restores: 0,
        }
    }

    /// Forgets it after three seconds, if it lives as long.
    pub(super) fn shorten(&mut self) {
        self.forgotten_at = self.forgotten_at.min(later(now(), 3_000));
    }

    pub(super) fn is_held_by(&self, ticket: Ticket) -> bool {
        self.redeemed.is_some_and(|(holder, _)| holder == ticket)
    }
}

pub(super) fn now() -> Timestamp {
    SystemTime::now().into()
}

pub(super) fn later(time: Timestamp, millis: u64) -> Timestamp {
    time.saturating_add(Duration::from_millis(millis))
}

/// How many milliseconds have passed since then, if any.
pub(super) fn age(time: Timestamp) -> u128 {
    now().saturating_since(time).as_millis()
}

pub(super) fn seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_epoch_millis(time.as_epoch_millis() / 1_000 * 1_000)
}
