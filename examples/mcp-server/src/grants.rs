//! What users have granted, and the tokens of it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use constant_time_eq::constant_time_eq;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use crate::random;

/// How long an access token is good.
pub(crate) const LIFETIME: Duration = Duration::from_secs(3600);

/// How long a grant is kept that nobody uses, and with it the refresh token.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// The grants, by an id that their codes and tokens hold. What is revoked is removed: its tokens are found by nobody, those
/// that are being issued at the moment included.
#[derive(Clone)]
pub(crate) struct Grants(Cache<String, Arc<Grant>>); // yours: a database, which keeps the tokens' digests

pub(crate) struct Grant {
    pub(crate) client_id: String,
    resource: String,
    tokens: Mutex<Option<Tokens>>,
}

#[derive(Clone)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
    since: Instant,
}

impl Default for Grants {
    fn default() -> Self {
        let builder = Cache::builder().max_capacity(10_000).eviction_policy(EvictionPolicy::lru());
        Self(builder.time_to_idle(KEPT).build())
    }
}

impl Grants {
    /// Returns the id of a new grant, which has no tokens yet.
    pub(crate) fn insert(&self, client_id: String, resource: String) -> String {
        let id = random();
        self.0.insert(id.clone(), Arc::new(Grant { client_id, resource, tokens: Mutex::default() }));
        id
    }

    pub(crate) fn get(&self, id: &str) -> Option<Arc<Grant>> {
        self.0.get(id)
    }

    pub(crate) fn revoke(&self, id: &str) {
        self.0.invalidate(id);
    }

    /// Returns whether an access token is good, and for this resource.
    pub(crate) fn opens(&self, access: &str, resource: &str) -> bool {
        let Some(grant) = access.split_once('.').and_then(|(id, _)| self.get(id)) else { return false };
        let tokens = grant.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let is_good = |tokens: &Tokens| is_same(&tokens.access, access) && tokens.since.elapsed() < LIFETIME;
        grant.resource == resource && tokens.as_ref().is_some_and(is_good)
    }

    /// Issues the tokens for a code, or, if a refresh token is given, those in place of it. A refresh token that is not the last
    /// one was used before: somebody has stolen it, and the grant is revoked (RFC 9700 §4.14.2).
    pub(crate) fn issue(&self, id: &str, grant: &Grant, refresh: Option<&str>) -> Option<Tokens> {
        let mut tokens = grant.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let last = tokens.as_ref().map(|tokens| tokens.refresh.as_str());
        if refresh.is_some_and(|refresh| !last.is_some_and(|last| is_same(last, refresh))) {
            self.revoke(id);
            return None;
        }
        let [access, refresh] = [(); 2].map(|()| format!("{id}.{}", random()));
        *tokens = Some(Tokens { access, refresh, since: Instant::now() });
        tokens.clone()
    }
}

fn is_same(token: &str, other: &str) -> bool {
    constant_time_eq(token.as_bytes(), other.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_for_another_resource_opens_nothing() {
        let grants = Grants::default();
        let id = grants.insert("client".to_owned(), "https://one.example/mcp".to_owned());
        let tokens = grants.issue(&id, &grants.get(&id).unwrap(), None).unwrap();
        assert!(grants.opens(&tokens.access, "https://one.example/mcp"));
        assert!(!grants.opens(&tokens.access, "https://other.example/mcp"));
        assert!(!grants.opens(&tokens.refresh, "https://one.example/mcp"));
    }

    #[test]
    fn an_access_token_expires() {
        let grants = Grants::default();
        let id = grants.insert("client".to_owned(), String::new());
        let grant = grants.get(&id).unwrap();
        let tokens = grants.issue(&id, &grant, None).unwrap();
        let began = Instant::now().checked_sub(LIFETIME).unwrap();
        grant.tokens.lock().unwrap().as_mut().unwrap().since = began + Duration::from_secs(5);
        assert!(grants.opens(&tokens.access, ""));
        grant.tokens.lock().unwrap().as_mut().unwrap().since = began;
        assert!(!grants.opens(&tokens.access, ""));
    }

    #[test]
    fn tokens_that_a_revocation_overtakes_are_dead() {
        let grants = Grants::default();
        let id = grants.insert("client".to_owned(), String::new());
        let grant = grants.get(&id).unwrap();
        grants.revoke(&id);
        let tokens = grants.issue(&id, &grant, None).unwrap();
        assert!(!grants.opens(&tokens.access, ""));
    }
}
