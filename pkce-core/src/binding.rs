//! What is bound to an authorization code.

use std::fmt;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use crate::challenge::CodeChallenge;
use crate::clock::Timestamp;
use crate::method::CodeChallengeMethod;
use crate::proof::Proof;

/// The longest life of a code: ten minutes (RFC 6749 §4.1.2).
pub(crate) const MAX_LIFETIME: Duration = Duration::from_secs(600);

/// How far the clocks of two servers that share a store may differ before a code just bound by one
/// looks to the other like a record from the future.
const CLOCK_SKEW: Duration = Duration::from_secs(5);

/// What is bound to a code: a challenge's [`Proof`] and method or, explicitly, *no challenge*; the host's grant; and
/// from when until when it can be redeemed.
///
/// A store keeps every part and gives it back unchanged. What it reads is parsed by [`Binding::from_parts`]: a record
/// with a part missing or tampered with is an error, never a code without a challenge.
///
/// ```
/// use pkce_core::{Binding, Timestamp};
///
/// let (from, until) = (Timestamp::from_epoch_millis(1_000), Timestamp::from_epoch_millis(61_000));
/// let binding = Binding::from_parts("S256", Some(&[7; 32]), None, from, until)?;
/// assert_eq!(binding.method_str(), "S256");
///
/// // A column that lost its value does not switch PKCE off.
/// assert!(Binding::from_parts("S256", None, None, from, until).is_err());
/// assert!(Binding::from_parts("", None, None, from, until).is_err());
/// # Ok::<(), pkce_core::InvalidBinding>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Binding {
    challenge: Option<(CodeChallengeMethod, Proof)>,
    grant: Option<Arc<[u8]>>,
    issued_at: Timestamp,
    expires_at: Timestamp,
}

impl Binding {
    /// What [`Binding::method_str`] says of a code that is bound to no challenge.
    pub const NO_CHALLENGE: &'static str = "none";

    /// Parses what a store read back.
    ///
    /// * `method` is what [`Binding::method_str`] gave: `S256`, `plain` or `none`.
    /// * `proof` is what [`Binding::proof`] gave: 32 octets, absent if and only if the method is `none`.
    /// * `grant` is what [`Binding::grant`] gave, octet for octet.
    /// * `issued_at` and `expires_at` are whole milliseconds, at most ten minutes apart.
    ///
    /// # Errors
    ///
    /// When a part is not as described; a store reports it as [`StoreError::invalid_record`](crate::StoreError::invalid_record).
    pub fn from_parts(
        method: &str,
        proof: Option<&[u8]>,
        grant: Option<Arc<[u8]>>,
        issued_at: Timestamp,
        expires_at: Timestamp,
    ) -> Result<Self, InvalidBinding> {
        let challenge = match (method, proof) {
            (Self::NO_CHALLENGE, None) => None,
            (Self::NO_CHALLENGE, Some(_)) => return Err(InvalidBinding::Proof),
            (method, proof) => {
                let method = CodeChallengeMethod::from_str(method).map_err(|_| InvalidBinding::Method)?;
                let octets = proof.and_then(|octets| octets.try_into().ok()).ok_or(InvalidBinding::Proof)?;
                Some((method, Proof::from_bytes(octets)))
            }
        };
        Self { challenge, grant, issued_at, expires_at }.checked()
    }

    pub(crate) fn new(
        challenge: Option<&CodeChallenge>,
        grant: Option<Arc<[u8]>>,
        issued_at: Timestamp,
        lifetime: Duration,
    ) -> Result<Self, InvalidBinding> {
        Self {
            challenge: challenge.map(|challenge| (challenge.method(), *challenge.proof())),
            grant,
            issued_at,
            expires_at: issued_at.saturating_add(lifetime),
        }
        .checked()
    }

    fn checked(self) -> Result<Self, InvalidBinding> {
        let lifetime = self.lifetime();
        if lifetime.is_zero() || lifetime > MAX_LIFETIME { Err(InvalidBinding::Lifetime) } else { Ok(self) }
    }

    /// The method of the challenge; `None` if the code is bound to no challenge.
    pub const fn method(&self) -> Option<CodeChallengeMethod> {
        match self.challenge {
            Some((method, _)) => Some(method),
            None => None,
        }
    }

    /// `S256`, `plain` or `none`: the method for a store to write down. Absence is written, never left out.
    pub const fn method_str(&self) -> &'static str {
        match self.challenge {
            Some((method, _)) => method.as_str(),
            None => Self::NO_CHALLENGE,
        }
    }

    /// The SHA-256 of the verifier that is expected; `None` if the code is bound to no challenge.
    pub const fn proof(&self) -> Option<&Proof> {
        match &self.challenge {
            Some((_, proof)) => Some(proof),
            None => None,
        }
    }

    /// The host's own record of what was granted, as it was serialised: any octets, of any length.
    pub const fn grant(&self) -> Option<&Arc<[u8]>> {
        self.grant.as_ref()
    }

    /// When the code was bound.
    pub const fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    /// When the code can no longer be redeemed (exclusive: at this moment it is expired).
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// From [`Binding::issued_at`] to [`Binding::expires_at`]: one millisecond to ten minutes.
    pub const fn lifetime(&self) -> Duration {
        self.expires_at.saturating_since(self.issued_at)
    }

    /// Whether it is past its life, or claims more life than it was given because the clock ran backwards.
    /// Five seconds of difference between the clocks of several servers are borne with.
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

/// A record that no binding can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidBinding {
    /// The method is not `S256`, `plain` or `none`.
    Method,
    /// The proof is missing, is not 32 octets, or stands beside the method `none`.
    Proof,
    /// It expires before it was issued, or more than ten minutes after.
    Lifetime,
}

impl fmt::Display for InvalidBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Method => "the recorded method is not S256, plain or none",
            Self::Proof => "the recorded proof does not fit the method",
            Self::Lifetime => "the recorded lifetime is not one millisecond to ten minutes",
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
            assert_eq!(Binding::from_parts(method, proof, None, at(from), at(until)), Err(error));
        }
    }

    #[test]
    fn expiry_is_exclusive_and_a_record_from_the_future_is_expired() {
        let binding = Binding::from_parts("none", None, None, at(100_000), at(160_000)).unwrap();
        for (now, expired) in
            [(94_999, true), (95_000, false), (100_000, false), (159_999, false), (160_000, true), (u64::MAX, true)]
        {
            assert_eq!(binding.is_expired(at(now)), expired, "at {now}");
        }
    }

    #[test]
    fn debug_shows_neither_proof_nor_grant() {
        let binding = Binding::from_parts("S256", Some(&[7; 32]), Some(b"alice"[..].into()), at(1), at(2)).unwrap();
        assert_eq!(
            format!("{binding:?}"),
            "Binding { method: \"S256\", grant: Some(5), issued_at: Timestamp(1), expires_at: Timestamp(2), .. }"
        );
    }
}
