//! The timer wheel: which records are due, found in constant time.

use std::mem::replace;

use crate::clock::Timestamp;
use crate::memory::record::NOWHERE;
use crate::memory::slab::Slab;

/// A tick is a second: short against a code's life of a minute.
const TICK_MILLIS: u64 = 1000;

/// One list for each second of the longest life (600), and a few for a binding that is issued by a clock ahead of ours.
const LISTS: usize = 608;

/// Records in lists by the second in which they expire, linked through [`Record::next`](super::record::Record::next).
///
/// A second is due when it is over. A record may come up early, never late: one that outlives a turn of the wheel, one
/// that was written over since, one that was linked before the clock was set. Whoever pops it looks at its expiry and
/// links it again.
///
/// A list is in the order in which its records were linked, so records with one lifetime expire from its front.
pub(super) struct Wheel {
    /// The last record of each list, which links to the first one. Without memory until the first record is linked.
    tails: Vec<u32>,
    /// The first second whose list has not been taken.
    cursor: u64,
    /// What is left of the list that was taken last. It is out of the wheel, so that a record that is linked again
    /// meanwhile does not come up in the same turn.
    taken: u32,
}

impl Wheel {
    pub(super) const fn new() -> Self {
        Self { tails: Vec::new(), cursor: 0, taken: NOWHERE }
    }

    /// Links the record at `number` to the second in which it expires.
    pub(super) fn link(&mut self, slab: &mut Slab, number: u32) {
        if self.tails.is_empty() {
            self.tails = vec![NOWHERE; LISTS];
        }
        let Some(record) = slab.get(number) else { return };
        // An expired one comes up with the next list, not a whole turn later.
        let second = second(record.expires_at()).max(self.cursor);
        let Some(tail) = self.tails.get_mut(list(second)) else { return };
        let first = slab.get_mut(replace(tail, number)).map_or(number, |last| replace(&mut last.next, number));
        if let Some(record) = slab.get_mut(number) {
            record.next = first;
        }
    }

    /// Unlinks a record that should be expired by now.
    pub(super) fn pop(&mut self, slab: &mut Slab, now: Timestamp) -> Option<u32> {
        // If the clock was set back the wheel follows at once: a record that is linked ahead of the clock comes up late.
        self.cursor = self.cursor.min(second(now));
        if self.taken == NOWHERE {
            self.advance(slab, second(now));
        }
        let number = self.taken;
        self.taken = slab.get(number)?.next;
        Some(number)
    }

    /// Unlinks the first record that expired within this second, before the second is over. Takes one from `looks` for
    /// every record that it looks at, and stops at zero.
    pub(super) fn pop_early(&mut self, slab: &mut Slab, now: Timestamp, looks: &mut usize) -> Option<u32> {
        let tail = self.tails.get_mut(list(second(now)))?;
        let mut previous = *tail;
        while *looks > 0 {
            *looks -= 1;
            let number = slab.get(previous)?.next;
            let record = slab.get(number)?;
            if record.is_expired(now) {
                let next = record.next;
                slab.get_mut(previous)?.next = next;
                if number == *tail {
                    *tail = if number == previous { NOWHERE } else { previous };
                }
                return Some(number);
            }
            if number == *tail {
                return None;
            }
            previous = number;
        }
        None
    }

    /// Gives its memory back. Nothing may be linked.
    pub(super) fn stop(&mut self) {
        if !self.tails.is_empty() {
            *self = Self::new();
        }
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.tails.capacity() * size_of::<u32>()
    }

    /// Takes the next list that is due and not empty. After long idleness one turn finds everything.
    fn advance(&mut self, slab: &mut Slab, current: u64) {
        if self.tails.is_empty() {
            self.cursor = current;
        }
        self.cursor = self.cursor.max(current.saturating_sub(LISTS as u64));
        while self.cursor < current && self.taken == NOWHERE {
            self.take(slab, self.cursor);
            self.cursor += 1;
        }
    }

    fn take(&mut self, slab: &mut Slab, second: u64) {
        let Some(tail) = self.tails.get_mut(list(second)) else { return };
        if let Some(last) = slab.get_mut(replace(tail, NOWHERE)) {
            self.taken = replace(&mut last.next, NOWHERE);
        }
    }
}

#[inline]
const fn second(at: Timestamp) -> u64 {
    at.as_epoch_millis() / TICK_MILLIS
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "a remainder of a small number")]
const fn list(second: u64) -> usize {
    (second % LISTS as u64) as usize
}
