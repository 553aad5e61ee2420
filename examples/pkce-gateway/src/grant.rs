//! What a code and a refresh token of the gateway stand for.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pkce_tower::pkce_core::store::CodeDigest;
use serde::{Deserialize, Serialize};

use crate::seal::Sealable;

/// What a code of the gateway stands for. It waits in the store sealed: whoever reads the store has no code of the
/// upstream.
#[derive(Serialize, Deserialize)]
pub(crate) struct Grant {
    /// The SHA-256 of that code, in base64url: put behind another code, by whoever can write to the store, it is void.
    pub(crate) code: String,
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) upstream_code: String,
}

impl Sealable for Grant {
    const PURPOSE: &'static str = "grant";
}

/// What a refresh token of the gateway stands for. To the upstream all clients are one, so the gateway has to know
/// whose it is (RFC 6749 §6); sealed, it *is* the refresh token, and no machine keeps it.
#[derive(Serialize, Deserialize)]
pub(crate) struct RefreshToken {
    pub(crate) client_id: String,
    pub(crate) upstream_token: String,
}

impl Sealable for RefreshToken {
    const PURPOSE: &'static str = "refresh token";
}

/// Shows no code.
impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// Shows no token.
impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshToken").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// The SHA-256 of a code, in base64url.
pub(crate) fn digest(code: &str) -> String {
    URL_SAFE_NO_PAD.encode(CodeDigest::of(code.as_bytes()).as_bytes())
}
