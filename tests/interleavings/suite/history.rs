//! What threads did to a store, and whether one thread could have done it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use pkce_core_under_shuttle::Timestamp;
use pkce_core_under_shuttle::store::{
    Attempt, Binding, BindingParts, ChallengeStore, CodeDigest, Inserted, Proof, Redemption, StoreErrorKind, Ticket,
};
use shuttle::{future, thread};

pub(crate) const NOW: u64 = 1_700_000_000_000;

/// A call: the code, the proof and the ticket are numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Insert(u8, u8),
    Redeem(u8, u8, u8),
    Restore(u8, u8),
}

/// What it returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Returned {
    Recorded,
    Occupied,
    Full,
    First,
    Refused,
    Again(u8),
    Unknown,
    Restored,
}

/// A call with the moments when it began and ended.
#[derive(Debug, Clone, Copy)]
struct Done {
    call: Call,
    returned: Returned,
    began: usize,
    ended: usize,
}

/// A binding that expires at this time.
pub(crate) fn binding(proof: u8, expires_at: u64) -> Binding {
    Binding::from_parts(BindingParts {
        method: "S256",
        proof: Some(&[proof; 32]),
        grant: None,
        issued_at: Timestamp::from_epoch_millis(expires_at - 60_000),
        expires_at: Timestamp::from_epoch_millis(expires_at),
    })
    .unwrap()
}

pub(crate) fn code(number: u8) -> CodeDigest {
    CodeDigest::from_bytes([number; 32])
}

async fn run(store: &dyn ChallengeStore, call: Call) -> Returned {
    match call {
        Call::Insert(number, proof) => match store.insert(&code(number), &binding(proof, NOW + 30_000)).await {
            Ok(Inserted::Recorded) => Returned::Recorded,
            Ok(Inserted::Occupied) => Returned::Occupied,
            Err(error) if error.kind() == StoreErrorKind::Full => Returned::Full,
            Err(error) => panic!("{error}"),
        },
        Call::Redeem(number, proof, ticket) => {
            let at = Timestamp::from_epoch_millis(NOW);
            let attempt = Attempt::new(Some(Proof::from_bytes([proof; 32])), Ticket::from_bytes([ticket; 16]), at);
            match store.redeem(&code(number), &attempt).await.unwrap() {
                Redemption::First(_) => Returned::First,
                Redemption::Refused(_) => Returned::Refused,
                Redemption::Again { ticket, .. } => Returned::Again(ticket.as_bytes()[0]),
                Redemption::Unknown => Returned::Unknown,
            }
        }
        Call::Restore(number, ticket) => {
            store.restore(&code(number), Ticket::from_bytes([ticket; 16])).await.unwrap();
            Returned::Restored
        }
    }
}

/// Each list of calls in a thread of its own. Panics if no order of the calls, one after the other, returns the same.
pub(crate) fn assert_atomic(store: Arc<dyn ChallengeStore>, capacity: usize, threads: &[&[Call]]) {
    let log = Arc::new(Mutex::new((0, Vec::new())));
    let handles: Vec<_> = threads
        .iter()
        .map(|calls| {
            let (store, log, calls) = (Arc::clone(&store), Arc::clone(&log), calls.to_vec());
            thread::spawn(move || {
                let moment = || {
                    let mut log = log.lock().unwrap();
                    log.0 += 1;
                    log.0
                };
                for call in calls {
                    let began = moment();
                    let returned = future::block_on(run(&*store, call));
                    let ended = moment();
                    log.lock().unwrap().1.push(Done { call, returned, began, ended });
                }
            })
        })
        .collect();
    for handle in handles {
        handle.join().unwrap();
    }
    let done = std::mem::take(&mut log.lock().unwrap().1);
    // An insert takes its room before others find its code. So a store is full for as many as have begun.
    let (full, done): (Vec<_>, Vec<_>) = done.into_iter().partition(|done| done.returned == Returned::Full);
    for full in full {
        let begun = done.iter().filter(|done| done.returned == Returned::Recorded && done.began < full.ended);
        assert!(begun.count() >= capacity, "not full: {full:?} {done:#?}");
    }
    assert!(is_atomic(&Map { records: HashMap::new(), capacity }, &done), "no single thread does this: {done:#?}");
}

/// What the store must do.
#[derive(Clone)]
struct Map {
    records: HashMap<u8, (u8, Option<u8>)>,
    capacity: usize,
}

impl Map {
    fn run(&mut self, call: Call) -> Returned {
        match call {
            Call::Insert(code, _) if self.records.contains_key(&code) => Returned::Occupied,
            Call::Insert(..) if self.records.len() == self.capacity => Returned::Full,
            Call::Insert(code, proof) => {
                self.records.insert(code, (proof, None));
                Returned::Recorded
            }
            Call::Redeem(code, proof, ticket) => match self.records.get_mut(&code) {
                None => Returned::Unknown,
                Some((_, Some(by))) if *by == ticket => Returned::First,
                Some((_, Some(by))) => Returned::Again(*by),
                Some((bound, mark)) if *bound == proof => {
                    *mark = Some(ticket);
                    Returned::First
                }
                Some(_) => Returned::Refused,
            },
            Call::Restore(code, ticket) => {
                if let Some((_, mark)) = self.records.get_mut(&code) {
                    *mark = mark.filter(|by| *by != ticket);
                }
                Returned::Restored
            }
        }
    }
}

/// Tries every order in which a call that had ended comes before one that had not begun.
fn is_atomic(map: &Map, left: &[Done]) -> bool {
    let first_end = left.iter().map(|done| done.ended).min();
    let Some(first_end) = first_end else { return true };
    left.iter().enumerate().filter(|(_, done)| done.began < first_end).any(|(nth, done)| {
        let mut map = map.clone();
        let mut rest = left.to_vec();
        rest.remove(nth);
        map.run(done.call) == done.returned && is_atomic(&map, &rest)
    })
}
