//! The client and the redirect URI of the authorization request, bound to its code (RFC 6749 §4.1.3).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::reason::Reason;

/// What a token request must name. It travels in front of the grant, so that a store need not know of it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BoundRequest {
    pub(crate) client_id: Option<String>,
    pub(crate) redirect_uri: Option<String>,
}

/// Begins a grant that carries a bound request, and ends the request. No JSON text contains it.
const MARK: u8 = 0;

/// A bound request and a grant, as they were stored together.
type Opened = (Option<BoundRequest>, Option<Arc<[u8]>>);

impl BoundRequest {
    /// The grant with this request in front of it; the grant itself if nothing is bound.
    pub(crate) fn with_grant(&self, grant: Option<Arc<[u8]>>) -> Option<Arc<[u8]>> {
        if *self == Self::default() {
            return grant;
        }
        let mut bytes = vec![MARK];
        bytes.extend(serde_json::to_vec(self).unwrap_or_default());
        if let Some(grant) = grant {
            bytes.push(MARK);
            bytes.extend_from_slice(&grant);
        }
        Some(bytes.into())
    }

    /// Whether a stored grant carries a bound request.
    pub(crate) fn is_in(stored: Option<&Arc<[u8]>>) -> bool {
        stored.is_some_and(|stored| stored.first() == Some(&MARK))
    }

    /// Takes a stored grant apart.
    pub(crate) fn open(stored: Option<&Arc<[u8]>>) -> Result<Opened, Reason> {
        let Some([MARK, rest @ ..]) = stored.map(|stored| &**stored) else { return Ok((None, stored.cloned())) };
        let mut parts = rest.splitn(2, |byte| *byte == MARK);
        let request = serde_json::from_slice(parts.next().unwrap_or_default());
        let request = request.map_err(|_| Reason::StoreRecordInvalid)?;
        Ok((Some(request), parts.next().map(Arc::from)))
    }
}
