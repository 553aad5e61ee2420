//! The host's own record of what was granted, stored with the binding.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A grant is missing, or cannot be serialised or deserialised as the requested type.
///
/// Its source can quote a part of the grant: do not log it. No event of this crate does.
#[derive(Debug)]
pub struct GrantError {
    message: &'static str,
    source: Option<serde_json::Error>,
}

impl GrantError {
    /// Returns whether there is no grant: the code was bound without one, or has no record.
    pub const fn is_missing(&self) -> bool {
        self.source.is_none()
    }
}

impl fmt::Display for GrantError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message)
    }
}

impl std::error::Error for GrantError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|error| error as _)
    }
}

pub(crate) fn encode<G: Serialize + ?Sized>(grant: &G) -> Result<Arc<[u8]>, GrantError> {
    let failed = |error| GrantError { message: "the grant cannot be serialised", source: Some(error) };
    serde_json::to_vec(grant).map(Arc::from).map_err(failed)
}

pub(crate) fn decode<G: DeserializeOwned>(grant: Option<&[u8]>) -> Result<G, GrantError> {
    let grant = grant.ok_or(GrantError { message: "the code was bound without a grant", source: None })?;
    let failed = |error| GrantError { message: "the grant of the code is of another type", source: Some(error) };
    serde_json::from_slice(grant).map_err(failed)
}
