//! What a memory store could have been made of.

use std::time::Duration;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use moka::ops::compute::Op;
use moka::sync::Cache;
use pkce_core::store::{Attempt, Binding, ChallengeStore, CodeDigest, Inserted, Redemption, Ticket};
use pkce_core::{MemoryStore, Timestamp};

use crate::ready;

/// Two verbs: what is measured of a store.
pub trait Store: Sync {
    /// Records a binding unless there is one; whether it did.
    fn insert(&self, code: &CodeDigest, binding: &Binding) -> bool;
    /// Marks a code redeemed if the proof is the bound one; what it was bound to.
    fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Option<Binding>;
}

/// By its trait, as users call it.
impl Store for MemoryStore {
    fn insert(&self, code: &CodeDigest, binding: &Binding) -> bool {
        matches!(ready(ChallengeStore::insert(self, code, binding)), Ok(Inserted::Recorded))
    }

    fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Option<Binding> {
        match ready(ChallengeStore::redeem(self, code, attempt)) {
            Ok(Redemption::First(binding)) => Some(binding),
            _ => None,
        }
    }
}

/// A binding and who redeemed it.
#[derive(Debug, Clone)]
struct Record {
    binding: Binding,
    redeemed: Option<(Ticket, Timestamp)>,
}

/// A [`DashMap`]. It is asked less than [`MemoryStore`]: it has no bound, looks at no clock and forgets nothing.
#[derive(Debug, Default)]
pub struct Dash(DashMap<[u8; 32], Record>);

impl Store for Dash {
    fn insert(&self, code: &CodeDigest, binding: &Binding) -> bool {
        match self.0.entry(*code.as_bytes()) {
            Entry::Occupied(_) => false,
            Entry::Vacant(entry) => {
                entry.insert(Record { binding: binding.clone(), redeemed: None });
                true
            }
        }
    }

    fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Option<Binding> {
        let mut record = self.0.get_mut(code.as_bytes())?;
        if record.redeemed.is_some() || record.binding.proof() != attempt.proof() {
            return None;
        }
        record.redeemed = Some((attempt.ticket(), attempt.at()));
        Some(record.binding.clone())
    }
}

/// A [`Cache`] that forgets after a minute. Its bound evicts live codes, so it is set out of reach.
#[derive(Debug)]
pub struct Moka(Cache<[u8; 32], Record>);

impl Default for Moka {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(1 << 22).time_to_live(Duration::from_mins(1)).build())
    }
}

impl Store for Moka {
    fn insert(&self, code: &CodeDigest, binding: &Binding) -> bool {
        let entry = self.0.entry(*code.as_bytes());
        entry.or_insert_with(|| Record { binding: binding.clone(), redeemed: None }).is_fresh()
    }

    fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Option<Binding> {
        let mut first = None;
        _ = self.0.entry(*code.as_bytes()).and_compute_with(|entry| match entry.map(moka::Entry::into_value) {
            Some(mut record) if record.redeemed.is_none() && record.binding.proof() == attempt.proof() => {
                record.redeemed = Some((attempt.ticket(), attempt.at()));
                first = Some(record.binding.clone());
                Op::Put(record)
            }
            _ => Op::Nop,
        });
        first
    }
}
