//! A store that keeps the contract, and one fault at a time planted in it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use pkce_core::Timestamp;
use pkce_core::store::{
    Attempt, Binding, BindingParts, ChallengeStore, CodeDigest, Inserted, Redemption, StoreError, Ticket,
};

mod pool;

use pool::Pool;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Not a fault: a record may stay after it expired.
    NeverForgets,
    /// Not a fault: a call may take its time.
    TakesTime,

    InsertOverwrites,
    InsertOverwritesRedeemed,
    InsertIsNotAtomic,
    InsertIsInTwoParts,
    InsertOverExpiredKeepsTheMark,
    /// Takes the code first and writes its binding later: dropped in between, the code is neither free nor bound.
    InsertDroppedHalfWay,

    RedeemWaitsBetweenReadAndWrite,
    RedeemUnlocksBetweenReadAndWrite,
    WrongProofMarks,
    WrongProofMarksInACrowd,
    WrongProofIsFirst,
    ProofIsComparedInPart,
    MissingProofIsFirst,
    SuperfluousProofIsFirst,
    NoProofIsKeptAsZeros,
    EveryRightProofIsFirst,
    ResendIsNotRecognised,
    ResendIsRecognisedUntilAReplay,
    ReplayTakesOver,
    ReplayWithWrongProofIsRefused,
    RedeemedIsForgotten,
    RedeemedIsForgottenAfterTwentyReplays,
    BusyIsUnknown,
    BusyIsAnError,
    BurnsAfterFortyWrongProofs,
    /// Takes the record out, waits, and puts it back marked.
    RedeemDroppedHalfWay,
    /// Marks, waits, compares, and takes the mark back.
    WrongProofDroppedHalfWay,
    /// Callers draw numbers, and are served one after the other. Whoever leaves the queue is waited for.
    DroppedWaiterKeepsItsTurn,

    RestoreDoesNothing,
    RestoreIgnoresTheTicket,
    RestoreTakesAnyTicketOnce,
    RestoreIsNotAtomic,
    RestoreCreates,
    RestoreRevives,
    RestoreProlongs,
    RestoreForgetsTheEnd,
    /// Takes the record out, waits, and puts it back without the mark.
    RestoreDroppedHalfWay,
    RestoresEightTimes,

    LosesMethod,
    LosesProof,
    LosesGrant,
    LosesEmptyGrant,
    LosesNoGrant,
    LosesOddOctets,
    LosesEndOfLargeGrant,
    CutsGrantAt64Kib,
    LosesBlanksAtTheEnd,
    LosesIssuedAt,
    LosesExpiresAt,
    LosesTicket,
    LosesAt,
    CutsTimesToSeconds,
    CutsAtToSeconds,

    SharesOneKey,
    KeyIsAPrefix,
    KeyFoldsCase,
    KeyEndsAtZero,
    ForgetsTheOldestOfMany,
    HandleHasItsOwnRecords,

    ForgetsEarly,
    CutsLifeToSeconds,
    CutsEndToSeconds,
    RedeemedIsForgottenEarly,
    RedeemedIsForgottenAfterThreeSeconds,
    ForgetsFourTenthsEarly,
    CapsLifeAtSevenSeconds,
    KeepsAnOctetOfTheSeconds,
    KeepsSixteenBitsOfTheMilliseconds,
    EndsAMinuteAfterIssue,
    RefusesTheFuture,

    /// A pool whose connection is gone for ever with a call that is dropped.
    DroppedInsertKeepsItsConnection,
    DroppedRedeemKeepsItsConnection,

    SwallowsErrors,
    Panics,
    Hangs,
}

#[derive(Clone)]
struct Record {
    binding: Binding,
    redeemed: Option<(Ticket, Timestamp)>,
    forgotten_at: Timestamp,
    replayed: bool,
    restored_by_stranger: bool,
    wrong_proofs: u32,
    replays: u32,
    restores: u32,
}

impl Record {
    fn new(binding: Binding, forgotten_at: Timestamp) -> Self {
        Self {
            binding,
            redeemed: None,
            forgotten_at,
            replayed: false,
            restored_by_stranger: false,
            wrong_proofs: 0,
            replays: 0,
            restores: 0,
        }
    }
}

type Records = HashMap<Vec<u8>, Record>;

/// Clones are handles to the same records, but for the fault of the same name.
pub(crate) struct Planted {
    fault: Fault,
    records: Arc<Mutex<Records>>,
    busy: Arc<AtomicUsize>,
    pool: Arc<Pool>,
}

impl Clone for Planted {
    fn clone(&self) -> Self {
        let records = match self.fault {
            Fault::HandleHasItsOwnRecords => Arc::default(),
            _ => Arc::clone(&self.records),
        };
        Self { fault: self.fault, records, busy: Arc::clone(&self.busy), pool: Arc::clone(&self.pool) }
    }
}

impl Planted {
    pub(crate) fn new(fault: Fault) -> Self {
        Self { fault, records: Arc::default(), busy: Arc::default(), pool: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The records without the expired ones: what every verb begins with.
    fn live(&self, key: &[u8]) -> MutexGuard<'_, Records> {
        let mut records = self.lock();
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

    fn key(&self, code: &CodeDigest) -> Vec<u8> {
        let octets = code.as_bytes();
        match self.fault {
            Fault::SharesOneKey => b"code".to_vec(),
            Fault::KeyIsAPrefix => octets[..16].to_vec(),
            Fault::KeyFoldsCase => octets.to_ascii_lowercase(),
            Fault::KeyEndsAtZero => octets.split(|octet| *octet == 0).next().unwrap_or_default().to_vec(),
            _ => octets.to_vec(),
        }
    }

    fn forgotten_at(&self, binding: &Binding) -> Timestamp {
        let (from, life) = (binding.issued_at(), binding.lifetime());
        match self.fault {
            Fault::ForgetsEarly => from.saturating_add(life / 2),
            Fault::CutsLifeToSeconds => from.saturating_add(Duration::from_secs(life.as_secs())),
            Fault::CutsEndToSeconds => seconds(binding.expires_at()),
            Fault::ForgetsFourTenthsEarly => from.saturating_add(life.saturating_sub(Duration::from_millis(400))),
            Fault::CapsLifeAtSevenSeconds => binding.expires_at().min(now().saturating_add(Duration::from_secs(7))),
            Fault::KeepsAnOctetOfTheSeconds => now().saturating_add(Duration::from_secs((life.as_secs() + 1) % 256)),
            Fault::KeepsSixteenBitsOfTheMilliseconds => {
                let life = u64::try_from(life.as_millis()).expect("ten minutes");
                now().saturating_add(Duration::from_millis(life % 65_536))
            }
            Fault::EndsAMinuteAfterIssue => from.saturating_add(Duration::from_secs(60)),
            _ => binding.expires_at(),
        }
    }

    /// What a faulty store writes down of a binding.
    fn kept(&self, binding: &Binding) -> Binding {
        let (mut method, mut proof) = (binding.method_str(), binding.proof().map(|proof| *proof.as_bytes()));
        let mut grant = binding.grant().cloned();
        let (mut from, mut until) = (binding.issued_at(), binding.expires_at());
        match self.fault {
            Fault::LosesMethod if proof.is_some() => method = "S256",
            Fault::LosesProof => proof = proof.map(|_| [1; 32]),
            Fault::NoProofIsKeptAsZeros if proof == Some([0; 32]) => (method, proof) = ("none", None),
            Fault::LosesGrant => grant = None,
            Fault::LosesEmptyGrant => grant = grant.filter(|grant| !grant.is_empty()),
            Fault::LosesNoGrant => grant = Some(grant.unwrap_or_default()),
            Fault::LosesOddOctets => {
                grant = grant.map(|grant| String::from_utf8_lossy(&grant).into_owned().into_bytes().into());
            }
            Fault::LosesEndOfLargeGrant => grant = grant.map(|grant| grant.iter().take(65_535).copied().collect()),
            Fault::CutsGrantAt64Kib => grant = grant.map(|grant| grant.iter().take(65_536).copied().collect()),
            Fault::LosesBlanksAtTheEnd => grant = grant.map(|grant| grant.trim_ascii_end().into()),
            Fault::LosesIssuedAt => from = Timestamp::from_epoch_millis(until.as_epoch_millis() - 60_000),
            Fault::LosesExpiresAt => until = from.saturating_add(Duration::from_secs(60)),
            Fault::CutsTimesToSeconds => (from, until) = (seconds(from), seconds(until)),
            _ => {}
        }
        let proof = proof.as_ref().map(|proof| &proof[..]);
        Binding::from_parts(BindingParts { method, proof, grant, issued_at: from, expires_at: until })
            .expect("a faulty store writes valid records too")
    }

    fn again(&self, record: &Record, (ticket, at): (Ticket, Timestamp)) -> Redemption {
        let ticket = if self.fault == Fault::LosesTicket { Ticket::from_bytes([1; 16]) } else { ticket };
        let at = match self.fault {
            Fault::LosesAt => record.binding.issued_at(),
            Fault::CutsAtToSeconds => seconds(at),
            _ => at,
        };
        Redemption::Again { binding: record.binding.clone(), ticket, at }
    }

    fn matches(&self, record: &Record, attempt: &Attempt) -> bool {
        match (record.binding.proof(), attempt.proof()) {
            (Some(_), Some(_)) if self.fault == Fault::WrongProofIsFirst => true,
            (Some(bound), Some(shown)) if self.fault == Fault::ProofIsComparedInPart => {
                bound.as_bytes()[..16] == shown.as_bytes()[..16]
            }
            (Some(_), None) if self.fault == Fault::MissingProofIsFirst => true,
            (None, Some(_)) if self.fault == Fault::SuperfluousProofIsFirst => true,
            (None, Some(shown)) if self.fault == Fault::NoProofIsKeptAsZeros => shown.as_bytes() == &[0; 32],
            (bound, shown) => bound == shown,
        }
    }

    /// Decides on a record and marks it: the honest store does so under one lock.
    fn judge(&self, record: &mut Record, attempt: &Attempt, crowded: bool) -> Redemption {
        let mark = (attempt.ticket(), attempt.at());
        let right = self.matches(record, attempt);
        match record.redeemed {
            Some(_) if right && self.fault == Fault::EveryRightProofIsFirst => {
                Redemption::First(record.binding.clone())
            }
            Some(_) if !right && self.fault == Fault::ReplayWithWrongProofIsRefused => {
                Redemption::Refused(record.binding.clone())
            }
            Some((ticket, _)) if ticket == attempt.ticket() && self.recognises(record) => {
                Redemption::First(record.binding.clone())
            }
            Some(first) => {
                record.replayed = true;
                record.replays += 1;
                let answer = self.again(record, first);
                if self.fault == Fault::ReplayTakesOver {
                    record.redeemed = Some(mark);
                }
                if self.fault == Fault::RedeemedIsForgottenAfterTwentyReplays && record.replays > 20 {
                    record.redeemed = None;
                }
                answer
            }
            None if right => {
                record.redeemed = Some(mark);
                if self.fault == Fault::RedeemedIsForgottenEarly {
                    record.forgotten_at = attempt.at().saturating_add(Duration::from_secs(1));
                }
                if self.fault == Fault::RedeemedIsForgottenAfterThreeSeconds {
                    record.forgotten_at = record.forgotten_at.min(now().saturating_add(Duration::from_secs(3)));
                }
                Redemption::First(record.binding.clone())
            }
            None => {
                record.wrong_proofs += 1;
                let marks = match self.fault {
                    Fault::WrongProofMarks => true,
                    Fault::BurnsAfterFortyWrongProofs => record.wrong_proofs > 40,
                    Fault::WrongProofMarksInACrowd => crowded,
                    _ => false,
                };
                if marks {
                    record.redeemed = Some(mark);
                }
                Redemption::Refused(record.binding.clone())
            }
        }
    }

    fn recognises(&self, record: &Record) -> bool {
        match self.fault {
            Fault::ResendIsNotRecognised => false,
            Fault::ResendIsRecognisedUntilAReplay => !record.replayed,
            _ => true,
        }
    }

    /// Reads, lets others in, and writes what follows from what it read.
    async fn redeem_in_two_steps(&self, key: Vec<u8>, attempt: &Attempt) -> Redemption {
        let read = self.live(&key).get(&key).cloned();
        if self.fault == Fault::RedeemWaitsBetweenReadAndWrite {
            tokio::task::yield_now().await;
        }
        let Some(mut record) = read else { return Redemption::Unknown };
        let answer = self.judge(&mut record, attempt, false);
        self.lock().insert(key, record);
        answer
    }
}

impl Planted {
    /// Right as long as nobody drops it.
    async fn redeem_half_way(&self, key: Vec<u8>, attempt: &Attempt) -> Redemption {
        let takes_out = match (self.fault, self.live(&key).get(&key)) {
            (_, None) => return Redemption::Unknown,
            (Fault::WrongProofDroppedHalfWay, Some(record)) => {
                record.redeemed.is_none() && record.binding.proof() != attempt.proof()
            }
            (_, Some(record)) => record.redeemed.is_none() && record.binding.proof() == attempt.proof(),
        };
        let Some(mut record) = self.live(&key).remove(&key) else { return Redemption::Unknown };
        if takes_out {
            if self.fault == Fault::WrongProofDroppedHalfWay {
                let marked = Record { redeemed: Some((attempt.ticket(), attempt.at())), ..record.clone() };
                self.lock().insert(key.clone(), marked);
            }
            tokio::task::yield_now().await;
        }
        let answer = self.judge(&mut record, attempt, false);
        self.lock().insert(key, record);
        answer
    }

    async fn redeem_in_turn(&self, key: Vec<u8>, attempt: &Attempt) -> Redemption {
        let number = self.pool.draw_a_number();
        while self.pool.served() != number {
            tokio::task::yield_now().await;
        }
        let _next = self.pool.serve();
        tokio::task::yield_now().await;
        let mut records = self.live(&key);
        records.get_mut(&key).map_or(Redemption::Unknown, |record| self.judge(record, attempt, false))
    }
}

fn now() -> Timestamp {
    SystemTime::now().into()
}

fn seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_epoch_millis(time.as_epoch_millis() / 1_000 * 1_000)
}

#[async_trait]
impl ChallengeStore for Planted {
    async fn insert(&self, code: &CodeDigest, binding: &Binding) -> Result<Inserted, StoreError> {
        let key = self.key(code);
        let kept = self.kept(binding);
        let forgotten_at = self.forgotten_at(&kept);
        let mut record = Record::new(kept, forgotten_at);
        if self.fault == Fault::TakesTime {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let old = self.live(&key).get(&key).cloned();
        if self.fault == Fault::DroppedInsertKeepsItsConnection {
            self.pool.take().await;
            tokio::task::yield_now().await;
            self.pool.give_back();
        }
        if self.fault == Fault::InsertDroppedHalfWay {
            let taken = [&key[..], b" (taken)"].concat();
            if self.lock().insert(taken, record.clone()).is_some() {
                return Ok(Inserted::Occupied);
            }
            tokio::task::yield_now().await;
        }
        if self.fault == Fault::InsertIsInTwoParts {
            let half = Record { binding: Planted::new(Fault::LosesGrant).kept(&record.binding), ..record.clone() };
            self.lock().entry(key.clone()).or_insert(half);
            tokio::task::yield_now().await;
            self.lock().insert(key.clone(), record.clone());
            return Ok(Inserted::Recorded);
        }
        let overwrites = old.as_ref().is_none_or(|old| match self.fault {
            Fault::InsertOverwrites => true,
            Fault::InsertOverwritesRedeemed => old.redeemed.is_some(),
            Fault::InsertOverExpiredKeepsTheMark => {
                let expired = old.forgotten_at <= now();
                record.redeemed = old.redeemed.filter(|_| expired);
                expired
            }
            _ => false,
        });
        if self.fault == Fault::InsertIsNotAtomic && overwrites {
            self.lock().insert(key, record);
            return Ok(Inserted::Recorded);
        }
        let mut records = self.lock();
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
        Ok(if self.fault == Fault::SwallowsErrors { Inserted::Recorded } else { Inserted::Occupied })
    }

    async fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Result<Redemption, StoreError> {
        let key = self.key(code);
        match self.fault {
            Fault::RedeemWaitsBetweenReadAndWrite | Fault::RedeemUnlocksBetweenReadAndWrite => {
                return Ok(self.redeem_in_two_steps(key, attempt).await);
            }
            Fault::BusyIsUnknown if self.records.try_lock().is_err() => return Ok(Redemption::Unknown),
            Fault::BusyIsAnError if self.records.try_lock().is_err() => return Err(StoreError::unavailable("busy")),
            Fault::Panics => panic!("the connection pool is poisoned"),
            Fault::Hangs => std::future::pending().await,
            Fault::TakesTime => tokio::time::sleep(Duration::from_millis(1)).await,
            Fault::RedeemDroppedHalfWay | Fault::WrongProofDroppedHalfWay => {
                return Ok(self.redeem_half_way(key, attempt).await);
            }
            Fault::DroppedWaiterKeepsItsTurn => return Ok(self.redeem_in_turn(key, attempt).await),
            Fault::DroppedRedeemKeepsItsConnection => {
                self.pool.take().await;
                tokio::task::yield_now().await;
                self.pool.give_back();
            }
            _ => {}
        }
        let crowded = self.busy.fetch_add(1, Ordering::SeqCst) > 0;
        let mut records = self.live(&key);
        let answer = match records.get_mut(&key) {
            Some(record) => self.judge(record, attempt, crowded),
            None => Redemption::Unknown,
        };
        if self.fault == Fault::RedeemedIsForgotten && matches!(answer, Redemption::First(_)) {
            records.remove(&key);
        }
        drop(records);
        self.busy.fetch_sub(1, Ordering::SeqCst);
        Ok(answer)
    }

    async fn restore(&self, code: &CodeDigest, ticket: Ticket) -> Result<(), StoreError> {
        let key = self.key(code);
        if self.fault == Fault::TakesTime {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if self.fault == Fault::RestoreDroppedHalfWay {
            let record = self.live(&key).remove(&key);
            tokio::task::yield_now().await;
            if let Some(mut record) = record {
                record.redeemed = record.redeemed.filter(|(holder, _)| *holder != ticket);
                self.lock().insert(key, record);
            }
            return Ok(());
        }
        if self.fault == Fault::RestoreIsNotAtomic {
            let holder = self.live(&key).get(&key).and_then(|record| record.redeemed);
            if holder.is_some_and(|(holder, _)| holder == ticket) {
                tokio::task::yield_now().await;
                self.lock().entry(key).and_modify(|record| record.redeemed = None);
            }
            return Ok(());
        }
        let mut records = self.live(&key);
        if self.fault == Fault::RestoreRevives
            && let Some(mut record) = records.remove(&[&key[..], b" (deleted)"].concat())
        {
            record.forgotten_at = now().saturating_add(Duration::from_secs(60));
            records.insert(key.clone(), record);
        }
        let Some(record) = records.get_mut(&key) else {
            if self.fault == Fault::RestoreCreates {
                let from = now();
                let until = from.saturating_add(Duration::from_secs(60));
                let binding = Binding::from_parts(BindingParts {
                    method: "none",
                    proof: None,
                    grant: None,
                    issued_at: from,
                    expires_at: until,
                })
                .expect("a valid binding");
                records.insert(key, Record::new(binding, until));
            }
            return Ok(());
        };
        let holds = record.redeemed.is_some_and(|(holder, _)| holder == ticket);
        match self.fault {
            Fault::RestoreDoesNothing => return Ok(()),
            Fault::RestoreIgnoresTheTicket => record.redeemed = None,
            Fault::RestoreTakesAnyTicketOnce if !holds && record.replayed && !record.restored_by_stranger => {
                record.restored_by_stranger = true;
                record.redeemed = None;
            }
            Fault::RestoreProlongs if holds => {
                let binding = &record.binding;
                let proof = binding.proof().map(|proof| &proof.as_bytes()[..]);
                let (grant, from) = (binding.grant().cloned(), binding.issued_at());
                let longest = from.saturating_add(Duration::from_secs(600));
                let until = now().saturating_add(binding.lifetime()).min(longest);
                record.binding = Binding::from_parts(BindingParts {
                    method: binding.method_str(),
                    proof,
                    grant,
                    issued_at: from,
                    expires_at: until,
                })
                .expect("a life that is not too long");
                record.redeemed = None;
            }
            Fault::RestoreForgetsTheEnd if holds => {
                record.forgotten_at = now();
                record.redeemed = None;
            }
            Fault::RestoresEightTimes if holds => {
                record.restores += 1;
                record.redeemed = record.redeemed.filter(|_| record.restores > 8);
            }
            _ if holds => record.redeemed = None,
            _ => {}
        }
        Ok(())
    }
}
