//! Building a [`Pkce`].

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::bounded_store::{BoundedStore, Store, Timer};
use crate::clock::{Now, Timestamp};
use crate::pkce::{Parts, Pkce};
use crate::policy::Policy;
use crate::replay::{OnReplay, Replay};
use crate::store::ChallengeStore;

/// Builds a [`Pkce`] with an issuer, a policy, a replay hook, a clock or a timer. Created by [`Pkce::builder`].
#[must_use = "nothing is built until `build`"]
pub struct PkceBuilder {
    store: Store,
    policy: Policy,
    issuer: Option<Arc<str>>,
    now: Now,
    on_replay: Option<OnReplay>,
    timer: Timer,
}

impl Pkce {
    /// Creates a `Pkce` with the default [`Policy`]: S256 only, a challenge required, codes live for 60 seconds.
    pub fn new(store: impl ChallengeStore) -> Self {
        Self::builder(store).build()
    }

    /// Returns a builder for a `Pkce` with other settings.
    ///
    /// ```
    /// use pkce_core::{MemoryStore, Pkce, Policy};
    /// use std::time::Duration;
    ///
    /// let pkce = Pkce::builder(MemoryStore::new())
    ///     .policy(Policy::new().code_lifetime(Duration::from_secs(300)))
    ///     .on_replay(|replay| async move { eprintln!("redeemed {:?} ago: revoke its tokens", replay.age()) })
    ///     .build();
    /// # let _ = pkce;
    /// ```
    pub fn builder(store: impl ChallengeStore) -> PkceBuilder {
        PkceBuilder::new(Store::of(store))
    }
}

impl PkceBuilder {
    fn new(store: Store) -> Self {
        let (now, timer) = (Box::new(Timestamp::now), Timer::of_runtime());
        Self { store, policy: Policy::default(), issuer: None, now, on_replay: None, timer }
    }

    /// Sets the policy.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets the issuer identifier of the server: its `https` URL without query or fragment, as clients know it, character by
    /// character (RFC 8414 §2). Default: none.
    ///
    /// Every authorization response then carries it as `iss` (RFC 9207 §2), so that a client that talks to several servers
    /// notices a response of another one. The metadata layers write it into the metadata, with
    /// `authorization_response_iss_parameter_supported`. A server with several issuers has a `Pkce` for each.
    ///
    /// ```
    /// use pkce_core::adapter::metadata;
    /// use pkce_core::{AuthorizationResponse, MemoryStore, Pkce};
    ///
    /// let pkce = Pkce::builder(MemoryStore::new()).issuer("https://as.example").build();
    /// let redirect = AuthorizationResponse::new(&pkce, "https://app.example/cb").code("SplxlOBeZQQYbYS6WxSbIA");
    /// assert!(redirect.location().ends_with("&iss=https%3A%2F%2Fas.example"));
    ///
    /// let document = String::from_utf8(metadata::advertise(b"{}", &pkce).unwrap())?;
    /// assert!(document.contains(r#""issuer":"https://as.example""#));
    /// assert!(document.contains(r#""authorization_response_iss_parameter_supported":true"#));
    /// # Ok::<(), std::string::FromUtf8Error>(())
    /// ```
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into().into());
        self
    }

    /// Sets the clock, for tests. Default: [`Timestamp::now`]. A store has a clock of its own.
    pub fn clock(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.now = Box::new(clock);
        self
    }

    /// Sets what happens when a redeemed code is presented again with the right verifier: revoke the tokens that were
    /// issued for it (RFC 6749 §4.1.2). Default: nothing beyond the rejection and its event.
    ///
    /// A code counts as redeemed from the moment its request is judged, also if it is restored later. So a client that
    /// sends the right request twice at once causes a replay: look at [`Replay::age`] before you revoke.
    ///
    /// The hook is awaited before the response, within the request, without a time-out. If the client hangs up it is
    /// cancelled: a hook that must finish spawns a task. A replay can come before the first token is issued: mark the
    /// *grant* as revoked, and check the mark when you issue.
    pub fn on_replay<F, R>(mut self, hook: F) -> Self
    where
        F: Fn(Replay) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        self.on_replay = Some(Box::new(move |replay| Box::pin(hook(replay))));
        self
    }

    /// Sets the timer for [`Policy::store_timeout`]: a function that returns a future which completes after the duration.
    ///
    /// Default: tokio's timer, with the feature `tokio`, which the adapters switch on. It measures where a tokio runtime
    /// with its time driver runs the call. On another runtime, pass its timer:
    ///
    /// ```
    /// # mod async_io { pub struct Timer; impl Timer { pub async fn after(_: std::time::Duration) {} } }
    /// use pkce_core::{MemoryStore, Pkce};
    ///
    /// let pkce = Pkce::builder(MemoryStore::new()).timer(async_io::Timer::after).build();
    /// # let _ = pkce;
    /// ```
    ///
    /// Without a timer a call of the store takes as long as the store takes.
    pub fn timer<F, S>(mut self, timer: F) -> Self
    where
        F: Fn(Duration) -> S + Send + Sync + 'static,
        S: Future + Send + 'static,
    {
        self.timer = Timer::new(timer);
        self
    }

    /// Builds the `Pkce`.
    pub fn build(self) -> Pkce {
        let Self { store, policy, issuer, now, on_replay, timer } = self;
        let store = BoundedStore::new(store, timer, policy.store_timeout);
        Pkce::from_parts(Parts { policy, issuer, store, now, on_replay, last_was_bound: AtomicBool::new(false) })
    }
}

impl fmt::Debug for PkceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PkceBuilder").field("policy", &self.policy).finish_non_exhaustive()
    }
}
