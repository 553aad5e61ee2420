//! The room of a store: how much it may hold, and how much it holds.

use std::ops::AddAssign;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// What records weigh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Weight {
    pub(super) codes: usize,
    pub(super) grant_octets: usize,
}

impl AddAssign for Weight {
    fn add_assign(&mut self, other: Self) {
        self.codes += other.codes;
        self.grant_octets += other.grant_octets;
    }
}

/// The limits and what is in use, exact at every moment: room is reserved before a record is written and
/// released after it is removed.
#[derive(Debug)]
pub(super) struct Room {
    codes: AtomicUsize,
    grant_octets: AtomicUsize,
    limit: Weight,
}

impl Room {
    pub(super) const fn new(limit: Weight) -> Self {
        Self { codes: AtomicUsize::new(0), grant_octets: AtomicUsize::new(0), limit }
    }

    pub(super) const fn limit(&self) -> Weight {
        self.limit
    }

    pub(super) fn used(&self) -> Weight {
        Weight { codes: self.codes.load(Relaxed), grant_octets: self.grant_octets.load(Relaxed) }
    }

    /// Room for `weight`, if there is as much.
    pub(super) fn reserve(&self, weight: Weight) -> Option<Reservation<'_>> {
        take(&self.codes, weight.codes, self.limit.codes)?;
        if take(&self.grant_octets, weight.grant_octets, self.limit.grant_octets).is_none() {
            self.codes.fetch_sub(weight.codes, Relaxed);
            return None;
        }
        Some(Reservation { room: self, weight })
    }

    pub(super) fn release(&self, weight: Weight) {
        if weight.codes != 0 {
            self.codes.fetch_sub(weight.codes, Relaxed);
        }
        if weight.grant_octets != 0 {
            self.grant_octets.fetch_sub(weight.grant_octets, Relaxed);
        }
    }
}

/// Room that is released again unless something is put into it.
#[must_use]
pub(super) struct Reservation<'a> {
    room: &'a Room,
    weight: Weight,
}

impl Reservation<'_> {
    /// A record was written: the room stays in use until the record is removed.
    pub(super) fn fill(mut self) {
        self.weight = Weight::default();
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        self.room.release(self.weight);
    }
}

/// Not an add that is taken back if it was too much: meanwhile another caller would find a store full that is not.
fn take(used: &AtomicUsize, more: usize, limit: usize) -> Option<()> {
    if more != 0 {
        used.fetch_update(Relaxed, Relaxed, |used| used.checked_add(more).filter(|&sum| sum <= limit)).ok()?;
    }
    Some(())
}
