//! Codes that several processes know without telling each other.

use pkce_core::store::{CodeDigest, Proof};

/// The digest of one of a crowd's codes.
pub fn code_of_crowd(crowd: &str, nth: usize) -> CodeDigest {
    CodeDigest::of(format!("{crowd} {nth}").as_bytes())
}

/// The proof that it is bound to.
pub fn proof_of_crowd(crowd: &str, nth: usize) -> Proof {
    Proof::from_bytes(*CodeDigest::of(format!("{crowd} {nth} proof").as_bytes()).as_bytes())
}
