//! Why a record of Redis is rejected.

use std::fmt;

use pkce_core::store::InvalidBinding;

/// Why a value is not a record that this crate wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InvalidRecord {
    /// The key holds another type, or no record of this version.
    Malformed,
    /// The grant has another length than the header says.
    Grant,
    /// The fields cannot be bound to a code.
    Binding(InvalidBinding),
    /// The script's reply contradicts the record.
    Contradiction,
}

impl From<InvalidBinding> for InvalidRecord {
    fn from(invalid: InvalidBinding) -> Self {
        Self::Binding(invalid)
    }
}

impl fmt::Display for InvalidRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("the value under the code's key is not a record of this version"),
            Self::Grant => f.write_str("the recorded grant has another length than its header says"),
            Self::Binding(invalid) => invalid.fmt(f),
            Self::Contradiction => f.write_str("the script's reply contradicts the record"),
        }
    }
}

impl std::error::Error for InvalidRecord {}
