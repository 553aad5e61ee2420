//! What report-only mode lets pass, and what it does not.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::common::{CODE, House, MALFORMED, VERIFIER, WRONG, hold, plain, redeem, s256};
use pkce_core::ClearanceKind::{Unverified, Verified, WithoutChallenge};
use pkce_core::CodeChallengeMethod::{Plain, S256};
use pkce_core::{ClearanceKind, Policy, Reason, Settle};

type Answer = Result<ClearanceKind, Reason>;

/// What was presented, and the answers: of the strict policy, and in report-only mode.
type Row = (Option<&'static str>, Answer, Answer);

async fn check(prepare: impl AsyncFn(&House), rows: [Row; 4]) {
    for (presented, strict, report_only) in rows {
        for (policy, expected) in [(Policy::new(), strict), (Policy::new().report_only(), report_only)] {
            let house = House::new();
            prepare(&house).await;
            assert_eq!(redeem(&house.server(policy), presented).await, expected, "{presented:?}");
        }
    }
}

#[tokio::test]
async fn a_code_without_a_record_passes_and_is_reported() {
    let prepare = async |_: &House| {};
    let rows = [
        (Some(VERIFIER), Err(Reason::CodeUnknown), Ok(Unverified(Reason::CodeUnknown))),
        (None, Err(Reason::VerifierMissing), Ok(Unverified(Reason::VerifierMissing))),
        (Some(""), Err(Reason::VerifierMissing), Ok(Unverified(Reason::VerifierMissing))),
        (Some(MALFORMED), Err(Reason::VerifierMalformed), Err(Reason::VerifierMalformed)), // syntax
    ];
    check(prepare, rows).await;
    let pkce = House::new().server(Policy::new().report_only());
    let (clearance, _reservation) = hold(&pkce, None).await.unwrap();
    assert!(!clearance.is_verified());
    assert!(matches!(clearance.grant::<String>(), Err(error) if error.is_missing()));
}

#[tokio::test]
async fn a_bound_code_is_enforced() {
    let prepare = async |house: &House| house.server(Policy::new()).bind(CODE, s256()).await.unwrap();
    let rows = [
        (Some(VERIFIER), Ok(Verified(S256)), Ok(Verified(S256))),
        (Some(WRONG), Err(Reason::VerifierMismatch), Err(Reason::VerifierMismatch)),
        (None, Err(Reason::VerifierMissing), Err(Reason::VerifierWithheld)),
        (Some(MALFORMED), Err(Reason::VerifierMalformed), Err(Reason::VerifierMalformed)),
    ];
    check(prepare, rows).await;
}

#[tokio::test]
async fn a_redeemed_code_is_enforced() {
    let prepare = async |house: &House| {
        let pkce = house.server(Policy::new());
        pkce.bind(CODE, s256()).await.unwrap();
        redeem(&pkce, Some(VERIFIER)).await.unwrap();
    };
    let rows = [
        (Some(VERIFIER), Err(Reason::CodeReplayed), Err(Reason::CodeReplayed)),
        (Some(WRONG), Err(Reason::CodeRedeemed), Err(Reason::CodeRedeemed)),
        (None, Err(Reason::VerifierMissing), Err(Reason::CodeRedeemed)),
        (Some(MALFORMED), Err(Reason::VerifierMalformed), Err(Reason::VerifierMalformed)),
    ];
    check(prepare, rows).await;
}

#[tokio::test]
async fn a_burned_code_is_enforced() {
    let prepare = async |house: &House| {
        let pkce = house.server(Policy::new().burn_on_mismatch());
        pkce.bind(CODE, s256()).await.unwrap();
        redeem(&pkce, Some(WRONG)).await.unwrap_err();
    };
    let rows = [
        (Some(VERIFIER), Err(Reason::CodeBurned), Err(Reason::CodeBurned)),
        (Some(WRONG), Err(Reason::CodeBurned), Err(Reason::CodeBurned)),
        (None, Err(Reason::VerifierMissing), Err(Reason::CodeBurned)),
        (Some(MALFORMED), Err(Reason::VerifierMalformed), Err(Reason::VerifierMalformed)),
    ];
    check(prepare, rows).await;
}

#[tokio::test]
async fn a_code_bound_by_a_method_no_longer_allowed_is_enforced() {
    let prepare = async |house: &House| {
        house.server(Policy::new().allow_plain()).bind(CODE, plain()).await.unwrap();
    };
    let rows = [
        (Some(VERIFIER), Err(Reason::MethodNoLongerAllowed), Err(Reason::MethodNoLongerAllowed)),
        (Some(WRONG), Err(Reason::VerifierMismatch), Err(Reason::VerifierMismatch)),
        (None, Err(Reason::VerifierMissing), Err(Reason::VerifierWithheld)),
        (Some(MALFORMED), Err(Reason::VerifierMalformed), Err(Reason::VerifierMalformed)),
    ];
    check(prepare, rows).await;
    let house = House::new();
    prepare(&house).await;
    let both = house.server(Policy::new().allow_plain().report_only());
    assert_eq!(redeem(&both, Some(VERIFIER)).await, Ok(Verified(Plain)));
}

#[tokio::test]
async fn a_code_bound_to_no_challenge_passes_without_a_verifier_only() {
    let prepare = async |house: &House| {
        house.server(Policy::new().allow_missing_challenge()).bind_without_challenge(CODE).await.unwrap();
    };
    let rows = [
        (Some(VERIFIER), Err(Reason::VerifierUnexpected), Err(Reason::VerifierUnexpected)), // C15
        (None, Err(Reason::VerifierMissing), Ok(Unverified(Reason::VerifierMissing))),      // C16
        (Some(""), Err(Reason::VerifierMissing), Ok(Unverified(Reason::VerifierMissing))),
        (Some(MALFORMED), Err(Reason::VerifierMalformed), Err(Reason::VerifierMalformed)),
    ];
    check(prepare, rows).await;
    let house = House::new();
    prepare(&house).await;
    let both = house.server(Policy::new().allow_missing_challenge().report_only());
    assert_eq!(redeem(&both, None).await, Ok(WithoutChallenge));
    assert_eq!(redeem(&both, None).await, Err(Reason::CodeReplayed)); // once only
}

#[tokio::test]
async fn a_tolerated_code_with_a_grant_is_served_once_and_can_be_restored() {
    let pkce = House::new().server(Policy::new().report_only());
    pkce.bind_without_challenge(CODE).grant("alice").await.unwrap();
    let (clearance, reservation) = hold(&pkce, None).await.unwrap();
    assert_eq!(clearance.kind(), Unverified(Reason::VerifierMissing));
    assert_eq!(clearance.grant::<String>().unwrap(), "alice");
    pkce.settle(reservation, Settle::by_status(401)).await;
    let (_, reservation) = hold(&pkce, None).await.unwrap();
    pkce.settle(reservation, Settle::by_status(200)).await;
    assert_eq!(redeem(&pkce, None).await, Err(Reason::CodeReplayed));
}

#[tokio::test]
async fn an_absence_that_the_policy_allows_is_bound_also_in_report_only_mode() {
    // A14
    let pkce = House::new().server(Policy::new().allow_missing_challenge().report_only());
    pkce.bind_without_challenge(CODE).await.unwrap();
    assert_eq!(redeem(&pkce, Some(VERIFIER)).await, Err(Reason::VerifierUnexpected));
    assert_eq!(redeem(&pkce, None).await, Ok(WithoutChallenge));
    assert_eq!(redeem(&pkce, None).await, Err(Reason::CodeReplayed));
}
