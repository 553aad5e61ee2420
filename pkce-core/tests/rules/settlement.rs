//! What becomes of a redeemed code once the host has answered. Rules C19 to C21.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use crate::common::{CODE, House, VERIFIER, WRONG, hold, redeem, s256};
use pkce_core::ClearanceKind::{Verified, WithoutChallenge};
use pkce_core::CodeChallengeMethod::S256;
use pkce_core::adapter::{Body, Request};
use pkce_core::{Policy, Reason, Settle};

#[tokio::test]
async fn the_hosts_status_decides_unless_the_host_overrules_it() {
    for status in
        [200, 201, 204, 301, 303, 400, 401, 402, 403, 404, 405, 408, 409, 415, 422, 425, 429, 499, 500, 502, 503]
    {
        let refusal = [400, 401, 403, 415, 422, 429].contains(&status); // C19; everything else C20, C21
        for (overrule, live) in [(None, refusal), (Some(Settle::Keep), false), (Some(Settle::Restore), true)] {
            let pkce = House::new().server(Policy::new());
            pkce.bind(CODE, s256()).await.unwrap();
            let (_, reservation) = hold(&pkce, Some(VERIFIER)).await.unwrap();
            pkce.settle(reservation, overrule.unwrap_or_else(|| Settle::by_status(status))).await;
            let expected = if live { Ok(Verified(S256)) } else { Err(Reason::CodeReplayed) };
            assert_eq!(redeem(&pkce, Some(VERIFIER)).await, expected, "{status} {overrule:?}");
        }
    }
}

#[tokio::test]
async fn a_reservation_that_is_dropped_leaves_the_code_redeemed() {
    let pkce = House::new().server(Policy::new());
    pkce.bind(CODE, s256()).await.unwrap();
    drop(hold(&pkce, Some(VERIFIER)).await.unwrap()); // C21: a panic, a disconnect, a time-out
    assert_eq!(redeem(&pkce, Some(VERIFIER)).await, Err(Reason::CodeReplayed));
}

#[tokio::test]
async fn a_restored_code_is_as_before_and_no_older() {
    let house = House::new();
    let pkce = house.server(Policy::new());
    pkce.bind(CODE, s256()).grant("alice").await.unwrap();
    for _ in 0..5 {
        let (clearance, reservation) = hold(&pkce, Some(VERIFIER)).await.unwrap();
        assert_eq!(clearance.grant::<String>().unwrap(), "alice");
        house.clock.forward(10_000);
        pkce.settle(reservation, Settle::by_status(401)).await;
        assert_eq!(redeem(&pkce, Some(WRONG)).await, Err(Reason::VerifierMismatch));
        assert_eq!(redeem(&pkce, None).await, Err(Reason::VerifierMissing));
    }
    house.clock.forward(9_999);
    let (_, reservation) = hold(&pkce, Some(VERIFIER)).await.unwrap();
    house.clock.forward(1);
    pkce.settle(reservation, Settle::by_status(401)).await; // restoring does not revive an expired code
    assert_eq!(redeem(&pkce, Some(VERIFIER)).await, Err(Reason::CodeUnknown));
}

#[tokio::test]
async fn settling_touches_the_store_only_to_restore() {
    let house = House::new();
    let pkce = house.server(Policy::new().allow_missing_challenge());
    for (status, calls) in
        [(200, &["insert", "redeem"][..]), (500, &["insert", "redeem"]), (400, &["insert", "redeem", "restore"])]
    {
        let code = format!("code-{status}");
        pkce.bind(&code, s256()).await.unwrap();
        let (_, reservation) = pkce.redeem(&code, Some(VERIFIER)).await.unwrap();
        pkce.settle(reservation, Settle::by_status(status)).await;
        assert_eq!(house.calls(), calls, "{status}");
    }
}

#[tokio::test]
async fn a_code_without_a_challenge_is_restored_too() {
    let pkce = House::new().server(Policy::new().allow_missing_challenge());
    pkce.bind_without_challenge(CODE).await.unwrap();
    let (_, reservation) = hold(&pkce, None).await.unwrap();
    pkce.settle(reservation, Settle::by_status(401)).await;
    assert_eq!(redeem(&pkce, None).await, Ok(WithoutChallenge));
}

#[tokio::test]
async fn a_request_that_redeemed_nothing_has_nothing_to_settle() {
    let house = House::new();
    let pkce = house.server(Policy::new().report_only());
    let request = Request::new("POST", Body::Complete(b"grant_type=refresh_token&refresh_token=r"))
        .header("content-type", b"application/x-www-form-urlencoded");
    let (clearance, reservation) = pkce.judge(&request).await.unwrap(); // C8
    assert_eq!(clearance.unwrap().kind().as_str(), "other_grant");
    pkce.settle(reservation, Settle::Restore).await;
    let (_, unverified) = hold(&pkce, Some(VERIFIER)).await.unwrap();
    pkce.settle(unverified, Settle::by_status(400)).await;
    assert_eq!(house.calls(), ["redeem"]);
}

#[tokio::test]
async fn an_old_reservation_does_not_restore_what_somebody_else_redeemed() {
    let house = House::new();
    let pkce = house.server(Policy::new());
    pkce.bind(CODE, s256()).await.unwrap();
    let (_, first) = hold(&pkce, Some(VERIFIER)).await.unwrap();
    assert_eq!(redeem(&pkce, Some(VERIFIER)).await, Err(Reason::CodeReplayed));
    house.clock.forward(60_000); // expired; the same code is bound anew, for another client
    pkce.bind(CODE, s256()).await.unwrap();
    assert_eq!(redeem(&pkce, Some(VERIFIER)).await, Ok(Verified(S256)));
    pkce.settle(first, Settle::by_status(400)).await;
    assert_eq!(redeem(&pkce, Some(VERIFIER)).await, Err(Reason::CodeReplayed));
}
