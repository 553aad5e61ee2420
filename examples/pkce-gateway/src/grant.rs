//! What the gateway keeps of a code, and a refresh token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::seal::Sealable;

/// The grant of a code. It is sealed in the store: a reader of the store gets no code of the upstream.
#[derive(Serialize, Deserialize)]
pub(crate) struct Grant {
    /// The SHA-256 of that code: under another code, by a writer to the store, the grant is void.
    pub(crate) code: String,
    pub(crate) upstream_code: String,
    /// For an upstream that has PKCE.
    pub(crate) upstream_verifier: Option<String>,
}

impl Sealable for Grant {
    const PURPOSE: &'static str = "grant";
}

/// A refresh token of the gateway. To the upstream all clients are one, so the gateway has to know whose
/// it is (RFC 6749 §6). Sealed, it *is* the refresh token: no machine keeps it, and all that were sealed of one of the
/// upstream's end with that.
#[derive(Serialize, Deserialize)]
pub(crate) struct RefreshToken {
    pub(crate) client_id: String,
    pub(crate) upstream_token: String,
}

impl Sealable for RefreshToken {
    const PURPOSE: &'static str = "refresh token";
}

/// Returns the SHA-256 of a code, in base64url.
pub(crate) fn digest(code: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(code))
}
