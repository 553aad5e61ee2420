//! [`MemoryStore`]: the store for one process, in that process.

mod builder;
mod hash_key;
mod index;
mod record;
mod room;
mod shard;
mod slab;
mod tickets;
mod wheel;

use std::fmt;

use async_trait::async_trait;

pub use self::builder::MemoryStoreBuilder;
use self::hash_key::HashKey;
use self::record::Record;
use self::room::{Reservation, Room, Weight};
use self::shard::{Shard, Written};
use self::tickets::Tickets;
use crate::clock::{Now, Timestamp};
use crate::code_digest::CodeDigest;
use crate::store::{Attempt, Binding, ChallengeStore, Inserted, Redemption, StoreError, Ticket};
use crate::sync::{Mutex, MutexGuard};

/// Expired records that a call looks at in its own shard. A call adds at most one, so two would keep up. With more, the
/// memory is freed sooner after a quiet hour, for a few microseconds a call.
const LOOKS_PER_CALL: usize = 16;

/// Records that an insert into a full store looks at before it gives up, and at least one in each shard: half a
/// millisecond.
const LOOKS_WHEN_FULL: usize = 2048;

/// The store for a single process: bounded, without a background thread, without a runtime, without I/O.
///
/// * A live code is never evicted. Inserting into a full store fails with
///   [`StoreErrorKind::Full`](crate::store::StoreErrorKind::Full), and the host must not issue the code.
/// * It holds at most 1 048 576 codes, redeemed or not, and 64 MiB of grants; see [`MemoryStoreBuilder`] for the reasons.
/// * A code without a grant takes less than 128 bytes of heap in a store with many of them. A full store of the default
///   size takes at most 192 MiB, and some 48 bytes more for each grant. An empty one takes 32 KiB.
/// * Expiry is exact to the millisecond.
/// * A full store reuses the room of an expired code at once if codes expire in the order in which they were inserted,
///   as codes with one lifetime do. With several lifetimes it may take until the next second of the clock begins.
/// * The memory of expired codes is freed by later calls, a few records each. If no calls come, none is freed.
/// * If the clock is set back, the codes that were inserted before live on, and keep their room, until the clock reaches
///   their expiry again.
///
/// Codes are lost when the process ends: a client in the middle of a login starts over. No other process knows them:
/// several servers under one name need a shared store.
///
/// ```
/// use pkce_core::store::{Attempt, Binding, BindingParts, ChallengeStore, CodeDigest, Inserted, Proof, Redemption};
/// use pkce_core::store::{StoreErrorKind, Ticket};
/// use pkce_core::{MemoryStore, Timestamp};
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryStore::builder().capacity(1).build();
/// let (code, now) = (CodeDigest::of(b"SplxlOBeZQQYbYS6WxSbIA"), Timestamp::now());
/// let binding = Binding::from_parts(BindingParts {
///     method: "S256",
///     proof: Some(&[7; 32]),
///     grant: None,
///     issued_at: now,
///     expires_at: now.saturating_add(Duration::from_secs(60)),
/// })?;
/// assert_eq!(store.insert(&code, &binding).await?, Inserted::Recorded);
///
/// // There is room for one live code, and it stays.
/// let error = store.insert(&CodeDigest::of(b"another"), &binding).await.unwrap_err();
/// assert_eq!(error.kind(), StoreErrorKind::Full);
///
/// // The wrong proof changes nothing.
/// let wrong = Attempt::new(Some(Proof::from_bytes([8; 32])), Ticket::generate()?, now);
/// assert!(matches!(store.redeem(&code, &wrong).await?, Redemption::Refused(_)));
/// let right = Attempt::new(Some(Proof::from_bytes([7; 32])), Ticket::generate()?, now);
/// assert_eq!(store.redeem(&code, &right).await?, Redemption::First(binding));
/// # Ok(())
/// # }
/// ```
pub struct MemoryStore {
    /// A power of two of them.
    shards: Box<[Padded]>,
    key: HashKey,
    room: Room,
    tickets: Tickets,
    now: Now,
}

/// Two threads in neighbouring shards must not pull one cache line back and forth; a modern prefetcher takes two.
#[repr(align(128))]
struct Padded(Mutex<Shard>);

impl MemoryStore {
    /// Returns a store with the default limits and the system's clock.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Returns a builder for a store with other limits or another clock.
    pub fn builder() -> MemoryStoreBuilder {
        MemoryStoreBuilder::new()
    }

    fn with(limit: Weight, now: Now) -> Self {
        // Some 4096 codes in each shard when the store is full: its index is then half empty, and has grown in steps
        // of a fraction of a millisecond.
        let shards = (limit.codes / 4096).clamp(64, 4096).next_power_of_two();
        Self {
            shards: (0..shards).map(|_| Padded(Mutex::new(Shard::new()))).collect(),
            key: HashKey::random(),
            room: Room::new(limit),
            tickets: Tickets::new(),
            now,
        }
    }

    /// Returns the number of codes in the store: live, redeemed, and expired ones that are not removed yet.
    pub fn len(&self) -> usize {
        self.room.used().codes
    }

    /// Returns whether the store holds no code at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns a ticket for one attempt on this store.
    pub(crate) fn ticket(&self) -> Ticket {
        self.tickets.next()
    }

    pub(crate) fn insert_now(&self, code: &CodeDigest, binding: &Binding) -> Result<Inserted, StoreError> {
        let (now, hash) = ((self.now)(), self.key.hash(code));
        let record = Record::new(*code, binding);
        let weight = record.weight();
        let reservation = self.room.reserve(weight).or_else(|| self.reclaim(hash, weight, now));

        let mut shard = self.lock(hash, 0)?;
        self.reap(&mut shard, now);
        let Some(reservation) = reservation else {
            return if shard.is_occupied(hash, code, now) { Ok(Inserted::Occupied) } else { Err(StoreError::full()) };
        };
        match shard.insert(&self.key, hash, record, now) {
            Written::Over(replaced) => {
                reservation.fill();
                self.room.release(replaced);
                Ok(Inserted::Recorded)
            }
            Written::Occupied => Ok(Inserted::Occupied),
            Written::NoPlace => Err(StoreError::full()),
        }
    }

    pub(crate) fn redeem_now(&self, code: &CodeDigest, attempt: &Attempt) -> Result<Redemption, StoreError> {
        let (now, hash) = ((self.now)(), self.key.hash(code));
        let mut shard = self.lock(hash, 0)?;
        self.reap(&mut shard, now);
        Ok(shard.redeem(hash, code, attempt, now))
    }

    pub(crate) fn restore_now(&self, code: &CodeDigest, ticket: Ticket) -> Result<(), StoreError> {
        let hash = self.key.hash(code);
        self.lock(hash, 0)?.restore(hash, code, ticket);
        Ok(())
    }

    fn reap(&self, shard: &mut Shard, now: Timestamp) {
        let mut looks = LOOKS_PER_CALL;
        self.room.release(shard.reap(&self.key, now, &mut looks));
    }

    /// Frees expired records in any shard: first those that expired in earlier seconds, which are found at once, then
    /// those of the current second. It never holds two locks.
    #[cold]
    fn reclaim(&self, hash: u64, weight: Weight, now: Timestamp) -> Option<Reservation<'_>> {
        let mut looks = LOOKS_WHEN_FULL;
        for reap in [Shard::reap, Shard::reap_early] {
            for places in 0..self.shards.len() {
                // One look into each shard is enough while codes expire in the order in which they came.
                let quota = (looks / (self.shards.len() - places)).max(1);
                let mut unused = quota;
                // A shard that cannot be locked keeps what it has. Its own callers get the error.
                let Ok(mut shard) = self.lock(hash, places) else { continue };
                self.room.release(reap(&mut shard, &self.key, now, &mut unused));
                looks = looks.saturating_sub(quota - unused);
                if let Some(reservation) = self.room.reserve(weight) {
                    return Some(reservation);
                }
            }
        }
        None
    }

    /// Locks the shard of a code, or the shard that is `places` further.
    ///
    /// The bits of the hash are not those by which an index tells its records apart.
    fn lock(&self, hash: u64, places: usize) -> Result<MutexGuard<'_, Shard>, StoreError> {
        let place = ((hash >> 40) as usize).wrapping_add(places) & (self.shards.len() - 1);
        let shard = self.shards.get(place).and_then(|shard| shard.0.lock().ok());
        shard.ok_or_else(|| StoreError::unavailable("a thread panicked while it held a shard of the memory store"))
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

/// Shows counts, and no codes.
impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (used, limit) = (self.room.used(), self.room.limit());
        f.debug_struct("MemoryStore")
            .field("codes", &used.codes)
            .field("capacity", &limit.codes)
            .field("grant_bytes", &used.grant_bytes)
            .field("grant_capacity", &limit.grant_bytes)
            .finish_non_exhaustive()
    }
}

/// Each verb is complete when its future is first polled, under the lock of one shard.
#[async_trait]
impl ChallengeStore for MemoryStore {
    async fn insert(&self, code: &CodeDigest, binding: &Binding) -> Result<Inserted, StoreError> {
        self.insert_now(code, binding)
    }

    async fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Result<Redemption, StoreError> {
        self.redeem_now(code, attempt)
    }

    async fn restore(&self, code: &CodeDigest, ticket: Ticket) -> Result<(), StoreError> {
        self.restore_now(code, ticket)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::store::BindingParts;
    use crate::store::StoreErrorKind;

    #[test]
    fn a_panic_under_a_lock_makes_its_shard_unavailable_and_no_other() {
        let store = MemoryStore::new();
        let now = Timestamp::from_epoch_millis(u64::MAX - 60_000);
        let binding = Binding::from_parts(BindingParts {
            method: "none",
            proof: None,
            grant: None,
            issued_at: now,
            expires_at: Timestamp::from_epoch_millis(u64::MAX),
        })
        .unwrap();
        let poisoned = CodeDigest::from_bytes([1; 32]);
        let panicked = thread::scope(|scope| {
            let panics = || {
                let _guard = store.lock(store.key.hash(&poisoned), 0).unwrap();
                panic!("on purpose");
            };
            scope.spawn(panics).join().is_err()
        });
        assert!(panicked);

        let error = store.insert_now(&poisoned, &binding).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        let source = std::error::Error::source(&error).unwrap();
        assert_eq!(source.to_string(), "a thread panicked while it held a shard of the memory store");
        let attempt = Attempt::new(None, Ticket::BURNED, now);
        assert_eq!(store.redeem_now(&poisoned, &attempt).unwrap_err().kind(), StoreErrorKind::Unavailable);
        assert_eq!(store.restore_now(&poisoned, Ticket::BURNED).unwrap_err().kind(), StoreErrorKind::Unavailable);
        assert!(store.is_empty(), "room that was reserved is released");

        let sound = (0..=255).map(|byte| CodeDigest::from_bytes([byte; 32]));
        let inserted = sound.filter(|code| matches!(store.insert_now(code, &binding), Ok(Inserted::Recorded))).count();
        assert!(inserted > 200);
        assert_eq!(store.len(), inserted);
    }

    #[test]
    fn a_shard_that_is_empty_again_has_no_memory() {
        let (key, mut shard) = (HashKey::random(), Shard::new());
        for byte in 0..=255 {
            let (code, from) = (CodeDigest::from_bytes([byte; 32]), Timestamp::from_epoch_millis(1_000_000));
            let until = Timestamp::from_epoch_millis(1_000_001 + u64::from(byte) * 1000);
            let binding = Binding::from_parts(BindingParts {
                method: "none",
                proof: None,
                grant: None,
                issued_at: from,
                expires_at: until,
            })
            .unwrap();
            assert!(matches!(
                shard.insert(&key, key.hash(&code), Record::new(code, &binding), from),
                Written::Over(weight) if weight == Weight::default()
            ));
        }
        let full = shard.bytes();
        assert!(full > 256 * 112);
        // Three quarters expired: most chunks are freed, although the last codes live.
        let reaped = shard.reap(&key, Timestamp::from_epoch_millis(1_000_000 + 192 * 1000), &mut 1000);
        assert_eq!(reaped.codes, 192);
        assert!(shard.bytes() < full / 2, "{} of {full}", shard.bytes());
        assert_eq!(shard.reap(&key, Timestamp::from_epoch_millis(2_000_000), &mut 1000).codes, 64);
        assert_eq!(shard.bytes(), 0);
    }
}
