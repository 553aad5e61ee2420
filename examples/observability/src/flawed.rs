//! A store that has bad days.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pkce_tower::MemoryStore;
use pkce_tower::pkce_core::store::{
    Attempt, Binding, ChallengeStore, CodeDigest, Inserted, Redemption, StoreError, Ticket, async_trait,
};

/// A [`MemoryStore`] that takes as long as one on the network, and of whose calls one in fifty fails.
#[derive(Debug, Default)]
pub struct Flawed {
    store: MemoryStore,
    calls: AtomicU64,
}

impl Flawed {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    async fn call(&self, inserts: bool) -> Result<(), StoreError> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let micros = if call % 40 == 39 { 80_000 } else { 200 + 137 * (call % 13) };
        tokio::time::sleep(Duration::from_micros(micros)).await;
        match call % 250 {
            49 | 149 => Err(StoreError::unavailable("connection refused")),
            95..100 if inserts => Err(StoreError::full()),
            199 => Err(StoreError::invalid_record("the recorded method is not S256, plain or none")),
            // Until the policy's time-out.
            249 => std::future::pending().await,
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl ChallengeStore for Flawed {
    async fn insert(&self, code: &CodeDigest, binding: &Binding) -> Result<Inserted, StoreError> {
        self.call(true).await?;
        self.store.insert(code, binding).await
    }

    async fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Result<Redemption, StoreError> {
        self.call(false).await?;
        self.store.redeem(code, attempt).await
    }

    async fn restore(&self, code: &CodeDigest, ticket: Ticket) -> Result<(), StoreError> {
        self.call(false).await?;
        self.store.restore(code, ticket).await
    }
}
