//! One record: a code's binding and what became of it, in as few bytes as it takes.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::code_digest::CodeDigest;
use crate::memory::room::Weight;
use crate::method::CodeChallengeMethod;
use crate::proof::Proof;
use crate::store::{Binding, Ticket};

/// No place: the end of a list.
pub(super) const NOWHERE: u32 = u32::MAX;

/// What the documentation promises of a full store rests on this size.
const _: () = assert!(size_of::<Record>() <= 112);

/// A binding, taken apart so that it packs well; and the redemption, if there was one.
///
/// The grant is a thin pointer: most records have none, and an `Option<Arc<[u8]>>` is two words in each of them.
#[derive(Clone)]
pub(super) struct Record {
    code: CodeDigest,
    /// All zero, and meaningless, if the method is `none`.
    proof: Proof,
    /// Meaningless, like `redeemed_at`, unless `state` says redeemed.
    ticket: Ticket,
    redeemed_at: Timestamp,
    issued_at: Timestamp,
    grant: Option<Box<Arc<[u8]>>>,
    state: State,
    /// The next record of the list that this one is in: of its tick, or of the free places of its chunk.
    pub(super) next: u32,
}

impl Record {
    pub(super) fn new(code: CodeDigest, binding: &Binding) -> Self {
        Self {
            code,
            proof: binding.proof().copied().unwrap_or(Proof::from_bytes([0; 32])),
            ticket: Ticket::BURNED,
            redeemed_at: Timestamp::from_epoch_millis(0),
            issued_at: binding.issued_at(),
            grant: binding.grant().map(|grant| Box::new(Arc::clone(grant))),
            state: State::new(binding),
            next: NOWHERE,
        }
    }

    pub(super) fn binding(&self) -> Binding {
        let challenge = self.state.method().map(|method| (method, self.proof));
        Binding::new(challenge, self.grant.as_deref().cloned(), self.issued_at, self.state.lifetime())
    }

    #[inline]
    pub(super) const fn code(&self) -> &CodeDigest {
        &self.code
    }

    /// Whether the bound proof is the presented one, or none is bound and none presented.
    pub(super) fn is_bound_to(&self, presented: Option<&Proof>) -> bool {
        match presented {
            Some(proof) => self.state.method().is_some() && self.proof == *proof,
            None => self.state.method().is_none(),
        }
    }

    /// By whom and when it was redeemed, if it is.
    pub(super) fn redemption(&self) -> Option<(Ticket, Timestamp)> {
        self.state.is_redeemed().then_some((self.ticket, self.redeemed_at))
    }

    pub(super) fn redeem(&mut self, ticket: Ticket, at: Timestamp) {
        (self.ticket, self.redeemed_at) = (ticket, at);
        self.state.set_redeemed(true);
    }

    pub(super) fn restore(&mut self) {
        self.state.set_redeemed(false);
    }

    /// When it may be forgotten.
    #[inline]
    pub(super) fn expires_at(&self) -> Timestamp {
        self.issued_at.saturating_add(self.state.lifetime())
    }

    /// Deliberately not [`Binding::is_expired`], which also calls a record from the future expired: if the clock was set
    /// back, that record comes alive again, so it may not be forgotten nor written over.
    #[inline]
    pub(super) fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires_at()
    }

    pub(super) fn weight(&self) -> Weight {
        Weight { codes: 1, grant_bytes: self.grant.as_ref().map_or(0, |grant| grant.len()) }
    }

    /// Gives the grant back early: a free place keeps its record until it is written again.
    pub(super) fn drop_grant(&mut self) {
        self.grant = None;
    }
}

/// Method, redeemed or not, and lifetime in one word: bits 0–1, bit 2, and milliseconds from bit 3.
#[derive(Clone, Copy)]
struct State(u32);

impl State {
    const METHOD: u32 = 0b011;
    const REDEEMED: u32 = 0b100;
    const LIFETIME_SHIFT: u32 = 3;

    fn new(binding: &Binding) -> Self {
        let method = match binding.method() {
            None => 0,
            Some(CodeChallengeMethod::S256) => 1,
            Some(CodeChallengeMethod::Plain) => 2,
        };
        // At most 600 000, 20 bits: a binding with a longer life does not exist.
        let lifetime = u32::try_from(binding.lifetime().as_millis()).unwrap_or(u32::MAX);
        Self(lifetime << Self::LIFETIME_SHIFT | method)
    }

    const fn method(self) -> Option<CodeChallengeMethod> {
        match self.0 & Self::METHOD {
            0 => None,
            1 => Some(CodeChallengeMethod::S256),
            _ => Some(CodeChallengeMethod::Plain),
        }
    }

    fn lifetime(self) -> Duration {
        Duration::from_millis(u64::from(self.0 >> Self::LIFETIME_SHIFT))
    }

    const fn is_redeemed(self) -> bool {
        self.0 & Self::REDEEMED != 0
    }

    const fn set_redeemed(&mut self, redeemed: bool) {
        self.0 = if redeemed { self.0 | Self::REDEEMED } else { self.0 & !Self::REDEEMED };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::BindingParts;

    #[test]
    fn every_binding_comes_back_byte_for_byte() {
        for (method, proof) in [("S256", Some(&[7_u8; 32][..])), ("plain", Some(&[0; 32][..])), ("none", None)] {
            for grant in [None, Some(Arc::from(&b""[..])), Some(Arc::from(&b"alice"[..]))] {
                for (from, lifetime) in [(0, 1), (1_700_000_000_123, 600_000), (u64::MAX - 60_000, 60_000)] {
                    let (from, until) =
                        (Timestamp::from_epoch_millis(from), Timestamp::from_epoch_millis(from + lifetime));
                    let parts =
                        BindingParts { method, proof, grant: grant.clone(), issued_at: from, expires_at: until };
                    let binding = Binding::from_parts(parts).unwrap();
                    let mut record = Record::new(CodeDigest::from_bytes([1; 32]), &binding);
                    assert_eq!(record.binding(), binding);
                    assert_eq!(record.redemption(), None);
                    record.redeem(Ticket::from_bytes([9; 16]), until);
                    assert_eq!(record.binding(), binding);
                    assert_eq!(record.redemption(), Some((Ticket::from_bytes([9; 16]), until)));
                }
            }
        }
    }
}
