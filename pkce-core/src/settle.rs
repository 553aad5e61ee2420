//! What becomes of a redeemed code once the host has answered.

use crate::attempt::Ticket;
use crate::code_digest::CodeDigest;

/// What becomes of a redeemed code. Put into the extensions of the host's response it overrules the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Settle {
    /// It stays redeemed.
    Keep,
    /// It can be redeemed again, until it expires.
    Restore,
}

impl Settle {
    /// What the host's status says.
    ///
    /// * 400, 401, 403, 415, 422, 429: a clear refusal, so the code is restored and the client can try again, as
    ///   `use_dpop_nonce` needs (RFC 9449 §8).
    /// * Everything else (2xx, 3xx, 408, 409, 499, 5xx): it was used, or nobody knows; the code stays redeemed
    ///   (RFC 6749 §4.1.2).
    pub const fn by_status(status: u16) -> Self {
        match status {
            400 | 401 | 403 | 415 | 422 | 429 => Self::Restore,
            _ => Self::Keep,
        }
    }
}

/// The hold on a redeemed code while the host runs. [`Pkce::settle`](crate::Pkce::settle) ends it; dropped, the code
/// stays redeemed: after a panic, a disconnect or a time-out nobody knows what the host has done.
#[derive(Debug)]
#[must_use = "a reservation that is not settled leaves its code redeemed"]
pub struct Reservation {
    held: Option<(CodeDigest, Ticket)>,
}

impl Reservation {
    pub(crate) const fn of(code: CodeDigest, ticket: Ticket) -> Self {
        Self { held: Some((code, ticket)) }
    }

    /// Of a request that redeemed nothing.
    pub(crate) const fn nothing() -> Self {
        Self { held: None }
    }

    pub(crate) const fn held(&self) -> Option<(CodeDigest, Ticket)> {
        self.held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_refusal_restores() {
        for status in 100..=599 {
            let refusal = [400, 401, 403, 415, 422, 429].contains(&status);
            assert_eq!(Settle::by_status(status) == Settle::Restore, refusal, "status {status}");
        }
    }
}
