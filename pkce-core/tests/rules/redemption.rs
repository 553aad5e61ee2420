//! Redemption: who gets the code, and whether it is live afterwards. Rules C11 to C18 and C22, C23.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

use crate::common::{CODE, House, MALFORMED, VERIFIER, WRONG, hold, plain, redeem, s256};
use pkce_core::ClearanceKind::{Verified, WithoutChallenge};
use pkce_core::CodeChallengeMethod::{Plain, S256};
use pkce_core::adapter::{Body, Request};
use pkce_core::{CodeChallengeMethod, Policy, Reason, Replay, Settle};

#[tokio::test]
async fn a_refused_verifier_leaves_the_code_live() {
    for (presented, reason, calls) in [
        (Some(MALFORMED), Reason::VerifierMalformed, &[][..]), // C11: no look into the store
        (Some("%"), Reason::VerifierMalformed, &[]),
        (None, Reason::VerifierMissing, &[]), // C12
        (Some(""), Reason::VerifierMissing, &[]),
        (Some(WRONG), Reason::VerifierMismatch, &["redeem"]), // C14
        (Some(crate::common::CHALLENGE), Reason::VerifierMismatch, &["redeem"]),
    ] {
        let house = House::new();
        let pkce = house.server(Policy::new());
        pkce.bind(CODE, s256()).await.unwrap();
        house.calls();
        for _ in 0..3 {
            assert_eq!(redeem(&pkce, presented).await, Err(reason), "{presented:?}");
            assert_eq!(house.calls(), calls, "{presented:?}");
        }
        assert_eq!(redeem(&pkce, Some(VERIFIER)).await, Ok(Verified(S256)), "live after {presented:?}"); // C18
    }
}

#[tokio::test]
async fn what_is_refused_before_the_code_is_read_never_reaches_the_store() {
    let house = House::new();
    let pkce = house.server(Policy::new());
    for (code, verifier, reason) in [
        ("", Some(VERIFIER), Reason::CodeMissing), // C10
        ("c\n", Some(VERIFIER), Reason::CodeMalformed),
        (&"c".repeat(4097), Some(VERIFIER), Reason::CodeMalformed),
        ("c", Some(MALFORMED), Reason::VerifierMalformed), // C11
        ("c", Some(""), Reason::VerifierMissing),          // C12
    ] {
        assert_eq!(pkce.redeem(code, verifier).await.unwrap_err().reason(), reason);
    }
    assert_eq!(house.calls(), [""; 0]);
}

#[tokio::test]
async fn the_bound_method_decides_and_a_plain_verifier_is_not_hashed() {
    let policy = Policy::new().allow_plain();
    for (challenge, verifier, expected) in [
        (plain(), VERIFIER, Ok(Verified(Plain))),
        (plain(), crate::common::CHALLENGE, Err(Reason::VerifierMismatch)),
        (s256(), VERIFIER, Ok(Verified(S256))),
        (s256(), crate::common::CHALLENGE, Err(Reason::VerifierMismatch)), // never compared as plain
    ] {
        let pkce = House::new().server(policy.clone());
        pkce.bind(CODE, challenge).await.unwrap();
        assert_eq!(redeem(&pkce, Some(verifier)).await, expected);
    }
}

#[tokio::test]
async fn an_unknown_code_is_refused() {
    for policy in [Policy::new(), Policy::new().allow_plain(), Policy::new().allow_missing_challenge()] {
        let pkce = House::new().server(policy);
        assert_eq!(redeem(&pkce, Some(VERIFIER)).await, Err(Reason::CodeUnknown)); // C13
    }
    let lenient = House::new().server(Policy::new().allow_missing_challenge());
    assert_eq!(redeem(&lenient, None).await, Err(Reason::CodeUnknown)); // a missing record is never a pass
}

#[tokio::test]
async fn a_code_bound_to_no_challenge_is_served_without_a_verifier_only() {
    let house = House::new();
    let lenient = house.server(Policy::new().allow_missing_challenge());
    lenient.bind_without_challenge(CODE).await.unwrap();
    assert_eq!(redeem(&lenient, Some(VERIFIER)).await, Err(Reason::VerifierUnexpected)); // C15
    assert_eq!(redeem(&house.server(Policy::new()), Some(VERIFIER)).await, Err(Reason::VerifierUnexpected)); // C15
    assert_eq!(redeem(&house.server(Policy::new()), None).await, Err(Reason::VerifierMissing)); // C12
    assert_eq!(redeem(&lenient, None).await, Ok(WithoutChallenge)); // C16; live until now
    assert_eq!(redeem(&lenient, None).await, Err(Reason::CodeReplayed));
    assert_eq!(redeem(&lenient, Some(VERIFIER)).await, Err(Reason::CodeRedeemed));
}

#[tokio::test]
async fn leaving_the_verifier_out_never_helps_where_a_challenge_is_bound() {
    let house = House::new();
    for (policy, reason) in [
        (Policy::new(), Reason::VerifierMissing),                            // C12
        (Policy::new().allow_missing_challenge(), Reason::VerifierWithheld), // C12a
        (Policy::new().report_only(), Reason::VerifierWithheld),
    ] {
        let pkce = house.server(policy);
        _ = pkce.bind(CODE, s256()).await;
        assert_eq!(redeem(&pkce, None).await, Err(reason));
    }
    assert_eq!(redeem(&house.server(Policy::new()), Some(VERIFIER)).await, Ok(Verified(S256)));
}

#[tokio::test]
async fn a_method_that_is_no_longer_allowed_is_refused_and_the_code_is_live() {
    let house = House::new();
    let (before, after) = (house.server(Policy::new().allow_plain()), house.server(Policy::new()));
    before.bind(CODE, plain()).await.unwrap();
    for _ in 0..2 {
        assert_eq!(redeem(&after, Some(VERIFIER)).await, Err(Reason::MethodNoLongerAllowed)); // C17
        assert_eq!(redeem(&after, Some(WRONG)).await, Err(Reason::VerifierMismatch));
    }
    assert_eq!(redeem(&before, Some(VERIFIER)).await, Ok(Verified(Plain)));
}

#[tokio::test]
async fn a_mismatch_burns_the_code_only_if_the_policy_says_so() {
    let house = House::new();
    let replays = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&replays);
    let pkce = house
        .builder(Policy::new().burn_on_mismatch())
        .on_replay(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            async {}
        })
        .build();
    pkce.bind(CODE, s256()).await.unwrap();
    assert_eq!(redeem(&pkce, Some(MALFORMED)).await, Err(Reason::VerifierMalformed)); // C11: live
    assert_eq!(redeem(&pkce, None).await, Err(Reason::VerifierMissing)); // C12: live
    assert_eq!(redeem(&pkce, Some(WRONG)).await, Err(Reason::VerifierMismatch)); // C14: burned
    for presented in [VERIFIER, WRONG] {
        assert_eq!(redeem(&pkce, Some(presented)).await, Err(Reason::CodeBurned));
    }
    assert_eq!(redeem(&house.server(Policy::new()), Some(VERIFIER)).await, Err(Reason::CodeBurned));
    assert_eq!(replays.load(Ordering::SeqCst), 0); // C22: a burned code is no replay
}

#[tokio::test]
async fn a_code_that_was_redeemed_cannot_be_burned() {
    let house = House::new();
    let pkce = house.server(Policy::new().burn_on_mismatch());
    pkce.bind(CODE, s256()).await.unwrap();
    let (_, reservation) = hold(&pkce, Some(VERIFIER)).await.unwrap();
    assert_eq!(redeem(&pkce, Some(WRONG)).await, Err(Reason::CodeRedeemed));
    pkce.settle(reservation, Settle::by_status(401)).await;
    assert_eq!(redeem(&pkce, Some(VERIFIER)).await, Ok(Verified(S256)));
}

#[tokio::test]
async fn the_host_is_told_of_a_replay_only_by_whoever_had_the_right_verifier() {
    let house = House::new();
    let told: Arc<Mutex<Vec<(String, Duration)>>> = Arc::default();
    let sink = Arc::clone(&told);
    let hook = move |replay: Replay| {
        let sink = Arc::clone(&sink);
        async move {
            tokio::task::yield_now().await; // awaited, not only started
            sink.lock().unwrap().push((replay.grant().unwrap(), replay.age()));
        }
    };
    let pkce = house.builder(Policy::new().allow_missing_challenge()).on_replay(hook).build();
    pkce.bind(CODE, s256()).grant("alice").await.unwrap();
    let (clearance, _reservation) = hold(&pkce, Some(VERIFIER)).await.unwrap();
    assert_eq!(clearance.grant::<String>().unwrap(), "alice");
    for (presented, reason) in [
        (Some(WRONG), Reason::CodeRedeemed), // C23
        (None, Reason::CodeRedeemed),
        (Some(MALFORMED), Reason::VerifierMalformed),
    ] {
        assert_eq!(redeem(&pkce, presented).await, Err(reason));
    }
    assert_eq!(*told.lock().unwrap(), []);
    house.clock.forward(1_500);
    assert_eq!(redeem(&pkce, Some(VERIFIER)).await, Err(Reason::CodeReplayed)); // C22
    house.clock.forward(58_499);
    assert_eq!(redeem(&pkce, Some(VERIFIER)).await, Err(Reason::CodeReplayed)); // the replay did not move the clock
    let of_alice = |millis| ("alice".to_owned(), Duration::from_millis(millis));
    assert_eq!(*told.lock().unwrap(), [of_alice(1_500), of_alice(59_999)]);
    house.clock.forward(1);
    assert_eq!(redeem(&pkce, Some(VERIFIER)).await, Err(Reason::CodeUnknown)); // C13: forgotten with its expiry
    assert_eq!(told.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_code_expires_to_the_millisecond() {
    for (after, expected) in [(0, true), (59_999, true), (60_000, false), (600_000, false)] {
        let house = House::new();
        let pkce = house.server(Policy::new());
        pkce.bind(CODE, s256()).await.unwrap();
        house.clock.forward(after);
        assert_eq!(redeem(&pkce, Some(VERIFIER)).await.is_ok(), expected, "after {after} ms"); // C13
    }
    for (lifetime, after, expected) in
        [(1, 0, true), (1, 1, false), (600_000, 599_999, true), (600_000, 600_000, false)]
    {
        let house = House::new();
        let pkce = house.server(Policy::new());
        pkce.bind(CODE, s256()).lifetime(Duration::from_millis(lifetime)).await.unwrap();
        house.clock.forward(after);
        assert_eq!(redeem(&pkce, Some(VERIFIER)).await.is_ok(), expected, "life of {lifetime} ms after {after} ms");
    }
}

#[tokio::test]
async fn a_code_from_the_future_is_expired_and_not_used_up() {
    let house = House::new();
    let pkce = house.builder(Policy::new()).on_replay(|_| async { panic!("nothing was ever served") }).build();
    pkce.bind(CODE, s256()).await.unwrap();
    house.clock.back(5_001);
    assert_eq!(redeem(&pkce, Some(VERIFIER)).await, Err(Reason::CodeExpired)); // B
    house.clock.forward(1);
    assert_eq!(redeem(&pkce, Some(VERIFIER)).await, Ok(Verified(S256)));
}

#[test]
fn of_many_threads_with_the_right_verifier_exactly_one_proceeds() {
    const THREADS: usize = 16;
    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }
    for round in 0..50 {
        let pkce = House::new().server(Policy::new());
        block_on(async { pkce.bind(CODE, s256()).await }).unwrap();
        let barrier = Barrier::new(THREADS);
        let answers: Vec<_> = std::thread::scope(|scope| {
            let request = |number: usize| {
                let (pkce, barrier) = (&pkce, &barrier);
                let verifier = if number.is_multiple_of(4) { WRONG } else { VERIFIER };
                scope.spawn(move || {
                    barrier.wait();
                    block_on(redeem(pkce, Some(verifier)))
                })
            };
            let threads: Vec<_> = (0..THREADS).map(request).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "round {round}: {answers:?}");
        for answer in answers.iter().filter_map(|answer| answer.err()) {
            assert!(matches!(answer, Reason::CodeReplayed | Reason::CodeRedeemed | Reason::VerifierMismatch));
        }
    }
}

#[tokio::test]
async fn a_clearance_names_the_code_that_was_judged() {
    let house = House::new();
    let pkce = house.server(Policy::new());
    pkce.bind(CODE, s256()).await.unwrap();
    let (clearance, _reservation) = pkce.redeem(CODE, Some(VERIFIER)).await.unwrap();
    assert_eq!(clearance.code(), Some(CODE));

    pkce.bind("a code/+", s256()).await.unwrap();
    let body = format!("grant_type=authorization_code&code=a+%63ode%2F%2b&code_verifier={VERIFIER}");
    let request = Request::new("POST", Body::Complete(body.as_bytes()))
        .header("content-type", b"application/x-www-form-urlencoded");
    let (clearance, _reservation) = pkce.judge(&request).await.unwrap();
    assert_eq!(clearance.unwrap().code(), Some("a code/+"), "after decoding");

    let body = Body::Complete(b"grant_type=refresh_token");
    let request = Request::new("POST", body).header("content-type", b"application/x-www-form-urlencoded");
    let (clearance, _reservation) = pkce.judge(&request).await.unwrap();
    assert_eq!(clearance.unwrap().code(), None);
}

#[tokio::test]
async fn a_replay_says_by_which_method_it_was_recognised() {
    let house = House::new();
    let told: Arc<Mutex<Vec<Option<CodeChallengeMethod>>>> = Arc::default();
    let sink = Arc::clone(&told);
    let hook = move |replay: Replay| {
        sink.lock().unwrap().push(replay.method());
        std::future::ready(())
    };
    let pkce = house.builder(Policy::new().allow_missing_challenge()).on_replay(hook).build();
    pkce.bind(CODE, s256()).await.unwrap();
    pkce.bind_without_challenge("another").await.unwrap();
    for _ in 0..2 {
        _ = pkce.redeem(CODE, Some(VERIFIER)).await;
        _ = pkce.redeem("another", None).await;
    }
    assert_eq!(*told.lock().unwrap(), [Some(S256), None]);
}

#[tokio::test]
async fn a_clearance_says_how_long_ago_the_code_was_bound() {
    let house = House::new();
    let pkce = house.server(Policy::new().allow_missing_challenge().report_only());
    pkce.bind(CODE, s256()).client_id("spa").await.unwrap();
    pkce.bind_without_challenge("two").await.unwrap();
    house.clock.forward(1_500);
    let (clearance, _) = hold(&pkce, Some(VERIFIER)).await.unwrap();
    assert_eq!(clearance.age(), Some(Duration::from_millis(1_500)));
    let (clearance, _) = pkce.redeem("two", None).await.unwrap();
    assert_eq!(clearance.age(), Some(Duration::from_millis(1_500)));
    let (unverified, _) = pkce.redeem("unknown", Some(VERIFIER)).await.unwrap();
    assert_eq!(unverified.age(), None);

    pkce.bind("three", s256()).await.unwrap();
    house.clock.back(2_000); // another server's clock is behind
    let (clearance, _) = pkce.redeem("three", Some(VERIFIER)).await.unwrap();
    assert_eq!(clearance.age(), Some(Duration::ZERO));
}
