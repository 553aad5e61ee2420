//! An authorization request on its way through the upstream.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::HeaderMap;
use pkce_tower::{CodeVerifier, PendingChallenge, Rejection};
use serde::{Deserialize, Serialize};

use crate::gateway::Gateway;
use crate::redirect::Redirect;
use crate::seal::Sealable;

/// How long the store remembers a transaction, and that it has come through: as long as a binding can live, and no
/// transaction lives longer.
pub(crate) const REMEMBERED: Duration = Duration::from_secs(600);

/// The longest sealed transaction that goes into a cookie, in bytes. A longer one waits in the store.
const LONGEST: usize = 700;

/// An authorization request that was checked. The upstream's `state` is its id.
#[derive(Serialize, Deserialize)]
pub(crate) struct Transaction {
    pub(crate) id: String,
    pub(crate) client_id: String,
    /// Registered for the client.
    pub(crate) redirect_uri: String,
    /// The client's own `state`, decoded; it gets back exactly this.
    pub(crate) state: Option<String>,
    pub(crate) challenge: PendingChallenge,
    /// For an upstream that has PKCE: the gateway's own code verifier.
    pub(crate) verifier: Option<String>,
    /// Seconds since the epoch.
    pub(crate) expires_at: u64,
}

/// A transaction that waits in the store, under its id; the verifier takes it out, once.
#[derive(Serialize, Deserialize)]
struct Stored {
    id: String,
    verifier: String,
}

impl Sealable for Transaction {
    const PURPOSE: &'static str = "transaction";
}

impl Sealable for Stored {
    const PURPOSE: &'static str = "stored transaction";
}

impl Transaction {
    pub(crate) fn is_expired(&self) -> bool {
        now().as_secs() >= self.expires_at
    }

    /// Redirects to the client, with its `state` and the gateway's `iss` (RFC 9207 §2).
    pub(crate) fn redirect(&self, name: &str, value: &str, issuer: &str) -> Redirect {
        Redirect::to(&self.redirect_uri)
            .with(name, value)
            .with_optional("state", self.state.as_deref())
            .with("iss", issuer)
    }
}

impl Gateway {
    /// Returns the `Set-Cookie` lines by which the browser keeps the transaction.
    pub(crate) async fn keep(&self, transaction: &Transaction, headers: &HeaderMap) -> Result<Vec<String>, Rejection> {
        let mut sealed = self.seal.seal(transaction)?;
        if sealed.len() > LONGEST {
            let verifier = CodeVerifier::generate()?;
            let (key, id) = (key(&transaction.id), transaction.id.clone());
            self.pkce.bind(&key, verifier.challenge()).grant(&sealed).lifetime(REMEMBERED).await?;
            let stored = Stored { id, verifier: verifier.as_str().to_owned() };
            sealed = self.seal.seal(&stored)?;
        }
        Ok(self.cookies.set(headers, &transaction.id, &sealed))
    }

    /// Finds the transaction with this id, if it was begun in this browser.
    pub(crate) async fn find(&self, id: &str, headers: &HeaderMap) -> Option<Transaction> {
        let mut sealed = self.cookies.get(headers, id)?;
        if let Some(stored) = self.seal.unseal::<Stored>(&sealed) {
            let (clearance, _) = self.pkce.redeem(&key(&stored.id), Some(&stored.verifier)).await.ok()?;
            sealed = clearance.grant().ok()?;
        }
        self.seal.unseal::<Transaction>(&sealed).filter(|transaction| transaction.id == id)
    }
}

/// With a space in it: no code of the gateway has one.
fn key(id: &str) -> String {
    format!("stored {id}")
}

/// Returns the time since the epoch.
pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
