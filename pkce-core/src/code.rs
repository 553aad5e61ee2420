//! The authorization code, for a host without a generator of its own.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::random::{self, RandomError};

/// The longest authorization code that can be bound and redeemed, in bytes.
///
/// RFC 6749 sets no limit; 4096 leaves room for codes that are encrypted or signed documents.
pub(crate) const MAX_LENGTH: usize = 4096;

/// An authorization code of 256 bits: 43 characters of base64url (RFC 6749 §10.10 asks for 128 bits at least).
///
/// For hosts that want one; any code of 1 to 4096 visible ASCII characters can be bound. It is zeroized when dropped
/// and its `Debug` shows nothing of it.
///
/// ```
/// let code = pkce_core::AuthorizationCode::generate()?;
/// assert_eq!(code.as_str().len(), 43);
/// # Ok::<(), pkce_core::RandomError>(())
/// ```
pub struct AuthorizationCode(Zeroizing<String>);

impl AuthorizationCode {
    /// Generates a code from 32 bytes of the operating system's random number generator.
    ///
    /// # Errors
    ///
    /// When the operating system yields no randomness.
    pub fn generate() -> Result<Self, RandomError> {
        let bytes = random::bytes::<32>()?;
        Ok(Self(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice()))))
    }

    /// Returns the code. It needs no percent-encoding.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for AuthorizationCode {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for AuthorizationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthorizationCode([redacted])")
    }
}

/// `code = 1*VSCHAR` (RFC 6749 A.11), with an upper limit. VSCHAR is %x20-7E.
pub(crate) fn is_code(code: &[u8]) -> bool {
    // Nothing branches, so the compiler vectorises it.
    let visible = |byte: &u8| byte.wrapping_sub(0x20) < 0x5f;
    !code.is_empty() && code.len() <= MAX_LENGTH && code.iter().fold(true, |all, byte| all & visible(byte))
}
