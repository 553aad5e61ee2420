//! What becomes of a redeemed code once the host has responded.

use crate::code_digest::CodeDigest;
use crate::store::Ticket;

/// Whether a redeemed code stays redeemed. In the extensions of the host's response it overrides the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Settle {
    /// The code stays redeemed.
    Keep,
    /// The code can be redeemed again, until it expires.
    Restore,
}

impl Settle {
    /// Returns what the status of the host's response means for the code.
    ///
    /// * 400, 401, 403, 413, 415, 422, 429: a clear refusal. The code is restored, so that the client can try again, as
    ///   `use_dpop_nonce` needs (RFC 9449 §8).
    /// * Everything else (2xx, 3xx, 408, 409, 499, 5xx): the code was used, or nobody knows. It stays redeemed
    ///   (RFC 6749 §4.1.2).
    pub const fn by_status(status: u16) -> Self {
        match status {
            400 | 401 | 403 | 413 | 415 | 422 | 429 => Self::Restore,
            _ => Self::Keep,
        }
    }
}

/// The hold on a redeemed code while the host runs. [`Pkce::settle`](crate::Pkce::settle) ends it.
///
/// Dropped, the code stays redeemed: after a panic, a disconnect or a time-out nobody knows what the host has done.
/// A request that redeemed nothing has an empty one.
#[derive(Debug)]
#[must_use = "a reservation that is not settled leaves its code redeemed"]
pub struct Reservation(Option<(CodeDigest, Ticket)>);

impl Reservation {
    /// Of a request that redeemed nothing.
    pub(crate) const NOTHING: Self = Self(None);

    pub(crate) const fn of(code: CodeDigest, ticket: Ticket) -> Self {
        Self(Some((code, ticket)))
    }

    pub(crate) const fn held(&self) -> Option<(CodeDigest, Ticket)> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_refusal_restores() {
        for status in 100..=599 {
            let refusal = [400, 401, 403, 413, 415, 422, 429].contains(&status);
            assert_eq!(Settle::by_status(status) == Settle::Restore, refusal, "status {status}");
        }
    }
}
