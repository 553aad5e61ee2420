//! What can be bound to a code, and what the host is told when it cannot. Rules A14 and B.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::error::Error as _;
use std::time::Duration;

use crate::common::{CODE, House, VERIFIER, WRONG, hold, plain, redeem, s256};
use pkce_core::ClearanceKind::{Unverified, Verified, WithoutChallenge};
use pkce_core::CodeChallengeMethod::S256;
use pkce_core::store::StoreErrorKind;
use pkce_core::{
    AuthorizationCode, AuthorizationResponse, BindError, CodeChallenge, CodeVerifier, GrantError, MemoryStore,
    PendingChallenge, Pkce, Policy, Reason, Rejection, Settle,
};

/// What a session gives back that lost its challenge.
fn null() -> PendingChallenge {
    serde_json::from_str("null").unwrap()
}

#[tokio::test]
async fn only_a_code_that_could_be_redeemed_is_bound() {
    let house = House::new();
    let pkce = house.server(Policy::new());
    for code in ["", "c\n", "c\0", "\u{e9}", "\u{7f}", &"c".repeat(4097)] {
        assert!(matches!(pkce.bind(code, s256()).await, Err(BindError::InvalidCode)), "{code:?}");
    }
    assert_eq!(house.calls(), [""; 0]);
    for code in ["c", " ", "~", &"c".repeat(4096)] {
        pkce.bind(code, s256()).await.unwrap();
        assert!(pkce.redeem(code, Some(VERIFIER)).await.is_ok(), "{code:?}");
    }
}

#[test]
fn a_generated_code_is_43_characters_of_base64url_and_another_each_time() {
    let (one, another) = (AuthorizationCode::generate().unwrap(), AuthorizationCode::generate().unwrap());
    for code in [&one, &another] {
        assert_eq!((code.as_str().len(), code.as_ref()), (43, code.as_str()));
        assert!(code.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    }
    assert_ne!(one.as_str(), another.as_str());
}

#[tokio::test]
async fn a_method_that_the_policy_does_not_allow_is_not_bound() {
    let house = House::new();
    for policy in [Policy::new(), Policy::new().report_only(), Policy::new().allow_missing_challenge()] {
        // The policy was changed while the challenge waited in a session.
        assert!(matches!(house.server(policy).bind(CODE, plain()).await, Err(BindError::MethodNotAllowed)));
    }
    assert_eq!(house.calls(), [""; 0]);
}

#[tokio::test]
async fn no_challenge_is_bound_only_explicitly_and_only_if_the_policy_allows_it() {
    let house = House::new();
    let (strict, lenient) = (house.server(Policy::new()), house.server(Policy::new().allow_missing_challenge()));
    for refused in [
        strict.bind(CODE, null()).await,
        strict.bind_without_challenge(CODE).await,
        lenient.bind(CODE, null()).await, // a lost value is not a decision: A14
        lenient.bind(CODE, null()).grant("alice").await,
    ] {
        assert!(matches!(refused, Err(BindError::ChallengeRequired)), "{refused:?}");
    }
    assert_eq!(house.calls(), [""; 0]);
    lenient.bind_without_challenge(CODE).grant("alice").await.unwrap();
    let (clearance, _reservation) = hold(&lenient, None).await.unwrap();
    assert_eq!((clearance.kind(), clearance.grant::<String>().unwrap()), (WithoutChallenge, "alice".to_owned()));
}

#[tokio::test]
async fn report_only_keeps_no_record_of_a_missing_challenge_unless_there_is_a_grant() {
    let house = House::new();
    let pkce = house.server(Policy::new().report_only());
    pkce.bind(CODE, null()).await.unwrap();
    pkce.bind_without_challenge(CODE).await.unwrap();
    assert_eq!(house.calls(), [""; 0]);
    assert_eq!(redeem(&pkce, Some(VERIFIER)).await, Ok(Unverified(Reason::CodeUnknown)));
    pkce.bind(CODE, null()).grant("alice").await.unwrap();
    assert_eq!(redeem(&pkce, None).await, Ok(Unverified(Reason::VerifierMissing)));
    assert!(matches!(pkce.bind("c\n", null()).await, Err(BindError::InvalidCode)));
}

#[tokio::test]
async fn an_existing_binding_is_never_overwritten() {
    let house = House::new();
    let pkce = house.server(Policy::new().allow_missing_challenge().allow_plain());
    let other: CodeChallenge = WRONG.parse::<CodeVerifier>().unwrap().challenge();
    pkce.bind(CODE, s256()).grant("alice").await.unwrap();
    for redeemed in [false, true] {
        for refused in [
            pkce.bind(CODE, other.clone()).await,
            pkce.bind(CODE, s256()).grant("mallory").await,
            pkce.bind(CODE, plain()).await,
            pkce.bind_without_challenge(CODE).await,
        ] {
            assert!(matches!(refused, Err(BindError::CodeAlreadyBound)), "{refused:?}");
        }
        let held = hold(&pkce, Some(VERIFIER)).await;
        if redeemed {
            assert_eq!(held.unwrap_err(), Reason::CodeReplayed);
        } else {
            let (clearance, _reservation) = held.unwrap();
            assert_eq!((clearance.kind(), clearance.grant::<String>().unwrap()), (Verified(S256), "alice".to_owned()));
        }
    }
}

#[tokio::test]
async fn a_code_lives_from_one_millisecond_to_ten_minutes() {
    for (lifetime, millis) in [
        (Duration::ZERO, 1),
        (Duration::from_nanos(999_999), 1),
        (Duration::from_millis(1), 1),
        (Duration::from_secs(300), 300_000),
        (Duration::from_secs(600), 600_000),
        (Duration::from_millis(600_001), 600_000),
        (Duration::MAX, 600_000),
    ] {
        for by_policy in [false, true] {
            let house = House::new();
            let policy = if by_policy { Policy::new().code_lifetime(lifetime) } else { Policy::new() };
            let pkce = house.server(policy);
            let bind = pkce.bind(CODE, s256());
            if by_policy { bind } else { bind.lifetime(lifetime) }.await.unwrap();
            house.clock.forward(millis - 1);
            let (_, reservation) = hold(&pkce, Some(VERIFIER)).await.unwrap();
            pkce.settle(reservation, Settle::Restore).await;
            house.clock.forward(1);
            assert!(redeem(&pkce, Some(VERIFIER)).await.is_err(), "{lifetime:?}");
        }
    }
}

#[tokio::test]
async fn a_grant_that_cannot_be_serialised_binds_nothing() {
    let house = House::new();
    let pkce = house.server(Policy::new());
    let unserialisable = std::collections::HashMap::from([(vec![1_u8], "a key that JSON has not")]);
    let refused = pkce.bind(CODE, s256()).grant(&unserialisable).await;
    assert!(matches!(refused, Err(BindError::Grant(_))), "{refused:?}");
    assert_eq!(house.calls(), [""; 0]);
}

#[tokio::test]
async fn a_full_store_refuses_the_code() {
    let pkce = Pkce::new(MemoryStore::builder().capacity(1).build());
    pkce.bind("one", s256()).await.unwrap();
    let Err(BindError::Store(error)) = pkce.bind("two", s256()).await else { panic!("there is room for one") };
    assert_eq!(error.kind(), StoreErrorKind::Full);
    assert!(pkce.redeem("two", Some(VERIFIER)).await.is_err());
    assert!(pkce.redeem("one", Some(VERIFIER)).await.is_ok());
}

#[tokio::test]
async fn errors_say_what_is_wrong_and_why() {
    let pkce = House::new().server(Policy::new());
    for (refused, text, source) in [
        (
            pkce.bind("", s256()).await,
            "the authorization code has characters or a length that no authorization code has",
            None,
        ),
        (pkce.bind_without_challenge(CODE).await, "the policy requires a code challenge", None),
        (pkce.bind(CODE, plain()).await, "the policy does not allow the method of the code challenge", None),
    ] {
        let error = refused.unwrap_err();
        assert_eq!(error.to_string(), text);
        assert_eq!(error.source().map(ToString::to_string).as_deref(), source);
    }
}

#[tokio::test]
async fn a_grant_that_cannot_be_written_or_read_is_not_one_that_is_missing() {
    let pkce = House::new().server(Policy::new());
    let no_json = std::collections::BTreeMap::from([((), 0)]);
    let error = pkce.bind(CODE, s256()).grant(&no_json).await.unwrap_err();
    assert_eq!(error.to_string(), "the grant cannot be serialised");
    let source = error.source().unwrap().downcast_ref::<GrantError>().unwrap();
    assert_eq!((source.to_string(), source.is_missing()), (error.to_string(), false));

    pkce.bind(CODE, s256()).grant("alice").await.unwrap();
    let (clearance, _reservation) = hold(&pkce, Some(VERIFIER)).await.unwrap();
    let error = clearance.grant::<u64>().unwrap_err();
    assert_eq!((error.to_string().as_str(), error.is_missing()), ("the grant of the code is of another type", false));
    assert!(error.source().is_some());

    pkce.bind("without", s256()).await.unwrap();
    let (clearance, _reservation) = pkce.redeem("without", Some(VERIFIER)).await.unwrap();
    let error = clearance.grant::<String>().unwrap_err();
    assert_eq!((error.to_string().as_str(), error.is_missing()), ("the code was bound without a grant", true));
    assert!(error.source().is_none());
}

#[tokio::test]
async fn nothing_is_bound_before_it_is_awaited() {
    let house = House::new();
    let pkce = house.server(Policy::new());
    drop(pkce.bind(CODE, s256()));
    assert_eq!(house.calls(), [""; 0]);
}

#[tokio::test]
async fn a_code_that_could_not_be_bound_has_a_standard_error_for_the_client() {
    let pkce = Pkce::new(MemoryStore::builder().capacity(1).build());
    pkce.bind(CODE, s256()).await.unwrap();
    for (refused, error) in [
        (pkce.bind("another", s256()).await, "temporarily_unavailable"),
        (pkce.bind(CODE, s256()).grant("another").await, "server_error"),
        (pkce.bind("", s256()).await, "server_error"),
        (pkce.bind("another", plain()).await, "invalid_request"),
        (pkce.bind("another", null()).await, "invalid_request"),
    ] {
        let refused = refused.unwrap_err();
        let redirect = AuthorizationResponse::new(&pkce, "https://a.example/cb").error(&refused);
        let location = redirect.location();
        assert!(location.starts_with(&format!("https://a.example/cb?error={error}&")), "{location}");
        assert_eq!(Rejection::from(refused).error().as_str(), error);
    }
}
