//! The store as the core calls it: every call has a time-out, and every fault is reported.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Poll, ready};
use std::time::Duration;

use super::attempt::{Attempt, Ticket};
use super::binding::Binding;
use super::challenge_store::{ChallengeStore, Inserted, Redemption};
use super::error::StoreError;
use crate::code_digest::CodeDigest;
use crate::events::StoreCall;

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
            Some(Box::pin(tokio::time::sleep(duration)))
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

/// A [`ChallengeStore`] whose calls time out.
pub(crate) struct BoundedStore {
    store: Box<dyn ChallengeStore>,
    pub(crate) timer: Timer,
    timeout: Duration,
}

impl BoundedStore {
    pub(crate) fn new(store: Box<dyn ChallengeStore>, timer: Timer, timeout: Duration) -> Self {
        Self { store, timer, timeout }
    }

    pub(crate) fn insert<'a>(
        &'a self,
        code: &'a CodeDigest,
        binding: &'a Binding,
    ) -> impl Future<Output = Result<Inserted, StoreError>> {
        self.call("insert", self.timeout, self.store.insert(code, binding))
    }

    pub(crate) fn redeem<'a>(
        &'a self,
        code: &'a CodeDigest,
        attempt: &'a Attempt,
    ) -> impl Future<Output = Result<Redemption, StoreError>> {
        self.call("redeem", self.timeout, self.store.redeem(code, attempt))
    }

    pub(crate) fn restore<'a>(
        &'a self,
        code: &'a CodeDigest,
        ticket: Ticket,
    ) -> impl Future<Output = Result<(), StoreError>> {
        self.call("restore", self.timeout, self.store.restore(code, ticket))
    }

    /// Restores a code after a redemption that failed. The client waits for it, so it has a quarter of the time-out.
    pub(crate) fn restore_soon<'a>(
        &'a self,
        code: &'a CodeDigest,
        ticket: Ticket,
    ) -> impl Future<Output = Result<(), StoreError>> {
        self.call("restore", self.timeout / 4, self.store.restore(code, ticket))
    }

    fn call<'a, T: 'a>(
        &'a self,
        verb: &'static str,
        timeout: Duration,
        call: BoxFuture<'a, Result<T, StoreError>>,
    ) -> impl Future<Output = Result<T, StoreError>> {
        let report = StoreCall::begin(verb);
        let bounded = self.timer.bound(timeout, call);
        async move {
            let result = bounded.await.unwrap_or_else(|| Err(StoreError::timed_out()));
            report.end(&result);
            result
        }
    }
}
