//! What the tests share: a clock that stands still, stores that misbehave, and the verbs of the domain.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "not every test needs every verb, and a test may panic"
)]

#[cfg(feature = "metrics")]
pub(crate) mod metrics;
pub(crate) mod reading;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use pkce_core::adapter::{Body, Request};
use pkce_core::store::{Attempt, Binding, ChallengeStore, CodeDigest, Inserted, Redemption, StoreError, Ticket};
use pkce_core::{
    Clearance, ClearanceKind, CodeChallenge, CodeChallengeMethod, MemoryStore, Pkce, PkceBuilder, Policy, Reason,
    Reservation, Timestamp,
};

pub(crate) const CODE: &str = "SplxlOBeZQQYbYS6WxSbIA";
/// RFC 7636 Appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const WRONG: &str = "another-verifier-0123456789-0123456789-0123";
pub(crate) const MALFORMED: &str = "too-short";

pub(crate) fn s256() -> CodeChallenge {
    CodeChallenge::parse(CHALLENGE, CodeChallengeMethod::S256).unwrap()
}

pub(crate) fn plain() -> CodeChallenge {
    CodeChallenge::parse(VERIFIER, CodeChallengeMethod::Plain).unwrap()
}

/// A clock that moves when it is told to.
#[derive(Clone)]
pub(crate) struct FakeClock(Arc<AtomicU64>);

impl FakeClock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicU64::new(1_700_000_000_000)))
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_epoch_millis(self.0.load(Ordering::SeqCst))
    }

    /// For a builder.
    pub(crate) fn reading(&self) -> impl Fn() -> Timestamp + Send + Sync + 'static {
        let clock = self.clone();
        move || clock.now()
    }

    pub(crate) fn forward(&self, millis: u64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }

    pub(crate) fn back(&self, millis: u64) {
        self.0.fetch_sub(millis, Ordering::SeqCst);
    }
}

/// A memory store with a witness, shared by servers of several policies.
#[derive(Clone)]
pub(crate) struct House {
    pub(crate) clock: FakeClock,
    store: Arc<Witness<MemoryStore>>,
}

impl House {
    pub(crate) fn new() -> Self {
        let clock = FakeClock::new();
        let store = MemoryStore::builder().clock(clock.reading()).build();
        Self { clock, store: Arc::new(Witness { store, calls: Mutex::default() }) }
    }

    pub(crate) fn builder(&self, policy: Policy) -> PkceBuilder {
        Pkce::builder(Arc::clone(&self.store)).policy(policy).clock(self.clock.reading())
    }

    pub(crate) fn server(&self, policy: Policy) -> Pkce {
        self.builder(policy).build()
    }

    /// The verbs that reached the store since they were last asked for.
    pub(crate) fn calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.store.calls.lock().unwrap())
    }
}

/// Writes down which verbs reach a store.
struct Witness<S> {
    store: S,
    calls: Mutex<Vec<&'static str>>,
}

#[async_trait]
impl<S: ChallengeStore> ChallengeStore for Witness<S> {
    async fn insert(&self, code: &CodeDigest, binding: &Binding) -> Result<Inserted, StoreError> {
        self.calls.lock().unwrap().push("insert");
        self.store.insert(code, binding).await
    }

    async fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Result<Redemption, StoreError> {
        self.calls.lock().unwrap().push("redeem");
        self.store.redeem(code, attempt).await
    }

    async fn restore(&self, code: &CodeDigest, ticket: Ticket) -> Result<(), StoreError> {
        self.calls.lock().unwrap().push("restore");
        self.store.restore(code, ticket).await
    }
}

/// A token request for the code, as an adapter hands it over.
pub(crate) async fn hold(pkce: &Pkce, verifier: Option<&str>) -> Result<(Clearance, Reservation), Reason> {
    let verifier = verifier.map(|verifier| format!("&code_verifier={verifier}")).unwrap_or_default();
    let body = format!("grant_type=authorization_code&code={CODE}{verifier}");
    let request = Request::new("POST", Body::Complete(body.as_bytes()))
        .header("content-type", b"application/x-www-form-urlencoded");
    let (clearance, reservation) = pkce.judge(&request).await.map_err(|rejection| rejection.reason())?;
    Ok((clearance.expect("a token request is no preflight"), reservation))
}

/// As [`hold`], and the host's answer never comes: the code stays redeemed.
pub(crate) async fn redeem(pkce: &Pkce, verifier: Option<&str>) -> Result<ClearanceKind, Reason> {
    hold(pkce, verifier).await.map(|(clearance, _)| clearance.kind())
}
