//! How a planted store restores.

use std::time::Duration;

use pkce_core::store::{Binding, BindingParts, StoreError, Ticket};

use super::record::{Record, Records, age, later, now};
use super::{Fault, Planted};

impl Planted {
    pub(super) fn restore_in(&self, records: &mut Records, key: Vec<u8>, ticket: Ticket) -> Result<(), StoreError> {
        if self.fault == Fault::RestoreRevives
            && let Some(mut record) = records.remove(&[&key[..], b" (deleted)"].concat())
        {
            record.forgotten_at = later(now(), 60_000);
            records.insert(key.clone(), record);
        }
        if self.fault == Fault::RestoreByTicketAlone {
            records.values_mut().filter(|record| record.is_held_by(ticket)).for_each(|record| record.redeemed = None);
            return Ok(());
        }
        let Some(record) = records.get_mut(&key) else {
            if self.fault == Fault::RestoreCreates {
                let until = later(now(), 60_000);
                let parts =
                    BindingParts { method: "none", proof: None, grant: None, issued_at: now(), expires_at: until };
                let binding = Binding::from_parts(parts).expect("a valid binding");
                records.insert(key, Record::new(binding, until));
            }
            return Ok(());
        };
        if !self.holds(record, ticket) {
            let nothing = self.fault == Fault::RestoreOfNothingIsAnError;
            return if nothing { Err(StoreError::unavailable("no row was changed")) } else { Ok(()) };
        }
        record.redeemed = None;
        record.restores += 1;
        record.spent = record.spent.or(Some(ticket));
        assert!(self.fault != Fault::RestoreCountsInAByte || record.restores < 128, "attempt to add with overflow");
        match self.fault {
            Fault::RestoreDeletes => drop(records.remove(&key)),
            Fault::RestoreProlongs => prolong(record),
            Fault::RestoreForgetsTheEnd => record.forgotten_at = now(),
            Fault::RestoredIsForgottenAfterThreeSeconds => record.shorten(),
            _ => {}
        }
        Ok(())
    }

    /// Whether the code is restored for this ticket.
    fn holds(&self, record: &mut Record, ticket: Ticket) -> bool {
        let Some((holder, _)) = record.redeemed else { return false };
        let holds = holder == ticket;
        match self.fault {
            Fault::RestoreDoesNothing => false,
            Fault::RestoreIgnoresTheTicket => true,
            Fault::RestoreTakesAnyTicketOnce if !holds && record.replayed && !record.restored_by_stranger => {
                record.restored_by_stranger = true;
                true
            }
            Fault::RestoredTicket(mangle) => mangle.same(holder.as_bytes(), ticket.as_bytes()),
            Fault::BurnedIsRestoredByAnyTicket => holds || holder == Ticket::BURNED,
            Fault::RestoreByAnybodyAfterThreeSeconds => holds || age(record.marked_at) > 3_000,
            Fault::RestoreAgesOut => holds && age(record.marked_at) < 3_000,
            Fault::RestoreTakesTheTicketOfAWrongReplay => holds || record.wrong_replay == Some(ticket),
            Fault::RestoreTakesTheTicketOfAWrongProof => holds || record.wrong_ticket == Some(ticket),
            Fault::RestoreFailsAfterAReplay => holds && !record.replayed,
            Fault::RestoreCountsResends if holds && record.resends > 0 => {
                record.resends -= 1;
                false
            }
            Fault::RestoresEightTimes => holds && record.restores < 8,
            _ => holds,
        }
    }
}

/// A new end, as long after now as the old one was after the issue.
fn prolong(record: &mut Record) {
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
}
