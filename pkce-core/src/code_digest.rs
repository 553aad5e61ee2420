//! The digest of an authorization code: the only form in which a code is kept.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// The SHA-256 of an authorization code, 32 bytes: the key under which a store keeps a [`Binding`](crate::store::Binding).
///
/// Whoever reads the store finds no code that could be redeemed (RFC 6819 §5.1.4.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CodeDigest([u8; 32]);

impl CodeDigest {
    /// Returns the digest of a code, after form decoding.
    #[inline]
    pub fn of(code: &[u8]) -> Self {
        Self(Sha256::digest(code).into())
    }

    /// Creates a digest from what a store read back.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the 32 bytes, for a store to use as its key.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for CodeDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeDigest([redacted])")
    }
}
