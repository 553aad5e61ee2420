//! The store as the core calls it: every call ends in time, and every fault is reported.

use std::future::poll_fn;
use std::sync::OnceLock;
use std::task::{Poll, ready};
use std::time::Duration;

use crate::attempt::{Attempt, Ticket};
use crate::binding::Binding;
use crate::code_digest::CodeDigest;
use crate::events::StoreCall;
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

    pub(crate) fn insert<'a>(
        &'a self,
        code: &'a CodeDigest,
        binding: &'a Binding,
    ) -> impl Future<Output = Result<Inserted, StoreError>> {
        self.call("insert", self.store.insert(code, binding))
    }

    pub(crate) fn redeem<'a>(
        &'a self,
        code: &'a CodeDigest,
        attempt: &'a Attempt,
    ) -> impl Future<Output = Result<Redemption, StoreError>> {
        self.call("redeem", self.store.redeem(code, attempt))
    }

    pub(crate) fn restore<'a>(
        &'a self,
        code: &'a CodeDigest,
        ticket: Ticket,
    ) -> impl Future<Output = Result<(), StoreError>> {
        self.call("restore", self.store.restore(code, ticket))
    }

    /// Deliberately not an `async fn`: those keep each argument twice, and this is part of every token request's future.
    fn call<'a, T: 'a>(
        &'a self,
        verb: &'static str,
        mut call: BoxFuture<'a, Result<T, StoreError>>,
    ) -> impl Future<Output = Result<T, StoreError>> {
        let mut sleep = None;
        let told = StoreCall::begin(verb);
        poll_fn(move |context| {
            let answer = if let Poll::Ready(answer) = call.as_mut().poll(context) {
                answer
            } else {
                // Only now is the timer asked: a store in memory is never pending and never pays for one.
                let Some(timer) = self.timer.get() else { return Poll::Pending };
                let sleep = sleep.get_or_insert_with(|| timer.sleep(self.timeout));
                ready!(sleep.as_mut().poll(context));
                Err(StoreError::timed_out())
            };
            told.end(&answer);
            Poll::Ready(answer)
        })
    }
}
