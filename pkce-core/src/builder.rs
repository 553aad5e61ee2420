//! Putting a [`Pkce`] together.

use std::fmt;

use crate::bounded_store::BoundedStore;
use crate::clock::{Clock, SystemClock};
use crate::pkce::{Parts, Pkce};
use crate::policy::Policy;
use crate::replay::{OnReplay, Replay};
use crate::store::ChallengeStore;
use crate::timer::Timer;

/// Builds a [`Pkce`] with a policy, a clock or a replay hook of one's own. Made by [`Pkce::builder`].
#[must_use = "nothing is built until `build`"]
pub struct PkceBuilder {
    store: Box<dyn ChallengeStore>,
    policy: Policy,
    clock: Box<dyn Clock>,
    on_replay: Option<OnReplay>,
    timer: Option<Box<dyn Timer>>,
}

impl Pkce {
    /// With the default [`Policy`]: S256 only, a challenge required, codes live for 60 seconds.
    pub fn new(store: impl ChallengeStore) -> Self {
        Self::builder(store).build()
    }

    /// With a policy, a clock or a replay hook of one's own.
    pub fn builder(store: impl ChallengeStore) -> PkceBuilder {
        PkceBuilder::new(Box::new(store))
    }
}

impl PkceBuilder {
    fn new(store: Box<dyn ChallengeStore>) -> Self {
        Self { store, policy: Policy::default(), clock: Box::new(SystemClock), on_replay: None, timer: None }
    }

    /// Another policy than the default.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Another clock than the system's, for tests. A store has a clock of its own.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// What to do when a redeemed code is presented again with the right verifier: revoke what it produced
    /// (RFC 6749 §4.1.2). Default: nothing beyond the refusal and its event.
    ///
    /// A code that is marked while its request is judged or served counts as redeemed, also if it is restored a moment
    /// later: a client that sends the right request twice at once may so cause a replay. See [`Replay::age`].
    ///
    /// It is awaited before the answer, within the request, without a time-out: if the client hangs up it is
    /// cancelled. A hook that must not be cut short spawns a task. A replay can overtake the issue of the first token:
    /// mark the *grant* revoked and let the issue check the mark.
    pub fn on_replay<F, R>(mut self, hook: F) -> Self
    where
        F: Fn(Replay) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        self.on_replay = Some(Box::new(move |replay| Box::pin(hook(replay))));
        self
    }

    /// The timer for [`Policy::store_timeout`]. The adapters lend tokio's, so this is for servers without one of them.
    pub fn timer(mut self, timer: impl Timer) -> Self {
        self.timer = Some(Box::new(timer));
        self
    }

    /// Puts it together.
    pub fn build(self) -> Pkce {
        let Self { store, policy, clock, on_replay, timer } = self;
        let store = BoundedStore::new(store, policy.timeout());
        if let Some(timer) = timer {
            store.lend_timer(timer);
        }
        Pkce::from_parts(Parts { policy, store, clock, on_replay })
    }
}

impl fmt::Debug for PkceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PkceBuilder").field("policy", &self.policy).finish_non_exhaustive()
    }
}
