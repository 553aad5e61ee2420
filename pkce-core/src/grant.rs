//! The host's own record of what was granted, carried beside the binding.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A grant that was not carried, or cannot be written or read as the type asked for.
///
/// Its source can quote a piece of the grant; mind that before it goes into a log.
#[derive(Debug)]
pub struct GrantError {
    what: &'static str,
    source: Option<serde_json::Error>,
}

impl GrantError {
    /// Whether there is none: the code was bound without a grant, or has no record.
    pub const fn is_missing(&self) -> bool {
        self.source.is_none()
    }
}

impl fmt::Display for GrantError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }
}

impl std::error::Error for GrantError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|error| error as _)
    }
}

pub(crate) fn encode<G: Serialize + ?Sized>(grant: &G) -> Result<Arc<[u8]>, GrantError> {
    let refused = |error| GrantError { what: "the grant cannot be serialised", source: Some(error) };
    serde_json::to_vec(grant).map(Arc::from).map_err(refused)
}

pub(crate) fn decode<G: DeserializeOwned>(grant: Option<&Arc<[u8]>>) -> Result<G, GrantError> {
    let grant = grant.ok_or(GrantError { what: "the code was bound without a grant", source: None })?;
    let refused = |error| GrantError { what: "the grant of the code is of another type", source: Some(error) };
    serde_json::from_slice(grant).map_err(refused)
}
