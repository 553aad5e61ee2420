//! An authorization request on its way through the upstream.

use std::fmt;

use pkce_tower::PendingChallenge;
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::redirect::Redirect;
use crate::seal::Sealable;

/// An authorization request that was checked. Sealed, it is the `state` that the upstream sees: no machine keeps it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Transaction {
    pub(crate) client_id: String,
    /// Registered for the client.
    pub(crate) redirect_uri: String,
    /// The client's own `state`, decoded; it gets back exactly this.
    pub(crate) state: Option<String>,
    pub(crate) challenge: PendingChallenge,
    /// Names the cookie of the browser that it was begun in.
    pub(crate) id: String,
    /// The SHA-256 of what that cookie holds, in base64url.
    pub(crate) browser: String,
    /// Seconds since the epoch.
    pub(crate) expires_at: u64,
}

impl Sealable for Transaction {
    const PURPOSE: &'static str = "transaction";
}

impl Transaction {
    pub(crate) fn is_expired(&self) -> bool {
        clock::now() >= self.expires_at
    }

    /// A redirect back to the client; its `state` stands in it, and the gateway's `iss` (RFC 9207 §2).
    pub(crate) fn redirect(&self, name: &str, value: &str, issuer: &str) -> Redirect {
        let redirect = Redirect::to(&self.redirect_uri).with(name, value);
        redirect.with_optional("state", self.state.as_deref()).with("iss", issuer)
    }
}

/// Shows neither state nor challenge.
impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}
