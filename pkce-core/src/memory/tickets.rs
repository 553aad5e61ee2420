//! Tickets for the attempts on one store.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::store::Ticket;

/// Counts tickets. Each is another one, and none is [`Ticket::BURNED`].
///
/// Nothing outside of this process keeps a ticket of this store, so a ticket need not be random: a process that forks and
/// a machine that is cloned take a copy of the store along with the counter.
pub(super) struct Tickets {
    /// Tells them from the tickets that a caller of the trait brings.
    prefix: u64,
    next: AtomicU64,
}

impl Tickets {
    /// From the standard library's source of hash keys, which cannot fail.
    pub(super) fn new() -> Self {
        Self { prefix: RandomState::new().hash_one(0), next: AtomicU64::new(1) }
    }

    pub(super) fn next(&self) -> Ticket {
        let mut bytes = [0; 16];
        let (prefix, number) = bytes.split_at_mut(8);
        prefix.copy_from_slice(&self.prefix.to_le_bytes());
        number.copy_from_slice(&self.next.fetch_add(1, Relaxed).to_le_bytes());
        Ticket::from_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_ticket_is_another_one() {
        let (one, other) = (Tickets::new(), Tickets::new());
        let tickets: HashSet<_> = (0..1_000).flat_map(|_| [one.next(), other.next()]).collect();
        assert_eq!(tickets.len(), 2_000);
        assert!(!tickets.contains(&Ticket::BURNED));
    }
}
