//! The probe: a case calls the store through it, by each handle in turn.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::code_digest::CodeDigest;
use crate::contract::case::Step;
use crate::contract::report::Outcome;
use crate::contract::{Handle, Settings};
use crate::store::{Attempt, Binding, Inserted, Redemption, StoreError, Ticket};

/// The handles of one case. Clones share the count of answers that tells a slow store from one that hangs.
#[derive(Clone)]
pub(super) struct Probe(Arc<Inner>);

struct Inner {
    handles: Arc<[Handle]>,
    settings: Settings,
    turn: AtomicUsize,
    answers: AtomicU64,
}

impl Probe {
    pub(super) fn new(handles: &Arc<[Handle]>, settings: Settings) -> Self {
        let handles = Arc::clone(handles);
        Self(Arc::new(Inner { handles, settings, turn: AtomicUsize::new(0), answers: AtomicU64::new(0) }))
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Returns how many calls the store has answered.
    pub(super) fn answers(&self) -> u64 {
        self.0.answers.load(Ordering::Relaxed)
    }

    pub(super) async fn insert(&self, code: &CodeDigest, binding: &Binding) -> Step<Inserted> {
        self.answered("insert", self.handle()?.insert(code, binding).await)
    }

    pub(super) async fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Step<Redemption> {
        self.answered("redeem", self.handle()?.redeem(code, attempt).await)
    }

    pub(super) async fn restore(&self, code: &CodeDigest, ticket: Ticket) -> Step {
        self.answered("restore", self.handle()?.restore(code, ticket).await)
    }

    /// Returns the next handle, so that no two steps of a case rely on one server's memory.
    fn handle(&self) -> Step<&Handle> {
        let turn = self.0.turn.fetch_add(1, Ordering::Relaxed);
        turn.checked_rem(self.0.handles.len())
            .and_then(|turn| self.0.handles.get(turn))
            .ok_or_else(|| Outcome::inconclusive(&"there is no store to check"))
    }

    fn answered<T>(&self, verb: &str, answer: Result<T, StoreError>) -> Step<T> {
        self.0.answers.fetch_add(1, Ordering::Relaxed);
        answer.map_err(|error| {
            let cause = error.source().map(|source| format!(": {source}")).unwrap_or_default();
            Outcome::failed(format!("an answer to {verb}"), format!("the error \"{error}{cause}\""))
        })
    }
}
