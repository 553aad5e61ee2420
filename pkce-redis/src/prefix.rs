//! The prefix of every key.

use std::fmt;

use pkce_core::store::CodeDigest;

const LONGEST: usize = 64;

/// The beginning of every key of a store.
#[derive(Debug, Clone)]
pub(crate) struct Prefix(String);

impl Prefix {
    pub(crate) fn parse(prefix: String) -> Result<Self, InvalidPrefix> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:/".contains(&byte);
        let is_valid = (1..=LONGEST).contains(&prefix.len()) && prefix.bytes().all(allowed);
        if is_valid { Ok(Self(prefix)) } else { Err(InvalidPrefix) }
    }

    /// The prefix and the 64 hexadecimal digits of the digest, as `sha256sum` prints it for the code.
    ///
    /// The digest has one length, so stores with different prefixes never share a key, even if one prefix begins
    /// with the other.
    pub(crate) fn key(&self, code: &CodeDigest) -> String {
        let mut key = String::with_capacity(self.0.len() + 64);
        key.push_str(&self.0);
        for byte in code.as_bytes() {
            for digit in [byte >> 4, byte & 0xf] {
                key.extend(char::from_digit(digit.into(), 16));
            }
        }
        key
    }
}

impl Default for Prefix {
    fn default() -> Self {
        Self("pkce:".to_owned())
    }
}

/// The error for a key prefix that is not 1 to 64 ASCII letters, digits and `-._:/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidPrefix;

impl fmt::Display for InvalidPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the prefix is not 1 to 64 ASCII letters, digits and -._:/")
    }
}

impl std::error::Error for InvalidPrefix {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_prefix_and_the_sha_256_of_the_code() {
        let key = Prefix::default().key(&CodeDigest::of(b"abc"));
        assert_eq!(key, "pkce:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn a_prefix_with_a_hash_tag_or_a_pattern_is_rejected() {
        let longest = "p".repeat(LONGEST);
        for valid in ["p", "pkce:", "auth.example/v1_codes-", &longest] {
            assert!(Prefix::parse(valid.to_owned()).is_ok(), "{valid}");
        }
        let too_long = "p".repeat(LONGEST + 1);
        for invalid in ["", "{pkce}:", "pkce*", "p?", "[p]", "p p", "p\n", "p\0", "prüf:", &too_long] {
            assert_eq!(Prefix::parse(invalid.to_owned()).map(|_| ()), Err(InvalidPrefix), "{invalid}");
        }
        assert_eq!(InvalidPrefix.to_string(), "the prefix is not 1 to 64 ASCII letters, digits and -._:/");
    }
}
