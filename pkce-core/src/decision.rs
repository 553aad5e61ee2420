//! The decision: may this code be served to whoever presented this proof?
//!
//! Pure: no store, no clock. [`Pkce`](crate::Pkce) fetches what it judges and carries out what it says.

use std::time::Duration;

use crate::attempt::{Attempt, Ticket};
use crate::binding::Binding;
use crate::method::CodeChallengeMethod;
use crate::policy::Policy;
use crate::proof::Proof;
use crate::reason::Reason;
use crate::store::Redemption;

/// What the answer is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The verifier matches: the host may run.
    Verified(CodeChallengeMethod, Binding),
    /// Bound to no challenge, and the policy allows that.
    WithoutChallenge(Binding),
    /// Let pass in report-only mode; the reason is what it would be refused for.
    Tolerated(Reason, Option<Binding>),
    /// Refused.
    Refused(Reason, Then),
}

/// What else a refusal entails.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// Nothing.
    Stop,
    /// The store marked a code that is not served: it is to be restored.
    Restore,
    /// The policy burns the code: it is to be redeemed with its own proof and the reserved ticket.
    Burn(Option<Proof>),
    /// A replay by whoever had the right to the first redemption, so long ago: the host is to be told.
    Replay(Binding, Duration),
}

/// A refusal that needs no look into the store.
pub(crate) fn before_redeeming(presented: Option<&Proof>, policy: &Policy) -> Option<Reason> {
    let missing = presented.is_none() && !policy.allows_missing_challenge() && !policy.is_report_only();
    missing.then_some(Reason::VerifierMissing) // RFC 9700 §2.1.1
}

/// Judges what the store found.
pub(crate) fn judge(attempt: &Attempt, found: Redemption, policy: &Policy) -> Decision {
    use Decision::Refused;
    let (presented, now) = (attempt.proof(), attempt.at());
    match found {
        // A missing record is never a pass, but in a roll-out.
        Redemption::Unknown if policy.is_report_only() => {
            let reason = if presented.is_none() { Reason::VerifierMissing } else { Reason::CodeUnknown };
            Decision::Tolerated(reason, None)
        }
        Redemption::Unknown => Refused(Reason::CodeUnknown, Then::Stop),

        Redemption::First(binding) | Redemption::Refused(binding) | Redemption::Again { binding, .. }
            if binding.is_expired(now) =>
        {
            Refused(Reason::CodeExpired, Then::Stop)
        }

        Redemption::First(binding) => serve(presented, binding, policy),

        // The core is the judge: a store that refuses what it should have marked is at fault, not the client.
        Redemption::Refused(binding) => match disagreement(presented, binding.proof()) {
            None => Refused(Reason::StoreContractBroken, Then::Stop),
            Some(Reason::VerifierMismatch) if policy.burns_on_mismatch() => {
                Refused(Reason::VerifierMismatch, Then::Burn(binding.proof().copied()))
            }
            Some(reason) => Refused(reason, Then::Stop),
        },

        Redemption::Again { ticket: Ticket::BURNED, .. } => Refused(Reason::CodeBurned, Then::Stop),
        Redemption::Again { binding, at, .. } => match disagreement(presented, binding.proof()) {
            None => Refused(Reason::CodeReplayed, Then::Replay(binding, now.saturating_since(at))),
            // Whoever lacks the verifier must not be able to have the client's tokens revoked (OAuth 2.1 §7.5.2).
            Some(_) => Refused(Reason::CodeRedeemed, Then::Stop),
        },
    }
}

/// The store marked the code: the core compares again, so a store that ignores the proof lets nobody in.
fn serve(presented: Option<&Proof>, binding: Binding, policy: &Policy) -> Decision {
    if disagreement(presented, binding.proof()).is_some() {
        return Decision::Refused(Reason::StoreContractBroken, Then::Restore);
    }
    match binding.method() {
        Some(method) if policy.allows(method) => Decision::Verified(method, binding),
        Some(_) => Decision::Refused(Reason::MethodNoLongerAllowed, Then::Restore),
        None if policy.allows_missing_challenge() => Decision::WithoutChallenge(binding),
        None if policy.is_report_only() => Decision::Tolerated(Reason::VerifierMissing, Some(binding)),
        None => Decision::Refused(Reason::MissingChallengeNoLongerAllowed, Then::Restore),
    }
}

/// How a presented proof differs from the bound one, if it does. Equal proofs are found so in constant time.
fn disagreement(presented: Option<&Proof>, bound: Option<&Proof>) -> Option<Reason> {
    match (presented, bound) {
        (Some(presented), Some(bound)) => (presented != bound).then_some(Reason::VerifierMismatch),
        (None, Some(_)) => Some(Reason::VerifierMissing),
        (Some(_), None) => Some(Reason::VerifierUnexpected), // RFC 9700 §4.8.2: a downgrade
        (None, None) => None,
    }
}
