//! What the gateway hands out and takes back: encrypted, and authentic.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::random;

/// The octets of a key, and of a nonce: 24, so many that they may be random, on any number of machines with one key.
const KEY: usize = 32;
const NONCE: usize = 24;

/// The longest that is sealed, and unsealed, in characters.
const LONGEST: usize = 16 * 1024;

/// What can be sealed. A value sealed for one purpose cannot be presented for another.
pub(crate) trait Sealable: Serialize + DeserializeOwned {
    /// Stands in the associated data.
    const PURPOSE: &'static str;
}

/// Seals by XChaCha20-Poly1305: with the first key, and unseals with any.
///
/// The issuer stands in the associated data, so another gateway's values are foreign even if it has the same key.
#[derive(Clone)]
pub(crate) struct Seal {
    ciphers: Vec<XChaCha20Poly1305>,
    issuer: String,
}

impl Seal {
    /// From keys in base64, the newest first; with none, from a random one.
    pub(crate) fn new(keys: &[String], issuer: &str) -> Result<Self, KeyError> {
        let mut ciphers = Vec::new();
        for key in keys {
            let octets = STANDARD.decode(key).map(Zeroizing::new).map_err(|_| KeyError::Malformed)?;
            let octets: Zeroizing<[u8; KEY]> =
                Zeroizing::new(octets.as_slice().try_into().map_err(|_| KeyError::Malformed)?);
            ciphers.push(XChaCha20Poly1305::new((&*octets).into()));
        }
        if ciphers.is_empty() {
            let octets = Zeroizing::new(random::octets::<KEY>().map_err(|_| KeyError::NoRandomness)?);
            ciphers.push(XChaCha20Poly1305::new((&*octets).into()));
        }
        Ok(Self { ciphers, issuer: issuer.to_owned() })
    }

    /// Characters of base64url, which need no encoding in a query.
    pub(crate) fn seal<T: Sealable>(&self, value: &T) -> Result<String, NotSealed> {
        let cipher = self.ciphers.first().ok_or(NotSealed::Failed)?;
        let plain = serde_json::to_vec(value).map(Zeroizing::new).map_err(|_| NotSealed::Failed)?;
        let nonce = random::octets::<NONCE>().map_err(|_| NotSealed::Failed)?;
        let aad = self.associated_data::<T>();
        let payload = Payload { msg: &plain, aad: aad.as_bytes() };
        let sealed = cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| NotSealed::Failed)?;
        let sealed = URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat());
        if sealed.len() > LONGEST { Err(NotSealed::TooLong) } else { Ok(sealed) }
    }

    /// `None` if it is not ours, was changed, or was sealed for something else.
    pub(crate) fn unseal<T: Sealable>(&self, sealed: &str) -> Option<T> {
        if sealed.len() > LONGEST {
            return None;
        }
        let octets = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, sealed) = octets.split_at_checked(NONCE)?;
        let nonce = XNonce::from(<[u8; NONCE]>::try_from(nonce).ok()?);
        let aad = self.associated_data::<T>();
        let plain = self.ciphers.iter().find_map(|cipher| {
            let payload = Payload { msg: sealed, aad: aad.as_bytes() };
            cipher.decrypt(&nonce, payload).map(Zeroizing::new).ok()
        })?;
        serde_json::from_slice(&plain).ok()
    }

    fn associated_data<T: Sealable>(&self) -> String {
        format!("pkce-gateway 1 {} {}", T::PURPOSE, self.issuer)
    }
}

/// Shows no key.
impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seal({} keys)", self.ciphers.len())
    }
}

/// A key that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyError {
    Malformed,
    NoRandomness,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "a key is not 32 octets in base64 (as by: openssl rand -base64 32)",
            Self::NoRandomness => "the operating system yields no randomness",
        })
    }
}

/// Why a value was not sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotSealed {
    /// It would not be unsealed.
    TooLong,
    /// There is no randomness, or the value cannot be written.
    Failed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, serde::Deserialize)]
    struct One(String);
    #[derive(Debug, Serialize, serde::Deserialize)]
    struct Other(String);

    impl Sealable for One {
        const PURPOSE: &'static str = "one";
    }
    impl Sealable for Other {
        const PURPOSE: &'static str = "other";
    }

    fn key(of: u8) -> String {
        STANDARD.encode([of; KEY])
    }

    fn seal(keys: &[u8]) -> Seal {
        Seal::new(&keys.iter().map(|of| key(*of)).collect::<Vec<_>>(), "https://gateway.example").unwrap()
    }

    #[test]
    fn what_was_sealed_comes_back_and_shows_nothing_of_itself() {
        let sealed = seal(&[1]).seal(&One("the challenge".to_owned())).unwrap();
        assert_eq!(seal(&[1]).unseal(&sealed), Some(One("the challenge".to_owned())));
        assert!(!String::from_utf8_lossy(&URL_SAFE_NO_PAD.decode(&sealed).unwrap()).contains("challenge"));
        assert_ne!(sealed, seal(&[1]).seal(&One("the challenge".to_owned())).unwrap());
    }

    #[test]
    fn what_is_sealed_can_be_unsealed() {
        for (length, fits) in [(12_000, true), (13_000, false)] {
            let sealed = seal(&[1]).seal(&One("x".repeat(length)));
            assert_eq!(sealed.is_ok_and(|sealed| seal(&[1]).unseal::<One>(&sealed).is_some()), fits);
        }
    }

    #[test]
    fn a_previous_key_unseals_and_the_first_seals() {
        let old = seal(&[1]).seal(&One("x".to_owned())).unwrap();
        assert!(seal(&[2, 1]).unseal::<One>(&old).is_some());
        assert!(seal(&[2]).unseal::<One>(&old).is_none());
        let new = seal(&[2, 1]).seal(&One("x".to_owned())).unwrap();
        assert!(seal(&[2]).unseal::<One>(&new).is_some());
        assert!(seal(&[1]).unseal::<One>(&new).is_none());
    }

    #[test]
    fn no_character_can_be_changed_added_or_left_out() {
        let seal = seal(&[1]);
        let sealed = seal.seal(&One("x".to_owned())).unwrap();
        for at in 0..sealed.len() {
            for other in ["A", "B", "-", "", "AA", "=", "%"] {
                let changed = format!("{}{other}{}", &sealed[..at], &sealed[at + 1..]);
                assert!(changed == sealed || seal.unseal::<One>(&changed).is_none(), "{at} {other}");
            }
        }
        for junk in ["", "A", &"A".repeat(32), &"A".repeat(1000), &"A".repeat(100_000)] {
            assert!(seal.unseal::<One>(junk).is_none());
        }
    }

    #[test]
    fn what_was_sealed_for_something_else_or_by_another_gateway_is_foreign() {
        let sealed = seal(&[1]).seal(&One("x".to_owned())).unwrap();
        assert!(seal(&[1]).unseal::<Other>(&sealed).is_none());
        let other = Seal::new(&[key(1)], "https://other.example").unwrap();
        assert!(other.unseal::<One>(&sealed).is_none());
        assert!(Seal::new(&[], "https://gateway.example").unwrap().unseal::<One>(&sealed).is_none());
    }

    #[test]
    fn a_key_has_32_octets() {
        for key in ["", "AAAA", &STANDARD.encode([0; 31]), &STANDARD.encode([0; 33]), "no base64!"] {
            assert_eq!(Seal::new(&[key.to_owned()], "x").err(), Some(KeyError::Malformed), "{key}");
        }
    }
}
