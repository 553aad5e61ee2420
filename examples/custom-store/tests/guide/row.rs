//! What a row says about an attempt: the same for every database.

use pkce_core::Timestamp;
use pkce_core::store::{Attempt, Binding, BindingParts, Proof, Redemption, StoreError, Ticket};

/// The columns that *redeem* returns, in their order.
pub(crate) struct Row {
    pub(crate) method: String,
    pub(crate) proof: Option<Vec<u8>>,
    pub(crate) grant_record: Option<Vec<u8>>,
    pub(crate) issued_at: i64,
    pub(crate) expires_at: i64,
    pub(crate) redeemed_by: Option<Vec<u8>>,
    pub(crate) redeemed_at: Option<i64>,
}

impl Row {
    pub(crate) fn redemption(self, attempt: &Attempt) -> Result<Redemption, StoreError> {
        let binding = Binding::from_parts(BindingParts {
            method: &self.method,
            proof: self.proof.as_deref(),
            grant: self.grant_record.map(Into::into),
            issued_at: timestamp(self.issued_at)?,
            expires_at: timestamp(self.expires_at)?,
        })
        .map_err(StoreError::invalid_record)?;
        let redeemed = match (self.redeemed_by, self.redeemed_at) {
            (None, None) => None,
            (Some(ticket), Some(at)) => {
                let ticket = ticket.try_into().map_err(|_| StoreError::invalid_record("a ticket has 16 bytes"))?;
                Some((Ticket::from_bytes(ticket), timestamp(at)?))
            }
            _ => return Err(StoreError::invalid_record("a ticket comes with its time")),
        };
        Ok(match redeemed {
            None => Redemption::Refused(binding),
            Some((ticket, _)) if ticket == attempt.ticket() => Redemption::First(binding),
            Some((ticket, at)) => Redemption::Again { binding, ticket, at },
        })
    }
}

fn timestamp(millis: i64) -> Result<Timestamp, StoreError> {
    u64::try_from(millis).map(Timestamp::from_epoch_millis).map_err(StoreError::invalid_record)
}

pub(crate) fn millis(time: Timestamp) -> i64 {
    time.as_epoch_millis().try_into().unwrap()
}

/// The proof of an attempt or a binding, as a value for a statement.
pub(crate) fn bytes(proof: Option<&Proof>) -> Option<&[u8]> {
    proof.map(|proof| &proof.as_bytes()[..])
}
