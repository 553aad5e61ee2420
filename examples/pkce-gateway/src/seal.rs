//! What the gateway hands out and takes back: encrypted, and authentic.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use pkce_tower::{Rejection, pkce_core};
use rand::TryRng as _;
use rand::rngs::SysRng;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

const KEY: usize = 32;
/// 24 bytes: long enough to be random on any number of machines that share a key.
const NONCE: usize = 24;

/// What can be sealed. A value sealed for one purpose cannot be presented for another.
pub(crate) trait Sealable: Serialize + DeserializeOwned {
    /// Part of the associated data.
    const PURPOSE: &'static str;
}

/// Seals by XChaCha20-Poly1305 with the first key, and unseals with any.
///
/// The issuer is part of the associated data: another gateway's values are foreign even if it has the same key.
pub(crate) struct Seal {
    ciphers: Vec<XChaCha20Poly1305>,
    issuer: String,
}

/// The operating system has no randomness, or the value cannot be serialised.
#[derive(Debug)]
pub(crate) struct NotSealed;

impl Seal {
    /// Takes keys in base64, the newest first; without any it makes a random one.
    pub(crate) fn new(keys: &[String], issuer: &str) -> Result<Self, String> {
        let bytes_of = |key: &String| {
            let bytes = STANDARD.decode(key).map(Zeroizing::new).ok()?;
            <[u8; KEY]>::try_from(bytes.as_slice()).map(Zeroizing::new).ok()
        };
        let keys: Option<Vec<_>> = keys.iter().map(bytes_of).collect();
        let mut keys = keys.ok_or("a key is not 32 bytes in base64 (as by: openssl rand -base64 32)")?;
        if keys.is_empty() {
            keys.push(Zeroizing::new(random().map_err(|_| "the operating system has no randomness")?));
        }
        let ciphers = keys.iter().map(|key| XChaCha20Poly1305::new((&**key).into())).collect();
        Ok(Self { ciphers, issuer: issuer.to_owned() })
    }

    /// Returns base64url, which needs no encoding in a query or a cookie.
    pub(crate) fn seal<T: Sealable>(&self, value: &T) -> Result<String, NotSealed> {
        let cipher = self.ciphers.first().ok_or(NotSealed)?;
        let plain = serde_json::to_vec(value).map(Zeroizing::new).map_err(|_| NotSealed)?;
        let nonce = random::<NONCE>()?;
        let aad = self.associated_data::<T>();
        let payload = Payload { msg: &plain, aad: aad.as_bytes() };
        let sealed = cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| NotSealed)?;
        Ok(URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    /// Returns `None` if the value is not this gateway's, was changed, or was sealed for another purpose.
    pub(crate) fn unseal<T: Sealable>(&self, sealed: &str) -> Option<T> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE)?;
        let nonce = XNonce::from(<[u8; NONCE]>::try_from(nonce).ok()?);
        let aad = self.associated_data::<T>();
        let plain = self.ciphers.iter().find_map(|cipher| {
            let payload = Payload { msg: sealed, aad: aad.as_bytes() };
            cipher.decrypt(&nonce, payload).map(Zeroizing::new).ok()
        })?;
        serde_json::from_slice(&plain).ok()
    }

    fn associated_data<T: Sealable>(&self) -> String {
        format!("pkce-gateway 2 {} {}", T::PURPOSE, self.issuer)
    }
}

fn random<const N: usize>() -> Result<[u8; N], NotSealed> {
    let mut bytes = [0; N];
    SysRng.try_fill_bytes(&mut bytes).map_err(|_| NotSealed)?;
    Ok(bytes)
}

impl From<NotSealed> for Rejection {
    fn from(NotSealed: NotSealed) -> Self {
        pkce_core::Rejection::misconfigured("the operating system has no randomness").into()
    }
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

    fn seal(keys: &[u8]) -> Seal {
        let keys: Vec<String> = keys.iter().map(|of| STANDARD.encode([*of; KEY])).collect();
        Seal::new(&keys, "https://gateway.example").unwrap()
    }

    #[test]
    fn a_previous_key_unseals_and_the_first_seals() {
        let old = seal(&[1]).seal(&One("the secret".to_owned())).unwrap();
        assert!(!String::from_utf8_lossy(&URL_SAFE_NO_PAD.decode(&old).unwrap()).contains("secret"));
        assert_eq!(seal(&[2, 1]).unseal(&old), Some(One("the secret".to_owned())));
        assert!(seal(&[2]).unseal::<One>(&old).is_none());
        let new = seal(&[2, 1]).seal(&One("x".to_owned())).unwrap();
        assert!(seal(&[2]).unseal::<One>(&new).is_some() && seal(&[1]).unseal::<One>(&new).is_none());
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
        assert!(["", "A", &"A".repeat(1000)].iter().all(|junk| seal.unseal::<One>(junk).is_none()));
    }

    #[test]
    fn what_was_sealed_for_another_purpose_or_by_another_gateway_is_foreign() {
        let sealed = seal(&[1]).seal(&One("x".to_owned())).unwrap();
        assert!(seal(&[1]).unseal::<Other>(&sealed).is_none());
        let other = Seal::new(&[STANDARD.encode([1; KEY])], "https://other.example").unwrap();
        assert!(other.unseal::<One>(&sealed).is_none());
        assert!(Seal::new(&[], "https://gateway.example").unwrap().unseal::<One>(&sealed).is_none());
    }

    #[test]
    fn a_key_has_32_bytes() {
        for key in ["", "AAAA", &STANDARD.encode([0; 31]), &STANDARD.encode([0; 33]), "no base64!"] {
            assert!(Seal::new(&[key.to_owned()], "x").is_err(), "{key}");
        }
    }
}
