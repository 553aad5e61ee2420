//! The timer wheel: which records are due, found in constant time.

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
pub(super) struct Wheel {
    /// The first record of each list. Without memory until the first record is linked.
    heads: Vec<u32>,
    /// The first second whose list has not been taken.
    cursor: u64,
    /// What is left of the list that was taken last. It is out of the wheel, so that a record linked again while it
    /// is worked off cannot come up in the same turn.
    taken: u32,
}

impl Wheel {
    pub(super) const fn new() -> Self {
        Self { heads: Vec::new(), cursor: 0, taken: NOWHERE }
    }

    /// Links the record at `number` to the second in which it expires.
    pub(super) fn link(&mut self, slab: &mut Slab, number: u32) {
        if self.heads.is_empty() {
            self.heads = vec![NOWHERE; LISTS];
        }
        let Some(record) = slab.get_mut(number) else { return };
        // One that is over already comes up with the next list, not a whole turn later.
        let second = second(record.expires_at()).max(self.cursor);
        if let Some(head) = self.heads.get_mut(list(second)) {
            record.next = *head;
            *head = number;
        }
    }

    /// Unlinks a record that should be expired by now.
    pub(super) fn pop(&mut self, slab: &Slab, now: Timestamp) -> Option<u32> {
        if self.taken == NOWHERE {
            self.advance(second(now));
        }
        let number = self.taken;
        self.taken = slab.get(number)?.next;
        Some(number)
    }

    /// Gives its memory back. Nothing may be linked.
    pub(super) fn stop(&mut self) {
        if !self.heads.is_empty() {
            *self = Self::new();
        }
    }

    /// Makes what expires in this second come up now, before the second is over.
    pub(super) fn hurry(&mut self, now: Timestamp) {
        if self.taken == NOWHERE {
            self.take(second(now));
        }
    }

    #[cfg(test)]
    pub(super) fn octets(&self) -> usize {
        self.heads.capacity() * size_of::<u32>()
    }

    /// Takes the next list that is due and not empty. After long idleness one turn finds everything, and if the clock
    /// was set back the wheel follows: what comes up early by that is linked again.
    fn advance(&mut self, current: u64) {
        if self.heads.is_empty() {
            self.cursor = current;
        }
        self.cursor = self.cursor.clamp(current.saturating_sub(LISTS as u64), current);
        while self.cursor < current && self.taken == NOWHERE {
            self.take(self.cursor);
            self.cursor += 1;
        }
    }

    fn take(&mut self, second: u64) {
        if let Some(head) = self.heads.get_mut(list(second)) {
            self.taken = std::mem::replace(head, NOWHERE);
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
