//! One attempt to redeem a code, and the ticket that tells it from all others.

use std::fmt;

use crate::clock::Timestamp;
use crate::proof::Proof;
use crate::random::{self, RandomError};

/// A number of 128 bits that tells one attempt to redeem from every other.
///
/// A store keeps it with the code that it marks. So a `redeem` that is sent twice is the same redemption, and
/// [`restore`](super::ChallengeStore::restore) acts only on the redemption that it belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket([u8; 16]);

impl Ticket {
    /// The reserved ticket, all zero: redeemed by nobody, because a wrong verifier came under
    /// [`Policy::burn_on_mismatch`](crate::Policy::burn_on_mismatch).
    pub const BURNED: Self = Self([0; 16]);

    /// Generates a ticket from the operating system's random number generator.
    ///
    /// # Errors
    ///
    /// When the operating system yields no randomness.
    pub fn generate() -> Result<Self, RandomError> {
        Ok(Self(*random::bytes()?))
    }

    /// Creates a ticket from what a store read back.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the 16 bytes, for a store to keep and to compare.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::BURNED { "Ticket(BURNED)" } else { "Ticket(..)" })
    }
}

/// An attempt to redeem a code: what was presented, under which ticket, and when.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    proof: Option<Proof>,
    ticket: Ticket,
    at: Timestamp,
}

impl Attempt {
    /// Creates an attempt with the proof of the presented verifier, or with none.
    pub const fn new(proof: Option<Proof>, ticket: Ticket, at: Timestamp) -> Self {
        Self { proof, ticket, at }
    }

    /// Returns the SHA-256 of the presented verifier, or `None` if none was presented.
    pub const fn proof(&self) -> Option<&Proof> {
        self.proof.as_ref()
    }

    /// Returns the ticket to store with the code if this attempt redeems it.
    pub const fn ticket(&self) -> Ticket {
        self.ticket
    }

    /// Returns when it was made, by the clock of the server: what [`Redemption::Again`](super::Redemption::Again) reports
    /// later.
    pub const fn at(&self) -> Timestamp {
        self.at
    }
}
