//! Stores on real servers, and the same commands and statements sent by hand.
#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::exhaustive_structs,
    reason = "a benchmark that cannot go on fails, and nobody but it uses this"
)]

pub mod mysql;
pub mod postgres;
pub mod redis;
pub mod sqlite;

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pkce_core::Timestamp;
use pkce_core::store::{
    Attempt, Binding, BindingParts, ChallengeStore, CodeDigest, Inserted, Proof, Redemption, Ticket,
};
use tokio::task::JoinSet;

use crate::requests::octets;

/// The method of every binding.
pub const METHOD: &str = "S256";
/// The proof of every binding.
pub const PROOF: [u8; 32] = [7; 32];
/// The ticket of every attempt.
pub const TICKET: [u8; 16] = [3; 16];
/// How long every binding lives, in milliseconds.
pub const LIFETIME_MILLIS: u64 = 600_000;

/// One of two that do the same: the store, or the bare client.
pub trait Side: Send + Sync + 'static {
    /// Records the code with this number.
    fn insert(&self, nth: u64) -> impl Future<Output = ()> + Send;
    /// Redeems it.
    fn redeem(&self, nth: u64) -> impl Future<Output = ()> + Send;
}

/// The digest of the code with this number.
pub fn digest(nth: u64) -> [u8; 32] {
    *CodeDigest::of(&octets(nth)).as_bytes()
}

/// The time of this clock in milliseconds.
pub fn now() -> u64 {
    Timestamp::now().as_epoch_millis()
}

/// A number as a BIGINT.
fn number(value: u64) -> i64 {
    value.try_into().unwrap()
}

/// The store, by its trait.
#[derive(Debug)]
pub struct Ours<S>(pub S);

impl<S: ChallengeStore> Side for Ours<S> {
    async fn insert(&self, nth: u64) {
        let now = Timestamp::now();
        let binding = Binding::from_parts(BindingParts {
            method: METHOD,
            proof: Some(&PROOF),
            grant: None,
            issued_at: now,
            expires_at: now.saturating_add(Duration::from_millis(LIFETIME_MILLIS)),
        })
        .unwrap();
        let inserted = self.0.insert(&CodeDigest::from_bytes(digest(nth)), &binding).await.unwrap();
        assert_eq!(inserted, Inserted::Recorded);
    }

    async fn redeem(&self, nth: u64) {
        let attempt = Attempt::new(Some(Proof::from_bytes(PROOF)), Ticket::from_bytes(TICKET), Timestamp::now());
        let found = self.0.redeem(&CodeDigest::from_bytes(digest(nth)), &attempt).await.unwrap();
        assert!(matches!(found, Redemption::First(_)));
    }
}

/// How long so many tasks take, at once, to insert so many codes in all, beginning with this one, and then to redeem
/// them.
pub async fn batch<S: Side>(side: &Arc<S>, tasks: u64, codes: u64, first: u64) -> [Duration; 2] {
    let insert = timed(side, tasks, codes, first, |side, nth| async move { side.insert(nth).await }).await;
    let redeem = timed(side, tasks, codes, first, |side, nth| async move { side.redeem(nth).await }).await;
    [insert, redeem]
}

async fn timed<S: Side, F: Future<Output = ()> + Send>(
    side: &Arc<S>,
    tasks: u64,
    codes: u64,
    first: u64,
    call: impl Fn(Arc<S>, u64) -> F + Copy + Send + 'static,
) -> Duration {
    let each = codes / tasks;
    let start = Instant::now();
    let mut running = JoinSet::new();
    for task in 0..tasks {
        let side = Arc::clone(side);
        running.spawn(async move {
            for nth in 0..each {
                call(Arc::clone(&side), first + task * each + nth).await;
            }
        });
    }
    running.join_all().await;
    start.elapsed()
}
