//! The challenge store: three methods, each one atomic conditional write.

use std::sync::Arc;

use async_trait::async_trait;

use super::attempt::{Attempt, Ticket};
use super::binding::Binding;
use super::error::StoreError;
use crate::clock::Timestamp;
use crate::code_digest::CodeDigest;

/// Where bindings wait between the issue of a code and its redemption.
///
/// Each method is a compare-and-set on one key and must be *one atomic step* however many servers call it: one
/// statement, one script, one conditional write. There is no `get`, `update` or `delete` to race with. None has a
/// default body. When in doubt a store returns an error, and the request is rejected.
///
/// * A record may be forgotten once it is expired, and never before, redeemed or not: a replay must be recognised.
/// * Every part of a [`Binding`] comes back byte for byte.
/// * A call that is cancelled or times out may or may not have happened; nothing else may have.
///
/// The `contract` module (feature `contract`) checks this against your store, as far as calls and their results show it. Its
/// documentation lists what it cannot see.
#[async_trait]
pub trait ChallengeStore: Send + Sync + 'static {
    /// Records `binding` for this code, unless a live record exists: it never overwrites one.
    ///
    /// If the existing record has expired, or is identical to `binding`, the store may return either result.
    ///
    /// # Errors
    ///
    /// When the record may not have been written. A full store is an error; it never makes room by dropping a live code.
    async fn insert(&self, code: &CodeDigest, binding: &Binding) -> Result<Inserted, StoreError>;

    /// In one atomic step: if the code is live and not redeemed and bound to `attempt.proof()` (or bound to nothing
    /// while nothing is presented), marks it redeemed by `attempt.ticket()` at `attempt.at()`. Otherwise changes
    /// nothing. Returns what it found. A ticket is used for one proof only.
    ///
    /// # Errors
    ///
    /// When it is not known what was found, or the record is not one that this store writes.
    async fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Result<Redemption, StoreError>;

    /// Makes a code redeemable again if, and only if, it is redeemed by this ticket. It never revives a vanished
    /// record and never extends its lifetime. If there is nothing to restore, it returns `Ok`.
    ///
    /// # Errors
    ///
    /// When the code may not have been restored.
    async fn restore(&self, code: &CodeDigest, ticket: Ticket) -> Result<(), StoreError>;
}

#[async_trait]
impl<S: ChallengeStore + ?Sized> ChallengeStore for Arc<S> {
    async fn insert(&self, code: &CodeDigest, binding: &Binding) -> Result<Inserted, StoreError> {
        (**self).insert(code, binding).await
    }

    async fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Result<Redemption, StoreError> {
        (**self).redeem(code, attempt).await
    }

    async fn restore(&self, code: &CodeDigest, ticket: Ticket) -> Result<(), StoreError> {
        (**self).restore(code, ticket).await
    }
}

/// What [`ChallengeStore::insert`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a binding that was not recorded protects nothing"]
#[expect(clippy::exhaustive_enums, reason = "a conditional write either writes or it does not")]
pub enum Inserted {
    /// The binding is recorded.
    Recorded,
    /// A live record for this code exists and was left as it is.
    Occupied,
}

/// What [`ChallengeStore::redeem`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a redemption that nobody looks at is a code served to everyone"]
#[expect(clippy::exhaustive_enums, reason = "stores construct it and the core must judge every case")]
pub enum Redemption {
    /// Marked redeemed now, or earlier by this very ticket (the call was sent twice).
    First(Binding),
    /// Live and not redeemed, but the proof differs, or only one side has one. Nothing was changed.
    Refused(Binding),
    /// Redeemed before, by another ticket. Nothing was changed.
    Again {
        /// What the code was bound to.
        binding: Binding,
        /// The ticket that redeemed it.
        ticket: Ticket,
        /// When: the [`Attempt::at`] of that redemption.
        at: Timestamp,
    },
    /// No record: never bound, or expired and forgotten.
    Unknown,
}

impl Redemption {
    pub(crate) const fn binding(&self) -> Option<&Binding> {
        match self {
            Self::First(binding) | Self::Refused(binding) | Self::Again { binding, .. } => Some(binding),
            Self::Unknown => None,
        }
    }
}
