//! Authorization requests that wait for the user to sign in.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pkce_core::PendingChallenge;

use crate::random;

/// How long a sign-in page is good for.
const LIFETIME: Duration = Duration::from_secs(600);
/// How many may wait at once; beyond that the oldest give way.
const WAITING: usize = 10_000;

/// An authorization request that was checked: client, redirect URI, response type, PKCE.
#[derive(Clone)]
#[non_exhaustive]
pub struct Pending {
    /// The client.
    pub client_id: String,
    /// Its redirect URI, which is registered.
    pub redirect_uri: String,
    /// The `state`, to be sent back exactly.
    pub state: Option<String>,
    /// The scope, passed through.
    pub scope: String,
    /// What is to be bound; `None` only if the policy leaves that to the server.
    pub challenge: Option<PendingChallenge>,
}

/// The requests that wait, each under a name that stands in its sign-in page.
#[derive(Default)]
pub(crate) struct PendingRequests(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    requests: HashMap<String, (Instant, Pending)>,
    order: VecDeque<String>,
}

impl Waiting {
    /// Forgets what was submitted or has expired, and beyond the limit the oldest.
    fn make_room(&mut self) {
        while let Some(oldest) = self.order.front() {
            let waits = self.requests.get(oldest).is_some_and(|(expires, _)| Instant::now() < *expires);
            if waits && self.order.len() < WAITING {
                break;
            }
            self.requests.remove(oldest);
            self.order.pop_front();
        }
    }
}

impl PendingRequests {
    pub(crate) fn add(&self, pending: Pending) -> Option<String> {
        let name = random::name()?;
        let mut waiting = self.lock();
        waiting.make_room();
        waiting.order.push_back(name.clone());
        waiting.requests.insert(name.clone(), (Instant::now() + LIFETIME, pending));
        Some(name)
    }

    pub(crate) fn peek(&self, name: &str) -> Option<Pending> {
        let waiting = self.lock();
        let (expires, pending) = waiting.requests.get(name)?;
        (Instant::now() < *expires).then(|| pending.clone())
    }

    /// Of two submissions of one page, one gets the request.
    pub(crate) fn take(&self, name: &str) -> Option<Pending> {
        let (expires, pending) = self.lock().requests.remove(name)?;
        (Instant::now() < expires).then_some(pending)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows no state.
impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}
