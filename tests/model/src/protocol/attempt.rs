//! What an attempt to redeem the code presents: its proof, and the ticket that tells it from every other attempt.

use std::fmt;

/// The proof that a command presents, or that a record is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Proof {
    /// None.
    None,
    /// That of the verifier.
    Right,
    /// That of another verifier.
    Wrong,
    /// That of the verifier, for a code that is bound to a client.
    SealedRight,
    /// That of another verifier, for a code that is bound to a client.
    SealedWrong,
    /// That of the verifier, for a code that is bound to another client.
    SealedOther,
}

impl Proof {
    pub(super) const fn sealed(self) -> Self {
        match self {
            Self::Right | Self::SealedOther => Self::SealedRight,
            Self::Wrong => Self::SealedWrong,
            other => other,
        }
    }

    /// For a code that is bound to no client.
    pub(super) const fn bare(self) -> Self {
        match self {
            Self::SealedRight | Self::SealedOther => Self::Right,
            Self::SealedWrong => Self::Wrong,
            other => other,
        }
    }
}

/// Tells one attempt from every other: the request, and whether it is its first or its second.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(u8);

impl Ticket {
    /// The reserved one.
    pub const BURNED: Self = Self(u8::MAX);

    pub(super) const fn of(request: usize, second: bool) -> Self {
        Self(request as u8 * 2 + second as u8)
    }

    /// The request that it belongs to, unless it is the reserved one.
    pub fn request(self) -> Option<usize> {
        (self != Self::BURNED).then_some(usize::from(self.0 / 2))
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.request() {
            Some(request) => write!(f, "{request}{}", if self.0.is_multiple_of(2) { 'a' } else { 'b' }),
            None => f.write_str("BURNED"),
        }
    }
}
