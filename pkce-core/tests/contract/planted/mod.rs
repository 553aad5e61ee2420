//! A store that keeps the contract, and one fault at a time planted in it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use pkce_core::Timestamp;
use pkce_core::store::{Attempt, Binding, ChallengeStore, CodeDigest, Inserted, Redemption, StoreError, Ticket};

mod fault;
mod halfway;
mod judging;
mod keeping;
mod mangle;
mod pool;
mod record;
mod restoring;

pub(crate) use fault::{Fault, Part};
pub(crate) use mangle::Mangle;
use pool::Pool;
use record::{Record, Records, age, later, now};

/// Keys, each with a time.
type Dated = Vec<(Timestamp, Vec<u8>)>;

/// Clones are handles to the same records, but for the fault of the same name.
pub(crate) struct Planted {
    fault: Fault,
    records: Arc<Mutex<Records>>,
    /// The ends of bindings, for a sweep.
    ends: Arc<Mutex<Dated>>,
    /// Codes that were unknown, and when.
    unknown: Arc<Mutex<Dated>>,
    busy: Arc<AtomicUsize>,
    pool: Arc<Pool>,
}

impl Clone for Planted {
    fn clone(&self) -> Self {
        let records = match self.fault {
            Fault::HandleHasItsOwnRecords => Arc::default(),
            _ => Arc::clone(&self.records),
        };
        Self {
            fault: self.fault,
            records,
            ends: Arc::clone(&self.ends),
            unknown: Arc::clone(&self.unknown),
            busy: Arc::clone(&self.busy),
            pool: Arc::clone(&self.pool),
        }
    }
}

impl Planted {
    pub(crate) fn new(fault: Fault) -> Self {
        Self {
            fault,
            records: Arc::default(),
            ends: Arc::default(),
            unknown: Arc::default(),
            busy: Arc::default(),
            pool: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Records> {
        lock(&self.records)
    }

    /// The records without the expired ones: every verb begins with it.
    fn live(&self, key: &[u8]) -> MutexGuard<'_, Records> {
        let mut records = self.lock();
        if self.fault == Fault::OldEndDeletesTheNew {
            lock(&self.ends).retain(|(end, key)| {
                let swept = later(*end, 500) <= now();
                if swept {
                    records.remove(key);
                }
                !swept
            });
        }
        let keeps =
            matches!(self.fault, Fault::NeverForgets | Fault::RestoreProlongs | Fault::InsertOverExpiredKeepsTheMark);
        let gone = |record: &Record| match self.fault {
            Fault::RefusesTheFuture if record.binding.issued_at() > now() => true,
            _ => record.forgotten_at <= now(),
        };
        if !keeps && records.get(key).is_some_and(gone) {
            if self.fault == Fault::RestoreRevives {
                if let Some(record) = records.remove(key) {
                    records.insert([key, b" (deleted)"].concat(), record);
                }
            } else {
                records.remove(key);
            }
        }
        records
    }

    /// Whether a faulty store writes over what is there. It may take something over from there.
    fn overwrites(&self, record: &mut Record, old: &Record) -> bool {
        let redeemed = old.redeemed.is_some();
        match self.fault {
            Fault::InsertOverwrites => true,
            Fault::InsertOverwritesRedeemed => redeemed,
            Fault::InsertOverwritesRestored => old.restores > 0,
            Fault::InsertOverwritesAnotherMinute => {
                let minute = |binding: &Binding| binding.issued_at().as_epoch_millis() / 60_000;
                minute(&old.binding).abs_diff(minute(&record.binding)) > 1
            }
            Fault::InsertOverwritesAfterThreeSeconds => !redeemed && age(old.inserted_at) > 3_000,
            Fault::InsertOverwritesRedeemedAfterThreeSeconds => redeemed && age(old.marked_at) > 3_000,
            Fault::InsertOverwritesInTheLastSecond => later(now(), 1_000) > old.binding.expires_at(),
            Fault::InsertOverExpiredKeepsTheMark => {
                let expired = old.forgotten_at <= now();
                record.redeemed = old.redeemed.filter(|_| expired);
                expired
            }
            _ => false,
        }
    }

    /// Whether an index that should not be unique forbids the record, or a row of another code has to go.
    fn collides(&self, records: &mut Records, key: &[u8], new: &Binding) -> bool {
        let mut others = records.iter().filter(|(other, _)| *other != key).map(|(_, record)| &record.binding);
        match self.fault {
            Fault::UniqueProof => new.proof().is_some() && others.any(|old| old.proof() == new.proof()),
            Fault::UniqueGrant => others.any(|old| old.grant() == new.grant()),
            // With the grant, because codes of two cases may share a millisecond.
            Fault::UniqueIssuedAt => others.any(|old| old.issued_at() == new.issued_at() && old.grant() == new.grant()),
            Fault::UniqueExpiresAt => {
                others.any(|old| old.expires_at() == new.expires_at() && old.grant() == new.grant())
            }
            Fault::OneCodePerGrant => {
                records.retain(|other, record| other == key || record.binding.grant() != new.grant());
                false
            }
            _ => false,
        }
    }

    fn judge_with_others(&self, records: &mut Records, key: &[u8], attempt: &Attempt, crowded: bool) -> Redemption {
        let twin = match (self.fault, records.get(key)) {
            (Fault::RedeemsByProofAlone, Some(record)) if record.redeemed.is_none() => {
                let same = |other: &Record| other.binding == record.binding;
                records.iter().filter(|(_, other)| same(other)).map(|(other, _)| other.clone()).collect()
            }
            (Fault::ResendByTicketAlone, Some(_)) => {
                let first = records.values().find(|other| other.is_held_by(attempt.ticket()));
                if let Some(first) = first {
                    return Redemption::First(first.binding.clone());
                }
                Vec::new()
            }
            _ => Vec::new(),
        };
        let Some(record) = records.get_mut(key) else { return Redemption::Unknown };
        let answer = self.judge(record, attempt, crowded);
        if matches!(answer, Redemption::First(_)) {
            for other in twin {
                if let Some(record) = records.get_mut(&other) {
                    record.redeemed = Some((attempt.ticket(), attempt.at()));
                }
            }
        }
        if self.fault == Fault::RedeemedIsForgotten && matches!(answer, Redemption::First(_)) {
            records.remove(key);
        }
        answer
    }

    /// Whether an index on the mark forbids it.
    fn mark_collides(&self, records: &Records, key: &[u8], attempt: &Attempt) -> bool {
        let marks = || records.iter().filter(|(other, _)| *other != key).filter_map(|(_, record)| record.redeemed);
        match self.fault {
            Fault::UniqueTicket => marks().any(|(ticket, _)| ticket == attempt.ticket()),
            // Of codes with the same proof, because two cases may share a millisecond.
            Fault::UniqueRedeemedAt => records.get(key).is_some_and(|record| {
                let same = |other: &Record| other.binding == record.binding;
                records.iter().any(|(other, twin)| {
                    *other != key && same(twin) && twin.redeemed.is_some_and(|(_, at)| at == attempt.at())
                })
            }),
            _ => false,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether two bindings are the same but for this part.
fn same_but_for(part: Part, one: &Binding, other: &Binding) -> bool {
    (part == Part::Method || one.method() == other.method())
        && (part == Part::Proof || one.proof() == other.proof())
        && (part == Part::Grant || one.grant() == other.grant())
        && (part == Part::IssuedAt || one.issued_at() == other.issued_at())
        && (part == Part::ExpiresAt || one.expires_at() == other.expires_at())
}

#[async_trait]
impl ChallengeStore for Planted {
    async fn insert(&self, code: &CodeDigest, binding: &Binding) -> Result<Inserted, StoreError> {
        let key = self.key(code);
        let kept = self.kept(binding);
        let forgotten_at = self.forgotten_at(&kept);
        let mut record = Record::new(kept, forgotten_at);
        match self.fault {
            Fault::TakesTime => tokio::time::sleep(Duration::from_millis(1)).await,
            Fault::RefusesShortLives if binding.lifetime() < Duration::from_secs(1) => {
                return Err(StoreError::unavailable("invalid expire time"));
            }
            _ => {}
        }
        let old = self.live(&key).get(&key).cloned();
        if let Some(inserted) = self.insert_half_way(&key, &record).await {
            return Ok(inserted);
        }
        let overwrites = old.as_ref().is_none_or(|old| self.overwrites(&mut record, old));
        if self.fault == Fault::InsertIsNotAtomic && overwrites {
            self.lock().insert(key, record);
            return Ok(Inserted::Recorded);
        }
        lock(&self.ends).push((record.binding.expires_at(), key.clone()));
        let mut records = self.lock();
        if self.collides(&mut records, &key, &record.binding) {
            return Err(StoreError::unavailable("UNIQUE constraint failed"));
        }
        // Looked up again under the same lock: the first look was for the faults.
        let free = !records.contains_key(&key);
        if self.fault == Fault::ForgetsTheOldestOfMany && records.len() >= 100 {
            let oldest =
                records.iter().min_by_key(|(_, record)| record.binding.issued_at()).map(|(key, _)| key.clone());
            records.remove(&oldest.expect("a hundred records"));
        }
        if free || (old.is_some() && overwrites) {
            records.insert(key, record);
            return Ok(Inserted::Recorded);
        }
        let there = &records[&key];
        let recorded = match self.fault {
            Fault::SwallowsErrors => true,
            Fault::InsertIgnores(part) => same_but_for(part, &there.binding, binding),
            Fault::InsertTakesTheSame => there.binding == *binding && there.redeemed.is_none(),
            _ => false,
        };
        Ok(if recorded { Inserted::Recorded } else { Inserted::Occupied })
    }

    async fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Result<Redemption, StoreError> {
        let key = self.key(code);
        match self.fault {
            Fault::BusyIsUnknown if self.records.try_lock().is_err() => return Ok(Redemption::Unknown),
            Fault::BusyIsAnError if self.records.try_lock().is_err() => return Err(StoreError::unavailable("busy")),
            Fault::Panics => panic!("the connection pool is poisoned"),
            Fault::Hangs => std::future::pending().await,
            Fault::TakesTime => tokio::time::sleep(Duration::from_millis(1)).await,
            Fault::RemembersTheUnknown => {
                let mut unknown = lock(&self.unknown);
                unknown.retain(|(since, _)| age(*since) < 1_000);
                if unknown.iter().any(|(_, absent)| *absent == key) {
                    return Ok(Redemption::Unknown);
                }
                if !self.lock().contains_key(&key) {
                    unknown.push((now(), key.clone()));
                }
            }
            _ => {}
        }
        if let Some(answer) = self.redeem_half_way(&key, attempt).await {
            return Ok(answer);
        }
        let crowded = self.busy.fetch_add(1, Ordering::SeqCst) > 0;
        let mut records = self.live(&key);
        if self.mark_collides(&records, &key, attempt) {
            return Err(StoreError::unavailable("UNIQUE constraint failed"));
        }
        let answer = self.judge_with_others(&mut records, &key, attempt, crowded);
        drop(records);
        self.busy.fetch_sub(1, Ordering::SeqCst);
        Ok(answer)
    }

    async fn restore(&self, code: &CodeDigest, ticket: Ticket) -> Result<(), StoreError> {
        let key = self.key(code);
        if self.fault == Fault::TakesTime {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if self.restore_half_way(&key, ticket).await {
            return Ok(());
        }
        let mut records = self.live(&key);
        self.restore_in(&mut records, key, ticket)
    }
}
