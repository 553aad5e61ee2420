//! The key under which digests are spread over shards and buckets.

use std::hash::{BuildHasher as _, RandomState};

use crate::code_digest::CodeDigest;

/// A random key for each store.
///
/// The SHA-256 of a random code needs no hashing. But a host may choose its codes otherwise, and a digest can be built
/// from any 32 bytes. Keyed multiplication costs a few nanoseconds, and nobody can fill one bucket on purpose.
pub(super) struct HashKey([u64; 4]);

impl HashKey {
    /// From the standard library's source of hash keys, which cannot fail.
    pub(super) fn random() -> Self {
        let random = RandomState::new();
        Self(std::array::from_fn(|word| random.hash_one(word) | 1))
    }

    #[inline]
    pub(super) fn hash(&self, code: &CodeDigest) -> u64 {
        let (words, _) = code.as_bytes().as_chunks();
        words.iter().zip(&self.0).fold(0, |hash, (word, key)| fold(hash ^ u64::from_le_bytes(*word), *key))
    }
}

/// The high half of the product XOR the low one, so that every bit of the factors reaches every part of the hash.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "it is cut in two halves")]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}
