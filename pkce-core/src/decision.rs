//! The decision: may this code be served for this proof?
//!
//! Pure: no store, no clock. [`Pkce`](crate::Pkce) fetches the record, and carries out the decision.

use std::time::Duration;

use crate::method::CodeChallengeMethod;
use crate::policy::Policy;
use crate::proof::Proof;
use crate::reason::Reason;
use crate::store::{Attempt, Binding, Redemption, Ticket};

/// What to do with a token request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The verifier matches: the host may run.
    Verified(CodeChallengeMethod, Binding),
    /// Bound to no challenge, and the policy allows that.
    WithoutChallenge(Binding),
    /// Let pass in report-only mode. The reason is what it would be rejected for.
    Tolerated(Reason, Option<Binding>),
    /// Rejected, with what that entails.
    Rejected(Reason, Consequence),
}

/// What a rejection entails.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Consequence {
    /// Nothing.
    Nothing,
    /// The store marked a code that is not served: restore it.
    Restore,
    /// The policy burns the code: redeem it with its own proof and the reserved ticket.
    Burn(Option<Proof>),
    /// A replay with the right proof, and the time since the first redemption: the host is to be told.
    Replay(Binding, Duration),
}

/// A rejection that needs no look into the store.
pub(crate) fn before_redeeming(presented: Option<&Proof>, policy: &Policy) -> Option<Reason> {
    let missing = presented.is_none() && !policy.allow_missing_challenge && !policy.report_only;
    missing.then_some(Reason::VerifierMissing) // RFC 9700 §2.1.1
}

/// Judges what the store found.
pub(crate) fn judge(attempt: &Attempt, found: Redemption, policy: &Policy) -> Decision {
    use Decision::Rejected;
    let (presented, now) = (attempt.proof(), attempt.at());
    match found {
        // A missing record is never a pass, but in a roll-out.
        Redemption::Unknown if policy.report_only => {
            let reason = if presented.is_none() { Reason::VerifierMissing } else { Reason::CodeUnknown };
            Decision::Tolerated(reason, None)
        }
        Redemption::Unknown => Rejected(Reason::CodeUnknown, Consequence::Nothing),

        // Expired by this clock only (it ran backwards, say): the store marked it, and its next use is no replay.
        Redemption::First(binding) if binding.is_expired(now) => Rejected(Reason::CodeExpired, Consequence::Restore),
        Redemption::Refused(binding) | Redemption::Again { binding, .. } if binding.is_expired(now) => {
            Rejected(Reason::CodeExpired, Consequence::Nothing)
        }

        Redemption::First(binding) => serve(presented, binding, policy),

        // The core decides: a store that does not mark an equal proof is at fault, not the client.
        Redemption::Refused(binding) => match disagreement(presented, binding.proof()) {
            None => Rejected(Reason::StoreContractBroken, Consequence::Nothing),
            Some(Reason::VerifierMismatch) if policy.burn_on_mismatch => {
                Rejected(Reason::VerifierMismatch, Consequence::Burn(binding.proof().copied()))
            }
            Some(reason) => Rejected(reason, Consequence::Nothing),
        },

        Redemption::Again { ticket: Ticket::BURNED, .. } => Rejected(Reason::CodeBurned, Consequence::Nothing),
        Redemption::Again { binding, at, .. } => match disagreement(presented, binding.proof()) {
            None => Rejected(Reason::CodeReplayed, Consequence::Replay(binding, now.saturating_since(at))),
            // Whoever lacks the verifier must not be able to have the client's tokens revoked (OAuth 2.1 §7.5.3).
            Some(_) => Rejected(Reason::CodeRedeemed, Consequence::Nothing),
        },
    }
}

/// The store marked the code: the core compares again, so a store that ignores the proof lets nobody in.
fn serve(presented: Option<&Proof>, binding: Binding, policy: &Policy) -> Decision {
    if disagreement(presented, binding.proof()).is_some() {
        return Decision::Rejected(Reason::StoreContractBroken, Consequence::Restore);
    }
    match binding.method() {
        Some(method) if policy.allows(method) => Decision::Verified(method, binding),
        Some(_) => Decision::Rejected(Reason::MethodNoLongerAllowed, Consequence::Restore),
        None if policy.allow_missing_challenge => Decision::WithoutChallenge(binding),
        None if policy.report_only => Decision::Tolerated(Reason::VerifierMissing, Some(binding)),
        None => Decision::Rejected(Reason::VerifierWithheld, Consequence::Restore),
    }
}

/// How a presented proof differs from the bound one, if it does. Equal proofs are found so in constant time.
fn disagreement(presented: Option<&Proof>, bound: Option<&Proof>) -> Option<Reason> {
    match (presented, bound) {
        (Some(presented), Some(bound)) => (presented != bound).then_some(Reason::VerifierMismatch),
        (None, Some(_)) => Some(Reason::VerifierWithheld),
        (Some(_), None) => Some(Reason::VerifierUnexpected), // RFC 9700 §4.8.2: a downgrade
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::store::BindingParts;

    const NOW: u64 = 100_000;
    const RIGHT: Proof = Proof::from_bytes([7; 32]);
    const WRONG: Proof = Proof::from_bytes([8; 32]);

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_epoch_millis(millis)
    }

    fn attempt(presented: Option<Proof>) -> Attempt {
        Attempt::new(presented, Ticket::from_bytes([1; 16]), at(NOW))
    }

    /// A live binding by `S256`, `plain` or `none`.
    fn binding(method: &str) -> Binding {
        let proof = (method != Binding::NO_CHALLENGE).then_some(RIGHT.as_bytes().as_slice());
        Binding::from_parts(BindingParts {
            method,
            proof,
            grant: None,
            issued_at: at(NOW - 1_000),
            expires_at: at(NOW + 59_000),
        })
        .unwrap()
    }

    /// The policies of the tables, in this order.
    fn policies() -> [Policy; 5] {
        let new = Policy::new;
        [new(), new().allow_plain(), new().allow_missing_challenge(), new().report_only(), new().burn_on_mismatch()]
    }

    /// What was bound, what was presented, and the decision under each of the policies.
    type Row = (&'static str, Option<Proof>, [Decision; 5]);

    fn check(found: fn(Binding) -> Redemption, rows: Vec<Row>) {
        for (method, presented, expected) in rows {
            for (policy, expected) in policies().into_iter().zip(expected) {
                let judged = judge(&attempt(presented), found(binding(method)), &policy);
                assert_eq!(judged, expected, "bound {method}, presented {presented:?}: {policy:?}");
            }
        }
    }

    fn stop(reason: Reason) -> Decision {
        Decision::Rejected(reason, Consequence::Nothing)
    }

    fn restore(reason: Reason) -> Decision {
        Decision::Rejected(reason, Consequence::Restore)
    }

    fn always(decision: impl Fn() -> Decision) -> [Decision; 5] {
        std::array::from_fn(|_| decision())
    }

    #[test]
    fn a_code_marked_first_is_served_only_for_the_proof_and_by_the_policy_of_today() {
        let broken = || always(|| restore(Reason::StoreContractBroken));
        let verified = |method| move || Decision::Verified(method, binding(method.as_str()));
        let no_longer = || restore(Reason::MethodNoLongerAllowed);
        let plain = verified(CodeChallengeMethod::Plain);
        let missing = || restore(Reason::VerifierWithheld);
        let rows = vec![
            ("S256", Some(RIGHT), always(verified(CodeChallengeMethod::S256))),
            ("S256", Some(WRONG), broken()),
            ("S256", None, broken()),
            ("plain", Some(RIGHT), [no_longer(), plain(), no_longer(), no_longer(), no_longer()]),
            ("plain", Some(WRONG), broken()),
            ("plain", None, broken()),
            ("none", Some(RIGHT), broken()),
            (
                "none",
                None,
                [
                    missing(),
                    missing(),
                    Decision::WithoutChallenge(binding("none")),
                    Decision::Tolerated(Reason::VerifierMissing, Some(binding("none"))),
                    missing(),
                ],
            ),
        ];
        check(Redemption::First, rows);
    }

    #[test]
    fn a_refused_proof_is_refused_for_its_reason_and_burned_only_on_demand() {
        let mismatch = || {
            let stop = || stop(Reason::VerifierMismatch);
            [
                stop(),
                stop(),
                stop(),
                stop(),
                Decision::Rejected(Reason::VerifierMismatch, Consequence::Burn(Some(RIGHT))),
            ]
        };
        let broken = || always(|| stop(Reason::StoreContractBroken));
        let rows = vec![
            ("S256", Some(RIGHT), broken()),
            ("S256", Some(WRONG), mismatch()),
            ("S256", None, always(|| stop(Reason::VerifierWithheld))),
            ("plain", Some(RIGHT), broken()),
            ("plain", Some(WRONG), mismatch()),
            ("plain", None, always(|| stop(Reason::VerifierWithheld))),
            ("none", Some(RIGHT), always(|| stop(Reason::VerifierUnexpected))),
            ("none", None, broken()),
        ];
        check(Redemption::Refused, rows);
    }

    #[test]
    fn a_redeemed_code_is_a_replay_only_for_the_right_proof() {
        let replay = |method| {
            let then = move || Consequence::Replay(binding(method), Duration::from_millis(400));
            always(move || Decision::Rejected(Reason::CodeReplayed, then()))
        };
        let redeemed = || always(|| stop(Reason::CodeRedeemed));
        let rows = || {
            vec![
                ("S256", Some(RIGHT), replay("S256")),
                ("S256", Some(WRONG), redeemed()),
                ("S256", None, redeemed()),
                ("plain", Some(RIGHT), replay("plain")),
                ("plain", Some(WRONG), redeemed()),
                ("plain", None, redeemed()),
                ("none", Some(RIGHT), redeemed()),
                ("none", None, replay("none")),
            ]
        };
        check(|binding| Redemption::Again { binding, ticket: Ticket::from_bytes([2; 16]), at: at(NOW - 400) }, rows());
        let burned = |binding| Redemption::Again { binding, ticket: Ticket::BURNED, at: at(NOW - 400) };
        let all_burned =
            rows().into_iter().map(|(bound, presented, _)| (bound, presented, always(|| stop(Reason::CodeBurned))));
        check(burned, all_burned.collect());
    }

    #[test]
    fn an_unknown_code_passes_in_a_roll_out_only() {
        for (presented, reason) in [(Some(RIGHT), Reason::CodeUnknown), (None, Reason::VerifierMissing)] {
            for policy in policies() {
                let tolerated = Decision::Tolerated(reason, None);
                let expected = if policy.report_only { tolerated } else { stop(Reason::CodeUnknown) };
                assert_eq!(judge(&attempt(presented), Redemption::Unknown, &policy), expected, "{policy:?}");
            }
        }
    }

    #[test]
    fn an_expired_code_is_refused_whatever_else_holds_and_unmarked_if_it_was_marked() {
        let (ticket, redeemed_at) = (Ticket::from_bytes([2; 16]), at(NOW - 400));
        for (from, until) in [(NOW - 60_000, NOW), (NOW + 5_001, NOW + 6_000)] {
            for (method, proof) in [("S256", Some(RIGHT)), ("plain", Some(RIGHT)), ("none", None)] {
                let bound = proof.as_ref().map(|proof| proof.as_bytes().as_slice());
                let expired = Binding::from_parts(BindingParts {
                    method,
                    proof: bound,
                    grant: None,
                    issued_at: at(from),
                    expires_at: at(until),
                })
                .unwrap();
                for (found, expected) in [
                    (Redemption::First(expired.clone()), restore(Reason::CodeExpired)),
                    (Redemption::Refused(expired.clone()), stop(Reason::CodeExpired)),
                    (Redemption::Again { binding: expired, ticket, at: redeemed_at }, stop(Reason::CodeExpired)),
                ] {
                    for policy in policies() {
                        assert_eq!(judge(&attempt(proof), found.clone(), &policy), expected, "{found:?}: {policy:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_missing_verifier_needs_no_look_into_the_store_unless_it_may_be_missing() {
        let missing = Some(Reason::VerifierMissing);
        for (policy, expected) in policies().into_iter().zip([missing, missing, None, None, missing]) {
            assert_eq!(before_redeeming(None, &policy), expected, "{policy:?}");
            assert_eq!(before_redeeming(Some(&WRONG), &policy), None, "{policy:?}");
        }
    }
}
