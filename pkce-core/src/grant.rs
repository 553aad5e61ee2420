//! The host's own record of what was granted, carried beside the binding.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A grant that was not carried, or cannot be read as the type asked for.
#[derive(Debug)]
#[non_exhaustive]
pub enum GrantError {
    /// The code was bound without a grant, or has no record.
    Missing,
    /// It was bound as another type.
    Mismatch(serde_json::Error),
}

impl fmt::Display for GrantError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "the code was bound without a grant",
            Self::Mismatch(_) => "the grant of the code is of another type",
        })
    }
}

impl std::error::Error for GrantError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Missing => None,
            Self::Mismatch(error) => Some(error),
        }
    }
}

pub(crate) fn encode<G: Serialize + ?Sized>(grant: &G) -> Result<Arc<[u8]>, serde_json::Error> {
    serde_json::to_vec(grant).map(Arc::from)
}

pub(crate) fn decode<G: DeserializeOwned>(grant: Option<&Arc<[u8]>>) -> Result<G, GrantError> {
    serde_json::from_slice(grant.ok_or(GrantError::Missing)?).map_err(GrantError::Mismatch)
}
