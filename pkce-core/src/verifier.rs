//! The code verifier: the client's secret (RFC 7636 §4.1).

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::random::{self, RandomError};

/// The shortest code verifier, in characters (RFC 7636 §4.1).
pub(crate) const MIN_LENGTH: usize = 43;

/// The longest code verifier, in characters (RFC 7636 §4.1).
pub(crate) const MAX_LENGTH: usize = 128;

/// A code verifier: 43 to 128 unreserved characters, `A-Z a-z 0-9 - . _ ~` (RFC 7636 §4.1).
///
/// A client generates one for each authorization request, keeps it, and sends it with the token request. It is `Serialize`
/// and `Deserialize`, so that it can wait in the client's session. It is zeroized when dropped, cannot be cloned, and its
/// `Debug` shows nothing of it.
///
/// ```
/// use pkce_core::CodeVerifier;
///
/// let verifier = CodeVerifier::generate()?;
/// let challenge = verifier.challenge();
/// assert!(challenge.verify(verifier.as_str()).is_ok());
/// assert!(challenge.verify("another-verifier-0123456789-0123456789-0123").is_err());
///
/// assert!("too short".parse::<CodeVerifier>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct CodeVerifier(Zeroizing<String>);

impl CodeVerifier {
    /// Generates a verifier from 32 bytes of the operating system's random number generator:
    /// 43 characters, 256 bits, as RFC 7636 §4.1 recommends.
    ///
    /// # Errors
    ///
    /// When the operating system yields no randomness.
    pub fn generate() -> Result<Self, RandomError> {
        let bytes = random::bytes::<32>()?;
        Ok(Self(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice()))))
    }

    /// Returns the verifier.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the parameter that a client adds to the token request (RFC 7636 §4.5). The value needs no
    /// percent-encoding.
    pub fn token_parameter(&self) -> (&'static str, &str) {
        ("code_verifier", self.as_str())
    }
}

/// The verifier in plain text: for the client's own session.
impl Serialize for CodeVerifier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Parses the verifier again.
impl<'de> Deserialize<'de> for CodeVerifier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let verifier = Zeroizing::new(String::deserialize(deserializer)?);
        verifier.parse().map_err(serde::de::Error::custom)
    }
}

impl FromStr for CodeVerifier {
    type Err = InvalidCodeVerifier;

    fn from_str(verifier: &str) -> Result<Self, Self::Err> {
        check(verifier.as_bytes())?;
        Ok(Self(Zeroizing::new(verifier.to_owned())))
    }
}

impl fmt::Debug for CodeVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeVerifier([redacted])")
    }
}

/// The text is not a code verifier: not 43 to 128 unreserved characters (RFC 7636 §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidCodeVerifier {
    /// It has fewer than 43 or more than 128 bytes.
    Length,
    /// It has a byte outside `A-Z a-z 0-9 - . _ ~`.
    Character,
}

impl fmt::Display for InvalidCodeVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => "a code verifier has 43 to 128 characters",
            Self::Character => "a code verifier has only unreserved characters",
        })
    }
}

impl std::error::Error for InvalidCodeVerifier {}

/// `code-verifier = 43*128unreserved` (RFC 7636 §4.1).
#[inline]
pub(crate) fn check(verifier: &[u8]) -> Result<(), InvalidCodeVerifier> {
    if verifier.len() < MIN_LENGTH || verifier.len() > MAX_LENGTH {
        return Err(InvalidCodeVerifier::Length);
    }
    let unreserved =
        if verifier.len() <= 64 { is_unreserved_by::<32>(verifier) } else { is_unreserved_by::<64>(verifier) };
    if unreserved { Ok(()) } else { Err(InvalidCodeVerifier::Character) }
}

/// Whether the first `N` and the last `N` bytes are unreserved. Of at most `2 * N` bytes these are all; they may overlap.
///
/// The length is fixed and nothing branches, so the compiler makes vector code of it, with no bytes left over.
#[inline]
fn is_unreserved_by<const N: usize>(bytes: &[u8]) -> bool {
    let (Some(first), Some(last)) = (bytes.first_chunk::<N>(), bytes.last_chunk::<N>()) else { return false };
    first.iter().zip(last).fold(true, |all, (&one, &other)| all & is_unreserved(one) & is_unreserved(other))
}

#[inline]
#[expect(clippy::needless_bitwise_bool, reason = "a lazy operator is a branch, which keeps vector code away")]
const fn is_unreserved(byte: u8) -> bool {
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let digit_or_mark = (byte.wrapping_sub(b'-') < 13) & (byte != b'/'); // -./0123456789
    letter | digit_or_mark | (byte == b'_') | (byte == b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_unreserved_characters_of_rfc_3986_are_unreserved() {
        for byte in 0..=u8::MAX {
            let expected = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            assert_eq!(is_unreserved(byte), expected, "byte {byte:#04x}");
        }
    }

    #[test]
    fn a_verifier_has_43_to_128_characters() {
        for (length, expected) in [
            (0, Err(InvalidCodeVerifier::Length)),
            (42, Err(InvalidCodeVerifier::Length)),
            (43, Ok(())),
            (128, Ok(())),
            (129, Err(InvalidCodeVerifier::Length)),
        ] {
            assert_eq!(check(&vec![b'a'; length]), expected, "length {length}");
        }
    }

    #[test]
    fn one_reserved_byte_anywhere_makes_a_verifier_invalid() {
        for (length, position) in (43..=128).flat_map(|length| (0..length).map(move |position| (length, position))) {
            for byte in [b'\n', b' ', b'+', b'/', b'=', b'%', 0, 0x80, 0xff] {
                let mut verifier = vec![b'a'; length];
                verifier[position] = byte;
                assert_eq!(check(&verifier), Err(InvalidCodeVerifier::Character));
            }
        }
    }

    #[test]
    fn two_generated_verifiers_differ_and_debug_shows_neither() {
        let (one, two) = (CodeVerifier::generate().unwrap(), CodeVerifier::generate().unwrap());
        assert_ne!(one.as_str(), two.as_str());
        assert_eq!(one.as_str().len(), 43);
        assert_eq!(one.token_parameter(), ("code_verifier", one.as_str()));
        assert_eq!(format!("{one:?}"), "CodeVerifier([redacted])");
    }
}
