//! Faults that show only when others act in between, or when the call is dropped.

use pkce_core::store::{Attempt, Inserted, Redemption, Ticket};
use tokio::task::yield_now;

use super::record::Record;
use super::{Fault, Planted};

impl Planted {
    /// `None` if the fault is another one.
    pub(super) async fn insert_half_way(&self, key: &[u8], record: &Record) -> Option<Inserted> {
        match self.fault {
            Fault::DroppedInsertKeepsItsConnection => {
                self.pool.take().await;
                yield_now().await;
                self.pool.give_back();
                None
            }
            Fault::InsertDroppedHalfWay => {
                let taken = [key, b" (taken)"].concat();
                if self.lock().insert(taken, record.clone()).is_some() {
                    return Some(Inserted::Occupied);
                }
                yield_now().await;
                None
            }
            Fault::InsertIsInTwoParts => {
                let half = Record { binding: Self::new(Fault::LosesGrant).kept(&record.binding), ..record.clone() };
                self.lock().entry(key.to_vec()).or_insert(half);
                yield_now().await;
                self.lock().insert(key.to_vec(), record.clone());
                Some(Inserted::Recorded)
            }
            _ => None,
        }
    }

    /// `None` if the fault is another one.
    pub(super) async fn redeem_half_way(&self, key: &[u8], attempt: &Attempt) -> Option<Redemption> {
        match self.fault {
            Fault::RedeemWaitsBetweenReadAndWrite | Fault::RedeemUnlocksBetweenReadAndWrite => {
                Some(self.redeem_in_two_steps(key, attempt).await)
            }
            Fault::RedeemDroppedHalfWay | Fault::WrongProofDroppedHalfWay => {
                Some(self.redeem_taken_out(key, attempt).await)
            }
            Fault::DroppedWaiterKeepsItsTurn => Some(self.redeem_in_turn(key, attempt).await),
            Fault::DroppedRedeemKeepsItsConnection => {
                self.pool.take().await;
                yield_now().await;
                self.pool.give_back();
                None
            }
            _ => None,
        }
    }

    /// Reads, lets others in, and writes what follows from what it read.
    async fn redeem_in_two_steps(&self, key: &[u8], attempt: &Attempt) -> Redemption {
        let read = self.live(key).get(key).cloned();
        if self.fault == Fault::RedeemWaitsBetweenReadAndWrite {
            yield_now().await;
        }
        let Some(mut record) = read else { return Redemption::Unknown };
        let answer = self.judge(&mut record, attempt, false);
        self.lock().insert(key.to_vec(), record);
        answer
    }

    /// Right as long as it is not dropped.
    async fn redeem_taken_out(&self, key: &[u8], attempt: &Attempt) -> Redemption {
        let takes_out = match (self.fault, self.live(key).get(key)) {
            (_, None) => return Redemption::Unknown,
            (Fault::WrongProofDroppedHalfWay, Some(record)) => {
                record.redeemed.is_none() && record.binding.proof() != attempt.proof()
            }
            (_, Some(record)) => record.redeemed.is_none() && record.binding.proof() == attempt.proof(),
        };
        let Some(mut record) = self.live(key).remove(key) else { return Redemption::Unknown };
        if takes_out {
            if self.fault == Fault::WrongProofDroppedHalfWay {
                let marked = Record { redeemed: Some((attempt.ticket(), attempt.at())), ..record.clone() };
                self.lock().insert(key.to_vec(), marked);
            }
            yield_now().await;
        }
        let answer = self.judge(&mut record, attempt, false);
        self.lock().insert(key.to_vec(), record);
        answer
    }

    async fn redeem_in_turn(&self, key: &[u8], attempt: &Attempt) -> Redemption {
        let number = self.pool.draw_a_number();
        while self.pool.served() != number {
            yield_now().await;
        }
        let _next = self.pool.serve();
        yield_now().await;
        let mut records = self.live(key);
        records.get_mut(key).map_or(Redemption::Unknown, |record| self.judge(record, attempt, false))
    }

    /// Whether the fault is one of these, and the restore is done.
    pub(super) async fn restore_half_way(&self, key: &[u8], ticket: Ticket) -> bool {
        match self.fault {
            Fault::RestoreDroppedHalfWay => {
                let record = self.live(key).remove(key);
                yield_now().await;
                if let Some(mut record) = record {
                    record.redeemed = record.redeemed.filter(|(holder, _)| *holder != ticket);
                    self.lock().insert(key.to_vec(), record);
                }
                true
            }
            Fault::RestoreIsNotAtomic => {
                let holds = self.live(key).get(key).is_some_and(|record| record.is_held_by(ticket));
                if holds {
                    yield_now().await;
                    self.lock().entry(key.to_vec()).and_modify(|record| record.redeemed = None);
                }
                true
            }
            _ => false,
        }
    }
}
