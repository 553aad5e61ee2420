//! The room of a store: its limits, and what is in use.

use std::ops::AddAssign;
use std::sync::atomic::Ordering::Relaxed;

use crate::sync::AtomicUsize;

/// The number of records, and the bytes of their grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Weight {
    pub(super) codes: usize,
    pub(super) grant_bytes: usize,
}

impl AddAssign for Weight {
    fn add_assign(&mut self, other: Self) {
        self.codes += other.codes;
        self.grant_bytes += other.grant_bytes;
    }
}

/// The limits and what is in use, exact at every moment: room is reserved before a record is written and
/// released after it is removed.
#[derive(Debug)]
pub(super) struct Room {
    codes: AtomicUsize,
    grant_bytes: AtomicUsize,
    limit: Weight,
}

impl Room {
    pub(super) const fn new(limit: Weight) -> Self {
        Self { codes: AtomicUsize::new(0), grant_bytes: AtomicUsize::new(0), limit }
    }

    pub(super) const fn limit(&self) -> Weight {
        self.limit
    }

    pub(super) fn used(&self) -> Weight {
        Weight { codes: self.codes.load(Relaxed), grant_bytes: self.grant_bytes.load(Relaxed) }
    }

    /// Room for `weight`, if there is as much.
    pub(super) fn reserve(&self, weight: Weight) -> Option<Reservation<'_>> {
        take(&self.codes, weight.codes, self.limit.codes)?;
        if take(&self.grant_bytes, weight.grant_bytes, self.limit.grant_bytes).is_none() {
            self.codes.fetch_sub(weight.codes, Relaxed);
            return None;
        }
        Some(Reservation { room: self, weight })
    }

    pub(super) fn release(&self, weight: Weight) {
        if weight.codes != 0 {
            self.codes.fetch_sub(weight.codes, Relaxed);
        }
        if weight.grant_bytes != 0 {
            self.grant_bytes.fetch_sub(weight.grant_bytes, Relaxed);
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

/// Not an add that is undone if it was too much: meanwhile another caller would find the store full.
fn take(used: &AtomicUsize, more: usize, limit: usize) -> Option<()> {
    if more != 0 {
        used.fetch_update(Relaxed, Relaxed, |used| used.checked_add(more).filter(|&sum| sum <= limit)).ok()?;
    }
    Some(())
}
