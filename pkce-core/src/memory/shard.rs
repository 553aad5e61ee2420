//! A shard: records, the index that finds them, and the wheel that says which are due. All decisions are here.

use crate::clock::Timestamp;
use crate::code_digest::CodeDigest;
use crate::memory::hash_key::HashKey;
use crate::memory::index::Index;
use crate::memory::record::Record;
use crate::memory::room::Weight;
use crate::memory::slab::Slab;
use crate::memory::wheel::Wheel;
use crate::store::{Attempt, Redemption, Ticket};

/// One of the parts of a store, under a lock of its own.
///
/// It knows no limits. `hash` is always [`HashKey::hash`] of the code under the store's key.
pub(super) struct Shard {
    index: Index,
    slab: Slab,
    wheel: Wheel,
}

/// The result of writing a record.
pub(super) enum Written {
    /// It is written, in place of an expired one of this weight if there was one.
    Over(Weight),
    /// A live record is in its place.
    Occupied,
    /// The shard has no number left.
    NoPlace,
}

impl Shard {
    pub(super) fn new() -> Self {
        Self { index: Index::new(), slab: Slab::new(), wheel: Wheel::new() }
    }

    /// Returns whether a record exists for this code that may not be overwritten.
    pub(super) fn is_occupied(&self, hash: u64, code: &CodeDigest, now: Timestamp) -> bool {
        self.find(hash, code).and_then(|number| self.slab.get(number)).is_some_and(|record| !record.is_expired(now))
    }

    pub(super) fn insert(&mut self, key: &HashKey, hash: u64, record: Record, now: Timestamp) -> Written {
        let found = self.find(hash, record.code());
        let Self { index, slab, wheel } = self;
        if let Some(old) = found.and_then(|number| slab.get_mut(number)) {
            if !old.is_expired(now) {
                return Written::Occupied;
            }
            // It stays linked to the second of the old one, comes up early, and is linked again.
            let (weight, next) = (old.weight(), old.next);
            *old = record;
            old.next = next;
            return Written::Over(weight);
        }
        let Some(number) = slab.insert(record) else { return Written::NoPlace };
        index.insert(hash, number, |other| rehash(key, slab, other));
        wheel.link(slab, number);
        Written::Over(Weight::default())
    }

    pub(super) fn redeem(&mut self, hash: u64, code: &CodeDigest, attempt: &Attempt, now: Timestamp) -> Redemption {
        let record = self.find(hash, code).and_then(|number| self.slab.get_mut(number));
        let Some(record) = record.filter(|record| !record.is_expired(now)) else { return Redemption::Unknown };
        let binding = record.binding();
        match record.redemption() {
            Some((ticket, _)) if ticket == attempt.ticket() => Redemption::First(binding),
            Some((ticket, at)) => Redemption::Again { binding, ticket, at },
            None if record.is_bound_to(attempt.proof()) => {
                record.redeem(attempt.ticket(), attempt.at());
                Redemption::First(binding)
            }
            None => Redemption::Refused(binding),
        }
    }

    pub(super) fn restore(&mut self, hash: u64, code: &CodeDigest, ticket: Ticket) {
        if let Some(record) = self.find(hash, code).and_then(|number| self.slab.get_mut(number))
            && record.redemption().is_some_and(|(by, _)| by == ticket)
        {
            record.restore();
        }
    }

    /// Removes what expired in seconds gone by. Takes one from `looks` for every record it looks at, and stops at zero.
    pub(super) fn reap(&mut self, key: &HashKey, now: Timestamp, looks: &mut usize) -> Weight {
        let mut reaped = Weight::default();
        while *looks > 0
            && let Some(number) = self.wheel.pop(&mut self.slab, now)
        {
            *looks -= 1;
            if self.slab.get(number).is_some_and(|record| record.is_expired(now)) {
                reaped += self.remove(key, number);
            } else {
                self.wheel.link(&mut self.slab, number);
            }
        }
        reaped
    }

    /// As [`Shard::reap`], for what expired within this second.
    pub(super) fn reap_early(&mut self, key: &HashKey, now: Timestamp, looks: &mut usize) -> Weight {
        let mut reaped = Weight::default();
        while let Some(number) = self.wheel.pop_early(&mut self.slab, now, looks) {
            reaped += self.remove(key, number);
        }
        reaped
    }

    /// Removes a record that was popped.
    fn remove(&mut self, key: &HashKey, number: u32) -> Weight {
        let hash = rehash(key, &self.slab, number);
        self.index.remove(hash, number, |other| rehash(key, &self.slab, other));
        let weight = self.slab.remove(number);
        if self.slab.is_empty() {
            self.wheel.stop();
        }
        weight
    }

    /// The heap it holds.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.index.bytes() + self.slab.bytes() + self.wheel.bytes()
    }

    #[inline]
    fn find(&self, hash: u64, code: &CodeDigest) -> Option<u32> {
        self.index.find(hash, |number| self.slab.get(number).is_some_and(|record| record.code() == code))
    }
}

fn rehash(key: &HashKey, slab: &Slab, number: u32) -> u64 {
    slab.get(number).map_or(0, |record| key.hash(record.code()))
}
