//! The proof: the SHA-256 of the code verifier that is expected, or that was presented.

use std::fmt;

use constant_time_eq::constant_time_eq_32;
use sha2::{Digest as _, Sha256};

use crate::verifier::{self, InvalidCodeVerifier};

/// The SHA-256 of a code verifier, 32 bytes: the only form in which a verifier reaches a store.
///
/// For an S256 challenge it is the challenge's own 32 bytes. For a `plain` challenge it is the hash of the challenge, so
/// that nobody can redeem a code with what a store holds. Two proofs are compared in constant time, and `Debug` shows
/// nothing of them.
#[derive(Clone, Copy)]
pub struct Proof([u8; 32]);

impl Proof {
    /// Checks the syntax of a presented code verifier and hashes its ASCII characters;
    /// nothing is decoded or salted (RFC 7636 §4.6, §7.3).
    ///
    /// # Errors
    ///
    /// When it is not 43 to 128 unreserved characters (RFC 7636 §4.1).
    #[inline]
    pub fn of_verifier(code_verifier: &[u8]) -> Result<Self, InvalidCodeVerifier> {
        verifier::check(code_verifier)?;
        Ok(Self::of_checked(code_verifier))
    }

    /// The proof of a verifier whose syntax is known to be right.
    #[inline]
    pub(crate) fn of_checked(code_verifier: &[u8]) -> Self {
        Self(Sha256::digest(code_verifier).into())
    }

    /// Creates a proof from what a store read back.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the 32 bytes, for a store to keep and to compare.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Constant time: the time that it takes does not tell where two proofs differ.
impl PartialEq for Proof {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq_32(&self.0, &other.0)
    }
}

impl Eq for Proof {}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proof([redacted])")
    }
}
