//! Stores around a store: one that makes the stored proof secret, and one with a fault.

use async_trait::async_trait;
use pkce_core::store::{
    Attempt, Binding, BindingParts, ChallengeStore, CodeDigest, Inserted, Redemption, StoreError, Ticket,
};

use crate::secret;

/// Makes every proof undefined before it is stored.
pub(crate) struct Secretive<S>(pub(crate) S);

#[async_trait]
impl<S: ChallengeStore> ChallengeStore for Secretive<S> {
    async fn insert(&self, code: &CodeDigest, binding: &Binding) -> Result<Inserted, StoreError> {
        let proof = binding.proof().map(|proof| proof.as_bytes().to_vec());
        if let Some(proof) = &proof {
            secret::mark(proof);
        }
        let secretive = Binding::from_parts(BindingParts {
            method: binding.method_str(),
            proof: proof.as_deref(),
            grant: binding.grant().cloned(),
            issued_at: binding.issued_at(),
            expires_at: binding.expires_at(),
        });
        self.0.insert(code, &secretive.map_err(StoreError::invalid_record)?).await
    }

    async fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Result<Redemption, StoreError> {
        self.0.redeem(code, attempt).await
    }

    async fn restore(&self, code: &CodeDigest, ticket: Ticket) -> Result<(), StoreError> {
        self.0.restore(code, ticket).await
    }
}

/// Compares the bytes of two proofs by `==`, which ends at the first difference.
pub(crate) struct Careless<S>(pub(crate) S);

#[async_trait]
impl<S: ChallengeStore> ChallengeStore for Careless<S> {
    async fn insert(&self, code: &CodeDigest, binding: &Binding) -> Result<Inserted, StoreError> {
        self.0.insert(code, binding).await
    }

    async fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Result<Redemption, StoreError> {
        let found = self.0.redeem(code, attempt).await?;
        let (Redemption::First(binding) | Redemption::Refused(binding)) = &found else { return Ok(found) };
        let bytes = |proof: Option<&pkce_core::store::Proof>| proof.map(|proof| proof.as_bytes().to_vec());
        if bytes(binding.proof()) == bytes(attempt.proof()) { Ok(found) } else { Ok(Redemption::Unknown) }
    }

    async fn restore(&self, code: &CodeDigest, ticket: Ticket) -> Result<(), StoreError> {
        self.0.restore(code, ticket).await
    }
}
