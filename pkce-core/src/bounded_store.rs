//! The store as the core calls it: every call has a time-out, and every fault is reported.

use std::any::Any;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

use crate::code_digest::CodeDigest;
use crate::events::StoreCall;
use crate::memory::MemoryStore;
use crate::random::RandomError;
use crate::store::{Attempt, Binding, ChallengeStore, Inserted, Redemption, StoreError, Ticket};

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Starts a timer that completes after the duration. `None` if none can be started here.
pub(crate) struct Timer(Box<dyn Fn(Duration) -> Option<BoxFuture<'static, ()>> + Send + Sync>);

impl Timer {
    pub(crate) fn new<F, S>(sleep: F) -> Self
    where
        F: Fn(Duration) -> S + Send + Sync + 'static,
        S: Future + Send + 'static,
    {
        Self(Box::new(move |duration| {
            let sleep = sleep(duration);
            Some(Box::pin(async move { _ = sleep.await }))
        }))
    }

    /// tokio's timer, wherever a tokio runtime runs the call.
    #[cfg(feature = "tokio")]
    pub(crate) fn of_runtime() -> Self {
        Self(Box::new(|duration| {
            tokio::runtime::Handle::try_current().ok()?;
            // tokio panics here if the runtime was built without its time driver.
            let sleep = std::panic::catch_unwind(|| tokio::time::sleep(duration)).ok()?;
            Some(Box::pin(sleep))
        }))
    }

    /// Without the feature `tokio` there is no timer until the host gives one.
    #[cfg(not(feature = "tokio"))]
    pub(crate) fn of_runtime() -> Self {
        Self(Box::new(|_| None))
    }
}

impl Timer {
    /// Polls `work` until it is done, or `None` once it has been pending for the duration.
    ///
    /// The timer starts when `work` is pending for the first time: what is ready at once never pays for one.
    pub(crate) fn bound<T>(
        &self,
        duration: Duration,
        mut work: impl Future<Output = T> + Unpin,
    ) -> impl Future<Output = Option<T>> {
        let mut sleep = None;
        poll_fn(move |context| {
            if let Poll::Ready(done) = Pin::new(&mut work).poll(context) {
                return Poll::Ready(Some(done));
            }
            let sleep = sleep.get_or_insert_with(|| (self.0)(duration));
            let Some(sleep) = sleep else { return Poll::Pending };
            ready!(sleep.as_mut().poll(context));
            Poll::Ready(None)
        })
    }
}

/// The host's store.
pub(crate) enum Store {
    /// It never waits, so it needs no future and no timer.
    Memory(Arc<MemoryStore>),
    Other(Arc<dyn ChallengeStore>),
}

impl Store {
    /// Recognises a [`MemoryStore`], by itself or in an `Arc`.
    pub(crate) fn of(store: impl ChallengeStore) -> Self {
        let store = Arc::new(store);
        if let Some(memory) = (&*store as &dyn Any).downcast_ref::<Arc<MemoryStore>>() {
            return Self::Memory(Arc::clone(memory));
        }
        let any: Arc<dyn Any + Send + Sync> = Arc::clone(&store) as _;
        any.downcast().map_or(Self::Other(store), Self::Memory)
    }
}

/// A [`ChallengeStore`] whose calls time out.
pub(crate) struct BoundedStore {
    store: Store,
    pub(crate) timer: Timer,
    timeout: Duration,
}

impl BoundedStore {
    pub(crate) fn new(store: Store, timer: Timer, timeout: Duration) -> Self {
        Self { store, timer, timeout }
    }

    /// Returns a ticket for one attempt.
    ///
    /// To a store two attempts with one ticket are one redemption. So one that other processes may share gets a random
    /// number for each attempt: what is drawn ahead would be in every copy of a process that forks.
    pub(crate) fn ticket(&self) -> Result<Ticket, RandomError> {
        match &self.store {
            Store::Memory(store) => Ok(store.ticket()),
            Store::Other(_) => Ticket::generate(),
        }
    }

    pub(crate) async fn insert(&self, code: &CodeDigest, binding: &Binding) -> Result<Inserted, StoreError> {
        let call = StoreCall::begin("insert");
        call.end(match &self.store {
            Store::Memory(store) => store.insert_now(code, binding),
            Store::Other(store) => self.within(self.timeout, store.insert(code, binding)).await,
        })
    }

    pub(crate) async fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Result<Redemption, StoreError> {
        let call = StoreCall::begin("redeem");
        call.end(match &self.store {
            Store::Memory(store) => store.redeem_now(code, attempt),
            Store::Other(store) => self.within(self.timeout, store.redeem(code, attempt)).await,
        })
    }

    pub(crate) async fn restore(&self, code: &CodeDigest, ticket: Ticket) -> Result<(), StoreError> {
        self.restore_within(self.timeout, code, ticket).await
    }

    /// Restores a code after a redemption that failed. The client waits for it, so it has a quarter of the time-out.
    pub(crate) async fn restore_soon(&self, code: &CodeDigest, ticket: Ticket) -> Result<(), StoreError> {
        self.restore_within(self.timeout / 4, code, ticket).await
    }

    async fn restore_within(&self, timeout: Duration, code: &CodeDigest, ticket: Ticket) -> Result<(), StoreError> {
        let call = StoreCall::begin("restore");
        call.end(match &self.store {
            Store::Memory(store) => store.restore_now(code, ticket),
            Store::Other(store) => self.within(timeout, store.restore(code, ticket)).await,
        })
    }

    async fn within<T>(&self, timeout: Duration, call: BoxFuture<'_, Result<T, StoreError>>) -> Result<T, StoreError> {
        self.timer.bound(timeout, call).await.unwrap_or_else(|| Err(StoreError::timed_out()))
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;

    /// A store of the host's, which may do more than the one inside.
    struct Wrapper(MemoryStore);

    #[async_trait]
    impl ChallengeStore for Wrapper {
        async fn insert(&self, code: &CodeDigest, binding: &Binding) -> Result<Inserted, StoreError> {
            self.0.insert(code, binding).await
        }

        async fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Result<Redemption, StoreError> {
            self.0.redeem(code, attempt).await
        }

        async fn restore(&self, code: &CodeDigest, ticket: Ticket) -> Result<(), StoreError> {
            self.0.restore(code, ticket).await
        }
    }

    #[test]
    fn only_a_memory_store_itself_is_recognised() {
        assert!(matches!(Store::of(MemoryStore::new()), Store::Memory(_)));
        assert!(matches!(Store::of(Arc::new(MemoryStore::new())), Store::Memory(_)));
        assert!(matches!(Store::of(Wrapper(MemoryStore::new())), Store::Other(_)));
        assert!(matches!(Store::of(Arc::new(Wrapper(MemoryStore::new()))), Store::Other(_)));
    }

    /// Two processes that were forked from one must never have a ticket in common, unless each has a store of its own.
    #[test]
    fn a_store_that_may_be_shared_gets_random_tickets() {
        let tickets = |store| {
            let store = BoundedStore::new(store, Timer::of_runtime(), Duration::ZERO);
            [store.ticket().unwrap(), store.ticket().unwrap()].map(|ticket| *ticket.as_bytes())
        };
        let [one, two] = tickets(Store::of(Wrapper(MemoryStore::new())));
        assert!(one.iter().zip(&two).filter(|(one, two)| one == two).count() < 8, "nothing is counted");
        let [one, two] = tickets(Store::of(MemoryStore::new()));
        assert_eq!((one[..8] == two[..8], one == two), (true, false));
    }
}
