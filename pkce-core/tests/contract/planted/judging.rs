//! How a planted store judges an attempt, on a record that it holds under its lock.

use std::time::Duration;

use pkce_core::Timestamp;
use pkce_core::store::{Attempt, Binding, Redemption, Ticket};

use super::record::{Record, age, later, now, seconds};
use super::{Fault, Planted};

impl Planted {
    /// Decides on a record and marks it.
    pub(super) fn judge(&self, record: &mut Record, attempt: &Attempt, crowded: bool) -> Redemption {
        if let Some(answer) = self.misjudged_by_time(record, attempt) {
            return answer;
        }
        let right = self.matches(record, attempt);
        match record.redeemed {
            Some(_) if right && self.fault == Fault::EveryRightProofIsFirst => {
                Redemption::First(record.binding.clone())
            }
            Some(_) if !right && self.fault == Fault::ReplayWithWrongProofIsRefused => {
                Redemption::Refused(record.binding.clone())
            }
            Some((ticket, _)) if self.recognizes(record, ticket, attempt.ticket()) => {
                record.resends += 1;
                Redemption::First(self.lost_by(Fault::ResentLosesGrant, &record.binding))
            }
            Some(first) => self.replay(record, first, attempt),
            None if self.fault == Fault::RestoreSpendsTheTicket && record.spent == Some(attempt.ticket()) => {
                Redemption::Unknown
            }
            None if right => self.mark(record, attempt),
            None => self.refuse(record, attempt, crowded),
        }
    }

    fn matches(&self, record: &Record, attempt: &Attempt) -> bool {
        match (record.binding.proof(), attempt.proof()) {
            (Some(_), Some(_)) if self.fault == Fault::WrongProofIsFirst => true,
            (Some(_), None) if self.fault == Fault::MissingProofIsFirst => true,
            (None, Some(_)) if self.fault == Fault::SuperfluousProofIsFirst => true,
            (None, None) if self.fault == Fault::NoProofNeverEqualsNone => false,
            (None, Some(shown)) if self.fault == Fault::NoProofIsKeptAsZeros => shown.as_bytes() == &[0; 32],
            (Some(bound), Some(shown)) => match self.fault {
                Fault::Proof(mangle) => mangle.same(bound.as_bytes(), shown.as_bytes()),
                _ => bound == shown,
            },
            (bound, shown) => bound == shown,
        }
    }

    fn recognizes(&self, record: &Record, holder: Ticket, ticket: Ticket) -> bool {
        let same = match self.fault {
            Fault::ResentTicket(mangle) => mangle.same(holder.as_bytes(), ticket.as_bytes()),
            _ => holder == ticket,
        };
        same && match self.fault {
            Fault::ResendIsNotRecognised => false,
            Fault::ResendIsRecognisedUntilAReplay => !record.replayed,
            Fault::ResendAgesOut => age(record.marked_at) < 3_000,
            Fault::BurnedIsAlwaysAReplay => ticket != Ticket::BURNED,
            _ => true,
        }
    }

    /// What is judged by a time, and should not be.
    fn misjudged_by_time(&self, record: &mut Record, attempt: &Attempt) -> Option<Redemption> {
        let (at, binding) = (attempt.at(), record.binding.clone());
        match self.fault {
            Fault::RefusesAttemptsBeforeTheIssue if at < binding.issued_at() => Some(Redemption::Refused(binding)),
            Fault::RefusesAttemptsFromTheFuture if at > later(now(), 500) => Some(Redemption::Unknown),
            Fault::ForgetsOneSecondEarlyByTheAttempt if later(at, 1_000) > binding.expires_at() => {
                Some(Redemption::Unknown)
            }
            _ => {
                let (ticket, first) = record.redeemed?;
                let since = at.saturating_since(first);
                let stranger = ticket != attempt.ticket() && binding.proof() == attempt.proof();
                match self.fault {
                    Fault::ReplayBeforeTheWinnerIsFirst if stranger && later(at, 1_000) < first => {
                        Some(Redemption::First(binding))
                    }
                    Fault::ReplayWithinASecondIsFirst if stranger && since < Duration::from_secs(1) && at >= first => {
                        Some(Redemption::First(binding))
                    }
                    Fault::ReplayAfterTwentySecondsIsFirst if stranger && since > Duration::from_secs(20) => {
                        Some(Redemption::First(binding))
                    }
                    Fault::ReplayAfterFourMinutesIsUnknown if since > Duration::from_secs(240) => {
                        Some(Redemption::Unknown)
                    }
                    Fault::MarkAgesOut if age(record.marked_at) > 3_000 => {
                        record.redeemed = None;
                        None
                    }
                    Fault::BurnedIsNotRedeemed if ticket == Ticket::BURNED => {
                        record.redeemed = None;
                        None
                    }
                    _ => None,
                }
            }
        }
    }

    fn mark(&self, record: &mut Record, attempt: &Attempt) -> Redemption {
        record.marked_at = now();
        let ticket = match self.fault {
            Fault::RestoreKeepsTheFirstTicket => *record.first_ticket.get_or_insert(attempt.ticket()),
            _ => attempt.ticket(),
        };
        let issued_at = record.binding.issued_at();
        let at = match self.fault {
            Fault::AtIsTheServersTime => now(),
            Fault::AtIsNeverBeforeTheIssue => attempt.at().max(issued_at),
            Fault::AtIsNeverInTheFuture => attempt.at().min(now()),
            Fault::KeepsAtIn16BitsAfterTheIssue => {
                let after = u64::try_from(attempt.at().saturating_since(issued_at).as_millis()).expect("ten minutes");
                later(issued_at, after % 65_536)
            }
            Fault::RestoreKeepsTheTime => *record.first_time.get_or_insert(attempt.at()),
            _ => attempt.at(),
        };
        record.redeemed = Some((ticket, at));
        record.resends = 0;
        match self.fault {
            Fault::RedeemedIsForgottenEarly => record.forgotten_at = later(attempt.at(), 1_000),
            Fault::RedeemedIsForgottenAfterThreeSeconds => record.shorten(),
            Fault::BurnedIsForgottenAfterThreeSeconds if attempt.ticket() == Ticket::BURNED => record.shorten(),
            _ => {}
        }
        Redemption::First(record.binding.clone())
    }

    fn replay(&self, record: &mut Record, first: (Ticket, Timestamp), attempt: &Attempt) -> Redemption {
        record.replayed = true;
        if record.binding.proof() != attempt.proof() {
            record.wrong_replay = Some(attempt.ticket());
        }
        record.replays += 1;
        let answer = self.again(record, first);
        let (ticket, at) = first;
        match self.fault {
            Fault::ReplayTakesOver => record.redeemed = Some((attempt.ticket(), attempt.at())),
            Fault::ReplayMovesTheTime => record.redeemed = Some((ticket, at.max(attempt.at()))),
            Fault::ReplayMovesTheTimeBack => record.redeemed = Some((ticket, at.min(attempt.at()))),
            Fault::RedeemedIsForgottenAfterTwentyReplays if record.replays > 20 => record.redeemed = None,
            Fault::ReplaysOverflowAByte if record.replays == 256 => panic!("attempt to add with overflow"),
            Fault::ReplayShortensTheLife => record.shorten(),
            _ => {}
        }
        answer
    }

    fn again(&self, record: &Record, (ticket, at): (Ticket, Timestamp)) -> Redemption {
        let ticket = if self.fault == Fault::LosesTicket { Ticket::from_bytes([1; 16]) } else { ticket };
        let at = match self.fault {
            Fault::LosesAt => record.binding.issued_at(),
            Fault::CutsAtToSeconds => seconds(at),
            _ => at,
        };
        let binding = self.lost_by(Fault::AgainLosesGrant, &record.binding);
        let binding = match self.fault {
            Fault::AgainLosesMethod => Self::new(Fault::LosesMethod).kept(&binding),
            _ => binding,
        };
        Redemption::Again { binding, ticket, at }
    }

    fn refuse(&self, record: &mut Record, attempt: &Attempt, crowded: bool) -> Redemption {
        record.wrong_proofs += 1;
        record.wrong_ticket = Some(attempt.ticket());
        let marks = match self.fault {
            Fault::WrongProofMarks => true,
            Fault::BurnsAfterFortyWrongProofs => record.wrong_proofs > 40,
            Fault::WrongProofMarksInACrowd => crowded,
            Fault::WrongProofsOverflowAByte if record.wrong_proofs == 256 => panic!("attempt to add with overflow"),
            _ => false,
        };
        if marks {
            record.redeemed = Some((attempt.ticket(), attempt.at()));
        }
        if self.fault == Fault::WrongProofShortensTheLife {
            record.shorten();
        }
        Redemption::Refused(self.lost_by(Fault::RefusedLosesGrant, &record.binding))
    }

    /// The binding, without its grant if this is the fault.
    fn lost_by(&self, fault: Fault, binding: &Binding) -> Binding {
        if self.fault == fault { Self::new(Fault::LosesGrant).kept(binding) } else { binding.clone() }
    }
}
