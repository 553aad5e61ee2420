//! The store as the core calls it: every call ends in time, and every fault is reported.

use std::future::poll_fn;
use std::sync::OnceLock;
use std::task::Poll;
use std::time::Duration;

use crate::attempt::{Attempt, Ticket};
use crate::binding::Binding;
use crate::code_digest::CodeDigest;
use crate::events;
use crate::store::{ChallengeStore, Inserted, Redemption};
use crate::store_error::StoreError;
use crate::timer::{BoxFuture, Timer};

/// A [`ChallengeStore`] with a time-out, measured by a timer that may be lent later. Without one a call takes as long
/// as it takes.
pub(crate) struct BoundedStore {
    store: Box<dyn ChallengeStore>,
    timer: OnceLock<Box<dyn Timer>>,
    timeout: Duration,
}

impl BoundedStore {
    pub(crate) fn new(store: Box<dyn ChallengeStore>, timeout: Duration) -> Self {
        Self { store, timer: OnceLock::new(), timeout }
    }

    /// The first timer stays: they all measure the same time.
    pub(crate) fn lend_timer(&self, timer: Box<dyn Timer>) {
        _ = self.timer.set(timer);
    }

    pub(crate) async fn insert(&self, code: &CodeDigest, binding: &Binding) -> Result<Inserted, StoreError> {
        self.call("insert", self.store.insert(code, binding)).await
    }

    pub(crate) async fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Result<Redemption, StoreError> {
        self.call("redeem", self.store.redeem(code, attempt)).await
    }

    pub(crate) async fn restore(&self, code: &CodeDigest, ticket: Ticket) -> Result<(), StoreError> {
        self.call("restore", self.store.restore(code, ticket)).await
    }

    async fn call<T>(
        &self,
        verb: &'static str,
        mut call: BoxFuture<'_, Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let mut sleep = None;
        let answer = poll_fn(|context| {
            if let Poll::Ready(answer) = call.as_mut().poll(context) {
                return Poll::Ready(answer);
            }
            // Only now is the timer asked: a store in memory is never pending and never pays for one.
            let Some(timer) = self.timer.get() else { return Poll::Pending };
            let sleep = sleep.get_or_insert_with(|| timer.sleep(self.timeout));
            sleep.as_mut().poll(context).map(|()| Err(StoreError::timed_out()))
        });
        answer.await.inspect_err(|error| events::store_failed(verb, error))
    }
}
