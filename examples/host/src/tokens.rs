//! The tokens, by the grant that they come from.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::grant::Grant;
use crate::random;

/// How long an access token lives.
pub(crate) const ACCESS_LIFETIME: Duration = Duration::from_secs(600);
/// How long a grant lives, counted from its last use.
const GRANT_LIFETIME: Duration = Duration::from_secs(86_400);
/// How many grants and access tokens are kept before those that have ended are cleared away.
const KEPT: usize = 10_000;

/// The tokens that are alive, and the grants that are not.
///
/// A grant is revoked by a mark of its own, not by deleting tokens: a replay can overtake the issue of the first one.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    grants: HashMap<String, Family>,
    access: HashMap<String, (String, Instant)>,
    refresh: HashMap<String, String>,
    clear_at: usize,
}

/// All that comes from one grant.
#[derive(Default)]
struct Family {
    grant: Option<Grant>,
    revoked: bool,
    ends: Option<Instant>,
}

/// A new pair of tokens.
pub(crate) struct Issued {
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
    pub(crate) scope: String,
}

impl Tokens {
    /// Issues tokens for a grant. If the grant was revoked meanwhile they are born dead.
    pub(crate) fn issue(&self, grant: Grant) -> Option<Issued> {
        let (access_token, refresh_token) = (random::name()?, random::name()?);
        let issued = Issued {
            access_token: access_token.clone(),
            refresh_token: refresh_token.clone(),
            scope: grant.scope.clone(),
        };
        let mut inner = self.lock();
        inner.clear();
        inner.access.insert(access_token, (grant.id.clone(), Instant::now() + ACCESS_LIFETIME));
        inner.refresh.insert(refresh_token, grant.id.clone());
        let family = inner.grants.entry(grant.id.clone()).or_default();
        family.grant = Some(grant);
        family.ends = Some(Instant::now() + GRANT_LIFETIME);
        Some(issued)
    }

    /// Uses up a refresh token: the next one takes its place (RFC 9700 §4.14.2).
    pub(crate) fn refresh(&self, refresh_token: &str, client_id: &str) -> Option<Grant> {
        let mut inner = self.lock();
        let id = inner.refresh.get(refresh_token)?.clone();
        let grant = inner.live(&id)?.clone();
        if grant.client_id != client_id {
            return None;
        }
        inner.refresh.remove(refresh_token);
        Some(grant)
    }

    /// Whom an access token speaks for.
    pub(crate) fn introspect(&self, access_token: &str) -> Option<Grant> {
        let inner = self.lock();
        let (id, expires) = inner.access.get(access_token)?;
        if Instant::now() >= *expires { None } else { inner.live(id).cloned() }
    }

    /// Revokes all that comes from a grant, now and later.
    pub(crate) fn revoke(&self, id: String) {
        let mut inner = self.lock();
        inner.clear();
        let family = inner.grants.entry(id).or_default();
        family.revoked = true;
        family.ends = Some(Instant::now() + GRANT_LIFETIME);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn live(&self, id: &str) -> Option<&Grant> {
        let family = self.grants.get(id)?;
        if family.revoked { None } else { family.grant.as_ref() }
    }

    /// Forgets what has ended, whenever there is twice as much as was left the last time.
    fn clear(&mut self) {
        if self.grants.len() + self.access.len() < self.clear_at.max(KEPT) {
            return;
        }
        let now = Instant::now();
        self.grants.retain(|_, family| family.ends.is_some_and(|ends| now < ends));
        let grants = &self.grants;
        self.access.retain(|_, (id, expires)| now < *expires && grants.contains_key(id));
        self.refresh.retain(|_, id| grants.contains_key(id));
        self.clear_at = (self.grants.len() + self.access.len()) * 2;
    }
}
