//! What is bound to an authorization code.

use std::fmt;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::method::CodeChallengeMethod;
use crate::proof::Proof;

/// The longest code lifetime: ten minutes (RFC 6749 §4.1.2).
pub(crate) const MAX_LIFETIME: Duration = Duration::from_secs(600);

/// How far the clocks of two servers that share a store may differ: a code that one of them has just bound is not
/// yet from the future for the other.
const CLOCK_SKEW: Duration = Duration::from_secs(5);

/// What is bound to an authorization code: the [`Proof`] and method of a challenge or, explicitly, *no challenge*; the
/// host's grant; when the code was issued and when it expires.
///
/// A store keeps every part and returns it unchanged. It parses what it reads back with [`Binding::from_parts`]: a record
/// with a part missing or malformed is an error, never a code without a challenge.
///
/// ```
/// use pkce_core::Timestamp;
/// use pkce_core::store::{Binding, BindingParts};
///
/// let stored = BindingParts {
///     method: "S256",
///     proof: Some(&[7; 32]),
///     grant: None,
///     issued_at: Timestamp::from_epoch_millis(1_000),
///     expires_at: Timestamp::from_epoch_millis(61_000),
/// };
/// assert_eq!(Binding::from_parts(stored.clone())?.method_str(), "S256");
///
/// // A column that lost its value does not switch PKCE off.
/// assert!(Binding::from_parts(BindingParts { proof: None, ..stored.clone() }).is_err());
/// assert!(Binding::from_parts(BindingParts { method: "", ..stored }).is_err());
/// # Ok::<(), pkce_core::store::InvalidBinding>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Binding {
    challenge: Option<(CodeChallengeMethod, Proof)>,
    grant: Option<Arc<[u8]>>,
    issued_at: Timestamp,
    expires_at: Timestamp,
}

/// The parts of a [`Binding`] as a store read them back. [`Binding::from_parts`] parses them.
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "a store constructs it, and must not forget a part")]
pub struct BindingParts<'a> {
    /// What [`Binding::method_str`] returned: `S256`, `plain` or `none`.
    pub method: &'a str,
    /// What [`Binding::proof`] returned: 32 bytes, absent if and only if the method is `none`.
    pub proof: Option<&'a [u8]>,
    /// What [`Binding::grant`] returned, byte for byte.
    pub grant: Option<Arc<[u8]>>,
    /// When the code was bound.
    pub issued_at: Timestamp,
    /// When the code expires: 1 ms to 10 min after `issued_at`.
    pub expires_at: Timestamp,
}

/// Shows neither proof nor grant.
impl fmt::Debug for BindingParts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BindingParts")
            .field("method", &self.method)
            .field("issued_at", &self.issued_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl Binding {
    /// What [`Binding::method_str`] returns for a code that is bound to no challenge.
    pub const NO_CHALLENGE: &'static str = "none";

    /// Parses what a store read back.
    ///
    /// # Errors
    ///
    /// When a part is not as [`BindingParts`] describes it. A store reports it as
    /// [`StoreError::invalid_record`](super::StoreError::invalid_record).
    pub fn from_parts(parts: BindingParts<'_>) -> Result<Self, InvalidBinding> {
        let BindingParts { method, proof, grant, issued_at, expires_at } = parts;
        let challenge = match (method, proof) {
            (Self::NO_CHALLENGE, None) => None,
            (Self::NO_CHALLENGE, Some(_)) => return Err(InvalidBinding::Proof),
            (method, proof) => {
                let method = CodeChallengeMethod::from_str(method).map_err(|_| InvalidBinding::Method)?;
                let bytes = proof.and_then(|bytes| bytes.try_into().ok()).ok_or(InvalidBinding::Proof)?;
                Some((method, Proof::from_bytes(bytes)))
            }
        };
        let lifetime = expires_at.saturating_since(issued_at);
        if lifetime.is_zero() || lifetime > MAX_LIFETIME {
            return Err(InvalidBinding::Lifetime);
        }
        Ok(Self { challenge, grant, issued_at, expires_at })
    }

    /// From parts that are known to be right.
    pub(crate) fn new(
        challenge: Option<(CodeChallengeMethod, Proof)>,
        grant: Option<Arc<[u8]>>,
        issued_at: Timestamp,
        lifetime: Duration,
    ) -> Self {
        Self { challenge, grant, issued_at, expires_at: issued_at.saturating_add(lifetime) }
    }

    /// Returns the method of the challenge, or `None` if the code is bound to no challenge.
    pub const fn method(&self) -> Option<CodeChallengeMethod> {
        match self.challenge {
            Some((method, _)) => Some(method),
            None => None,
        }
    }

    /// Returns the method for a store to write: `S256`, `plain` or `none`. Absence is written, never left out.
    pub const fn method_str(&self) -> &'static str {
        match self.challenge {
            Some((method, _)) => method.as_str(),
            None => Self::NO_CHALLENGE,
        }
    }

    /// Returns the expected proof, or `None` if the code is bound to no challenge: the SHA-256 of the verifier, or a
    /// digest of it and of the client and the redirect URI if the code is bound to them too.
    pub const fn proof(&self) -> Option<&Proof> {
        match &self.challenge {
            Some((_, proof)) => Some(proof),
            None => None,
        }
    }

    /// Returns the host's serialised grant: any bytes, of any length.
    pub const fn grant(&self) -> Option<&Arc<[u8]>> {
        self.grant.as_ref()
    }

    /// Returns when the code was bound.
    pub const fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    /// Returns when the code expires. Exclusive: at this moment the code is expired.
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Returns the time from [`Binding::issued_at`] to [`Binding::expires_at`]: 1 ms to 10 min.
    pub const fn lifetime(&self) -> Duration {
        self.expires_at.saturating_since(self.issued_at)
    }

    /// Returns whether the code is expired at `now`.
    ///
    /// A binding that was issued in the future is expired too: the clock ran backwards. Tolerates clock skew of up to
    /// five seconds between servers.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires_at || self.issued_at.saturating_since(now) > CLOCK_SKEW
    }
}

/// Shows neither proof nor grant.
impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Binding")
            .field("method", &self.method_str())
            .field("grant", &self.grant.as_ref().map(|grant| grant.len()))
            .field("issued_at", &self.issued_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// A stored record is not a valid [`Binding`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidBinding {
    /// The method is not `S256`, `plain` or `none`.
    Method,
    /// The proof is missing, is not 32 bytes, or accompanies the method `none`.
    Proof,
    /// It expires before it was issued, or more than ten minutes after.
    Lifetime,
}

impl fmt::Display for InvalidBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Method => "the recorded method is not S256, plain or none",
            Self::Proof => "the recorded proof does not match the method",
            Self::Lifetime => "the recorded lifetime is not 1 ms to 10 min",
        })
    }
}

impl std::error::Error for InvalidBinding {}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_epoch_millis(millis)
    }

    #[test]
    fn a_record_with_a_part_missing_or_odd_is_an_error() {
        let proof = [7_u8; 32];
        for (method, proof, from, until, error) in [
            ("S256", None, 1, 2, InvalidBinding::Proof),
            ("S256", Some(&proof[..31]), 1, 2, InvalidBinding::Proof),
            ("none", Some(&proof[..]), 1, 2, InvalidBinding::Proof),
            ("", None, 1, 2, InvalidBinding::Method),
            ("s256", Some(&proof[..]), 1, 2, InvalidBinding::Method),
            ("S256", Some(&proof[..]), 2, 2, InvalidBinding::Lifetime),
            ("S256", Some(&proof[..]), 3, 2, InvalidBinding::Lifetime),
            ("S256", Some(&proof[..]), 0, 600_001, InvalidBinding::Lifetime),
        ] {
            let parts = BindingParts { method, proof, grant: None, issued_at: at(from), expires_at: at(until) };
            assert_eq!(Binding::from_parts(parts), Err(error));
        }
    }

    #[test]
    fn expiry_is_exclusive_and_a_record_from_the_future_is_expired() {
        let binding = Binding::new(None, None, at(100_000), Duration::from_secs(60));
        for (now, expired) in
            [(94_999, true), (95_000, false), (100_000, false), (159_999, false), (160_000, true), (u64::MAX, true)]
        {
            assert_eq!(binding.is_expired(at(now)), expired, "at {now}");
        }
    }

    #[test]
    fn debug_shows_neither_proof_nor_grant() {
        let (method, proof, grant) = ("S256", Some(&[7; 32][..]), Some(b"alice"[..].into()));
        let parts = BindingParts { method, proof, grant, issued_at: at(1), expires_at: at(2) };
        let binding = Binding::from_parts(parts).unwrap();
        assert_eq!(
            format!("{binding:?}"),
            "Binding { method: \"S256\", grant: Some(5), issued_at: Timestamp(1), expires_at: Timestamp(2), .. }"
        );
    }
}
