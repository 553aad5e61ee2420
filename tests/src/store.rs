//! Stores that misbehave, each in one way.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use pkce_core::MemoryStore;
use pkce_core::store::{Attempt, Binding, ChallengeStore, CodeDigest, Inserted, Redemption, StoreError, Ticket};
use tokio::sync::Semaphore;
use tokio::time::sleep;

/// What is wrong with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing records, redeems or restores.
    Fails,
    /// Redeeming and restoring never come to an end.
    Hangs,
    /// Recording never comes to an end.
    HangsAtInsert,
    /// Restoring takes its time.
    RestoresLate,
    /// Every redemption is sent twice, as a client that resends does.
    Resends,
    /// A redemption is carried out, and its answer is lost.
    LosesAnswers,
    /// Only restoring fails.
    FailsToRestore,
    /// What is read is not what was written.
    InvalidRecord,
    /// It marks the code whatever is presented.
    IgnoresTheProof,
    /// It claims that a live code is bound to something else.
    RefusesEverything,
}

/// A [`MemoryStore`] with a fault.
#[derive(Debug)]
pub struct Faulty {
    store: MemoryStore,
    fault: Fault,
}

impl Faulty {
    /// An empty one.
    pub fn new(fault: Fault) -> Self {
        Self { store: MemoryStore::new(), fault }
    }
}

#[async_trait]
impl ChallengeStore for Faulty {
    async fn insert(&self, code: &CodeDigest, binding: &Binding) -> Result<Inserted, StoreError> {
        match self.fault {
            Fault::Fails => Err(StoreError::unavailable("planted")),
            Fault::HangsAtInsert => pending().await,
            _ => self.store.insert(code, binding).await,
        }
    }

    async fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Result<Redemption, StoreError> {
        let found = match self.fault {
            Fault::Fails => return Err(StoreError::unavailable("planted")),
            Fault::InvalidRecord => return Err(StoreError::invalid_record("planted")),
            Fault::Hangs => return pending().await,
            _ => self.store.redeem(code, attempt).await?,
        };
        match (self.fault, found) {
            (Fault::Resends, _) => self.store.redeem(code, attempt).await,
            (Fault::LosesAnswers, _) => Err(StoreError::unavailable("planted")),
            (Fault::IgnoresTheProof, Redemption::Refused(binding)) => {
                let right = Attempt::new(binding.proof().copied(), attempt.ticket(), attempt.at());
                self.store.redeem(code, &right).await
            }
            (Fault::RefusesEverything, Redemption::First(binding)) => Ok(Redemption::Refused(binding)),
            (_, found) => Ok(found),
        }
    }

    async fn restore(&self, code: &CodeDigest, ticket: Ticket) -> Result<(), StoreError> {
        match self.fault {
            Fault::Fails | Fault::FailsToRestore => Err(StoreError::unavailable("planted")),
            Fault::Hangs => pending().await,
            Fault::RestoresLate => {
                sleep(Duration::from_millis(50)).await;
                self.store.restore(code, ticket).await
            }
            _ => self.store.restore(code, ticket).await,
        }
    }
}

/// A [`MemoryStore`] whose first redemption is carried out at once and answered late.
#[derive(Debug, Clone)]
pub struct Gated(Arc<Gate>);

#[derive(Debug)]
struct Gate {
    store: MemoryStore,
    redemptions: AtomicUsize,
    entered: Semaphore,
    opened: Semaphore,
}

impl Gated {
    /// An empty one, its gate shut.
    pub fn new() -> Self {
        let shut = || Semaphore::new(0);
        Self(Arc::new(Gate {
            store: MemoryStore::new(),
            redemptions: AtomicUsize::new(0),
            entered: shut(),
            opened: shut(),
        }))
    }

    /// Returns once the first redemption is carried out and waits at the gate.
    pub async fn entered(&self) {
        self.0.entered.acquire().await.unwrap().forget();
    }

    /// Lets it go.
    pub fn open(&self) {
        self.0.opened.add_permits(1);
    }
}

impl Default for Gated {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl ChallengeStore for Gated {
    async fn insert(&self, code: &CodeDigest, binding: &Binding) -> Result<Inserted, StoreError> {
        self.0.store.insert(code, binding).await
    }

    async fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Result<Redemption, StoreError> {
        let found = self.0.store.redeem(code, attempt).await;
        let is_first = matches!(found, Ok(Redemption::First(_)));
        if is_first && self.0.redemptions.fetch_add(1, Ordering::SeqCst) == 0 {
            self.0.entered.add_permits(1);
            self.0.opened.acquire().await.unwrap().forget();
        }
        found
    }

    async fn restore(&self, code: &CodeDigest, ticket: Ticket) -> Result<(), StoreError> {
        self.0.store.restore(code, ticket).await
    }
}
