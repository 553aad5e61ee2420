//! `MemoryStore`, and two stores that are wrong.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use pkce_core_under_shuttle::store::{
    Attempt, Binding, ChallengeStore, CodeDigest, Inserted, Proof, Redemption, StoreError, Ticket,
};
use pkce_core_under_shuttle::{MemoryStore, Timestamp};
use shuttle::sync::Mutex;
use shuttle::sync::atomic::{AtomicU64, AtomicUsize};
use shuttle::{future, thread};

use crate::history::Call::{Insert, Redeem, Restore};
use crate::history::{Call, NOW, assert_atomic, binding, code};
use crate::{in_many_orders, is_caught};

fn store(capacity: usize) -> MemoryStore {
    MemoryStore::builder().capacity(capacity).clock(|| Timestamp::from_epoch_millis(NOW)).build()
}

/// Three threads redeem, and one of them restores.
const RACE: [&[Call]; 3] = [
    &[Insert(1, 7), Redeem(1, 7, 1), Restore(1, 1)],
    &[Redeem(1, 7, 2), Redeem(1, 8, 4)],
    &[Redeem(1, 7, 3), Restore(1, 2)],
];
/// Two bind the same code to different proofs.
const SAME_CODE: [&[Call]; 3] =
    [&[Insert(1, 7), Redeem(1, 7, 1)], &[Insert(1, 8), Redeem(1, 8, 2)], &[Redeem(1, 7, 3), Redeem(1, 8, 4)]];
/// More codes than there is room for.
const NO_ROOM: [&[Call]; 3] =
    [&[Insert(1, 7), Redeem(2, 7, 1)], &[Insert(2, 7), Redeem(3, 7, 2)], &[Insert(3, 7), Redeem(1, 7, 3)]];
/// Two restore by the same ticket, while others redeem.
const TWO_RESTORE: [&[Call]; 3] = [
    &[Insert(1, 7), Redeem(1, 7, 1), Restore(1, 1)],
    &[Restore(1, 1), Redeem(1, 7, 4)],
    &[Redeem(1, 7, 2), Redeem(1, 7, 3)],
];

#[test]
fn in_every_order_the_store_in_memory_does_what_one_thread_could_do() {
    for (capacity, threads) in [(9, RACE), (9, SAME_CODE), (2, NO_ROOM), (9, TWO_RESTORE)] {
        in_many_orders(move || assert_atomic(Arc::new(store(capacity)), capacity, &threads));
    }
}

#[test]
fn of_many_right_proofs_exactly_one_is_the_first() {
    in_many_orders(|| {
        let (store, first) = (Arc::new(store(9)), Arc::new(AtomicUsize::new(0)));
        future::block_on(store.insert(&code(1), &binding(7, NOW + 30_000))).map(|_| ()).unwrap();
        let redeem = |nth: u8| {
            let (store, first) = (Arc::clone(&store), Arc::clone(&first));
            thread::spawn(move || {
                let at = Timestamp::from_epoch_millis(NOW);
                let attempt = Attempt::new(Some(Proof::from_bytes([7; 32])), Ticket::from_bytes([nth; 16]), at);
                let found = future::block_on(store.redeem(&code(1), &attempt)).unwrap();
                first.fetch_add(usize::from(matches!(found, Redemption::First(_))), Ordering::SeqCst);
            })
        };
        for handle in (1..=4).map(redeem).collect::<Vec<_>>() {
            handle.join().unwrap();
        }
        assert_eq!(first.load(Ordering::SeqCst), 1);
    });
}

/// A full store of expired codes: everybody who looks for room at the same time finds it.
#[test]
fn the_room_of_expired_codes_is_found_by_as_many_threads_as_there_is_room_for() {
    in_many_orders(|| {
        let clock = Arc::new(AtomicU64::new(NOW - 10_000));
        let hand = Arc::clone(&clock);
        let now = move || Timestamp::from_epoch_millis(hand.load(Ordering::SeqCst));
        let store = Arc::new(MemoryStore::builder().capacity(2).clock(now).build());
        for number in 1..=2 {
            future::block_on(store.insert(&code(number), &binding(7, NOW - 5_000))).map(|_| ()).unwrap();
        }
        clock.store(NOW, Ordering::SeqCst);
        let insert = |number: u8| {
            let store = Arc::clone(&store);
            thread::spawn(move || future::block_on(store.insert(&code(number), &binding(7, NOW + 30_000))))
        };
        for handle in (3..=4).map(insert).collect::<Vec<_>>() {
            assert!(matches!(handle.join().unwrap(), Ok(Inserted::Recorded)));
        }
        assert_eq!(store.len(), 2);
    });
}

/// A binding, and its redemption.
type Kept = (Binding, Option<(Ticket, Timestamp)>);

/// It looks under the lock, and writes under the lock, but does not hold it in between.
struct TwoSteps {
    records: Mutex<HashMap<CodeDigest, Kept>>,
    verb: Verb,
}

/// The verb that takes two steps. The other one is right.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Redeem,
    Restore,
}

impl TwoSteps {
    fn new(verb: Verb) -> Self {
        Self { records: Mutex::default(), verb }
    }
}

#[async_trait]
impl ChallengeStore for TwoSteps {
    async fn insert(&self, code: &CodeDigest, binding: &Binding) -> Result<Inserted, StoreError> {
        let mut records = self.records.lock().unwrap();
        if records.contains_key(code) {
            return Ok(Inserted::Occupied);
        }
        records.insert(*code, (binding.clone(), None));
        Ok(Inserted::Recorded)
    }

    async fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Result<Redemption, StoreError> {
        let mut records = self.records.lock().unwrap();
        let found = records.get(code).cloned();
        if self.verb == Verb::Redeem {
            drop(records);
            records = self.records.lock().unwrap();
        }
        Ok(match found {
            None => Redemption::Unknown,
            Some((binding, Some((ticket, at)))) if ticket != attempt.ticket() => {
                Redemption::Again { binding, ticket, at }
            }
            Some((binding, Some(_))) => Redemption::First(binding),
            Some((binding, None)) if binding.proof() == attempt.proof() => {
                records.insert(*code, (binding.clone(), Some((attempt.ticket(), attempt.at()))));
                Redemption::First(binding)
            }
            Some((binding, None)) => Redemption::Refused(binding),
        })
    }

    async fn restore(&self, code: &CodeDigest, ticket: Ticket) -> Result<(), StoreError> {
        let mut records = self.records.lock().unwrap();
        let is_its_own = records.get(code).is_some_and(|(_, mark)| mark.is_some_and(|(by, _)| by == ticket));
        if self.verb == Verb::Restore {
            drop(records);
            records = self.records.lock().unwrap();
        }
        if is_its_own && let Some((_, mark)) = records.get_mut(code) {
            *mark = None;
        }
        Ok(())
    }
}

#[test]
fn a_store_that_redeems_in_two_steps_is_caught() {
    assert_eq!(is_caught(|| assert_atomic(Arc::new(TwoSteps::new(Verb::Redeem)), 9, &RACE)), [true; 2]);
}

#[test]
fn a_store_that_restores_in_two_steps_is_caught() {
    assert_eq!(is_caught(|| assert_atomic(Arc::new(TwoSteps::new(Verb::Restore)), 9, &TWO_RESTORE)), [true; 2]);
}
