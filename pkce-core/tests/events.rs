//! The events: for every outcome the fields of the table in the crate's documentation, and never a secret.
//!
//! These tests are a program of their own, in which every thread has a subscriber. A thread without one that is the first at
//! an event makes `tracing` leave that event out, in all threads.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::fmt::{Debug, Write as _};
use std::future::Future;
use std::sync::{Arc, Mutex};

use common::{CHALLENGE, CODE, House, MALFORMED, VERIFIER, WRONG, hold, plain, redeem, s256};
use pkce_core::adapter::metadata::{self, Failure};
use pkce_core::adapter::{Body, HostResponse, Request};
use pkce_core::store::StoreError;
use pkce_core::{AuthorizationRequest, MemoryStore, PendingChallenge, Pkce, Policy, Rejection, Settle};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{Interest, with_default};
use tracing::{Event, Metadata, Subscriber};

const GRANT: &str = "grant-of-alice";

/// Writes every event down as one line: level, target, fields.
#[derive(Clone, Default)]
struct Journal(Arc<Mutex<Vec<String>>>);

impl Subscriber for Journal {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes() // other tests have other journals
    }

    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(format!("{} {}", event.metadata().level(), event.metadata().target()));
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        write!(self.0, " {field}={value}").unwrap();
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

/// The events of some work, none of which may hold a secret.
fn events<T>(work: impl Future<Output = T>) -> Vec<String> {
    let journal = Journal::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let work = || with_default(journal.clone(), || runtime.block_on(work));
    #[cfg(feature = "metrics")]
    let counted = common::metrics::scraped(work);
    #[cfg(not(feature = "metrics"))]
    work();
    let lines = std::mem::take(&mut *journal.0.lock().unwrap());
    #[cfg(feature = "metrics")]
    assert_eq!(common::metrics::counts(&counted), common::metrics::expected_of(&lines), "{counted}");
    for secret in [CODE, VERIFIER, CHALLENGE, WRONG, MALFORMED, GRANT] {
        assert!(lines.iter().all(|line| !line.contains(secret)), "{lines:?}");
    }
    lines
}

#[test]
fn an_authorization_request_is_an_event() {
    let tolerant = Policy::new().report_only();
    let lenient = Policy::new().allow_missing_challenge();
    for (query, policy, expected) in [
        (
            format!("code_challenge={CHALLENGE}&code_challenge_method=S256"),
            Policy::new(),
            "DEBUG pkce endpoint=authorization outcome=challenge method=S256",
        ),
        (
            format!("code_challenge={CHALLENGE}"),
            Policy::new().allow_plain(),
            "DEBUG pkce endpoint=authorization outcome=challenge method=plain",
        ),
        (String::new(), lenient, "DEBUG pkce endpoint=authorization outcome=no_challenge"),
        ("response_type=token".to_owned(), Policy::new(), "DEBUG pkce endpoint=authorization outcome=no_code"),
        (
            format!("code_challenge={CHALLENGE}"),
            tolerant,
            "WARN pkce endpoint=authorization outcome=tolerated reason=challenge_method",
        ),
        (
            format!("code_challenge={VERIFIER}x&code_challenge_method=S256"),
            Policy::new(),
            "INFO pkce endpoint=authorization outcome=rejected reason=challenge_malformed",
        ),
    ] {
        let request = Request::new("GET", Body::Complete(b"")).query(Some(&query));
        let pkce = House::new().server(policy);
        let read = || AuthorizationRequest::from_query(&request, pkce.policy());
        assert_eq!(events(async { read() }), [""; 0], "reading is no event");
        assert_eq!(events(async { pkce.optional_challenge(read()) }), [expected], "{query}");
    }
    let pkce = House::new().server(Policy::new());
    let rejected = |request: &Request<'_>| {
        events(async { pkce.challenge(AuthorizationRequest::from_query(request, pkce.policy())).unwrap_err() })
    };
    let post = Request::new("POST", Body::Complete(b""));
    assert_eq!(rejected(&post), ["INFO pkce endpoint=authorization outcome=rejected reason=authorization_method"]);
    let token = Request::new("GET", Body::Complete(b"")).query(Some("response_type=token"));
    let reason = "INFO pkce endpoint=authorization outcome=rejected reason=response_type_without_code";
    assert_eq!(rejected(&token), [reason]);
}

#[test]
fn the_operator_reads_which_client_was_tolerated_or_rejected() {
    let long = "c".repeat(1000);
    for (encoded, client_id) in [
        ("spa", "spa"),
        ("https%3A%2F%2Fapp.example%2Fid", "https://app.example/id"),
        ("a%0D%0Ab%20c%00%C3%A9%1B%5B31m", "a??b?c???[31m"),
        (long.as_str(), &long[..128]),
    ] {
        let query = format!("client_id={encoded}");
        let request = Request::new("GET", Body::Complete(b"")).query(Some(&query));
        for (policy, level, outcome) in
            [(Policy::new(), "INFO", "rejected"), (Policy::new().report_only(), "WARN", "tolerated")]
        {
            let pkce = House::new().server(policy);
            let lines = events(async {
                _ = pkce.challenge(AuthorizationRequest::from_query(&request, pkce.policy()));
                let captured = pkce.capture_request(&request).unwrap();
                let location = b"https://a.example/cb?code=c";
                _ = pkce.capture(&captured, &HostResponse::new(303).header("location", location)).await;
            });
            let reason = "reason=challenge_required";
            let expected =
                format!("{level} pkce endpoint=authorization outcome={outcome} {reason} client_id={client_id}");
            assert_eq!(lines[0], expected);
            assert!(lines[1].ends_with(&format!(" client_id={client_id}")), "{lines:?}");
            assert_eq!(lines.len(), 2);
        }
    }
}

#[test]
fn a_grant_that_cannot_be_serialised_is_reported_without_a_word_of_it() {
    struct Unserialisable;
    impl serde::Serialize for Unserialisable {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom(format!("cannot write {GRANT}")))
        }
    }
    let pkce = House::new().server(Policy::new());
    let lines = events(async { pkce.bind(CODE, s256()).grant(&Unserialisable).await.unwrap_err() });
    assert_eq!(lines, ["ERROR pkce endpoint=bind outcome=failed error=the grant cannot be serialised"]);
}

#[test]
fn a_server_that_is_put_together_wrongly_is_an_event() {
    let lines = events(async { Rejection::misconfigured("an adapter: what is missing") });
    assert_eq!(lines, ["ERROR pkce endpoint=adapter outcome=misconfigured message=an adapter: what is missing"]);
}

#[test]
fn a_form_that_the_host_cannot_read_is_rejected_and_nothing_else() {
    #[derive(serde::Deserialize)]
    struct HostForm {
        _client_id: String,
    }
    let body = format!("code_challenge={CHALLENGE}&code_challenge_method=S256");
    let post = Request::new("POST", Body::Complete(body.as_bytes()))
        .header("content-type", b"application/x-www-form-urlencoded");
    let pkce = House::new().server(Policy::new());
    let asked = || AuthorizationRequest::<HostForm>::from_form(&post, pkce.policy());
    let read = events(async { pkce.challenge(asked()).map(|_| ()).unwrap_err() });
    assert_eq!(read, ["INFO pkce endpoint=authorization outcome=rejected reason=malformed_body"]);
}

#[test]
fn a_binding_is_an_event() {
    let house = House::new();
    let (strict, plain_too) = (house.server(Policy::new()), house.server(Policy::new().allow_plain()));
    let (lenient, tolerant) =
        (house.server(Policy::new().allow_missing_challenge()), house.server(Policy::new().report_only()));
    let full = Pkce::new(MemoryStore::builder().capacity(0).build());
    let null: PendingChallenge = serde_json::from_str("null").unwrap();
    let lines = events(async {
        _ = strict.bind(CODE, s256()).grant(GRANT).await;
        _ = plain_too.bind("two", plain()).lifetime(std::time::Duration::from_millis(1500)).await;
        _ = lenient.bind_without_challenge("three").await;
        _ = tolerant.bind("four", null).await;
        _ = strict.bind(CODE, s256()).await;
        _ = strict.bind("five", plain()).await;
        _ = full.bind(CODE, s256()).await;
    });
    assert_eq!(
        lines,
        [
            "DEBUG pkce endpoint=bind outcome=bound method=S256 lifetime_ms=60000",
            "DEBUG pkce endpoint=bind outcome=bound method=plain lifetime_ms=1500",
            "DEBUG pkce endpoint=bind outcome=bound method=none lifetime_ms=60000",
            "WARN pkce endpoint=bind outcome=tolerated reason=challenge_required",
            "ERROR pkce endpoint=bind outcome=failed error=the authorization code is bound already",
            "ERROR pkce endpoint=bind outcome=failed error=the policy does not allow the method of the code challenge",
            "ERROR pkce endpoint=store outcome=failed verb=insert kind=full error=the challenge store is full",
        ]
    );
}

#[test]
fn a_token_request_that_proceeds_is_an_event_and_its_end_another() {
    let house = House::new();
    let (strict, lenient) = (house.server(Policy::new()), house.server(Policy::new().allow_missing_challenge()));
    let lines = events(async {
        let preflight = Request::new("OPTIONS", Body::Complete(b""));
        _ = strict.judge(&preflight).await;
        let refresh = Request::new("POST", Body::Complete(b"grant_type=refresh_token"))
            .header("content-type", b"application/x-www-form-urlencoded");
        _ = strict.judge(&refresh).await;
        strict.bind(CODE, s256()).grant(GRANT).await.unwrap();
        let (_, held) = hold(&strict, Some(VERIFIER)).await.unwrap();
        strict.settle(held, Settle::by_status(401)).await;
        let (_, held) = hold(&strict, Some(VERIFIER)).await.unwrap();
        strict.settle(held, Settle::Keep).await;
        lenient.bind_without_challenge("two").await.unwrap();
        _ = lenient.redeem("two", None).await.unwrap();
        _ = house.server(Policy::new().report_only()).redeem("three", Some(VERIFIER)).await.unwrap();
    });
    assert_eq!(
        lines,
        [
            "DEBUG pkce endpoint=token outcome=preflight",
            "DEBUG pkce endpoint=token outcome=cleared clearance=other_grant",
            "DEBUG pkce endpoint=bind outcome=bound method=S256 lifetime_ms=60000",
            "DEBUG pkce endpoint=token outcome=cleared clearance=verified method=S256 age_ms=0",
            "DEBUG pkce endpoint=token outcome=restored",
            "DEBUG pkce endpoint=token outcome=cleared clearance=verified method=S256 age_ms=0",
            "DEBUG pkce endpoint=token outcome=kept",
            "DEBUG pkce endpoint=bind outcome=bound method=none lifetime_ms=60000",
            "DEBUG pkce endpoint=token outcome=cleared clearance=without_challenge age_ms=0",
            "WARN pkce endpoint=token outcome=tolerated clearance=unverified reason=code_unknown",
        ]
    );
}

#[test]
fn a_captured_code_is_an_event_and_so_is_one_that_does_not_leave() {
    let house = House::new();
    let (strict, tolerant) = (house.server(Policy::new()), house.server(Policy::new().report_only()));
    let location = format!("https://a.example/cb?code={CODE}");
    let base = "redirect_uri=https%3A%2F%2Fa.example%2Fcb";
    let s256 = format!("{base}&code_challenge={CHALLENGE}&code_challenge_method=S256");
    let lines = events(async {
        for (pkce, query, status, location) in [
            (&strict, base, 200, "/login"),
            (&strict, s256.as_str(), 303, location.as_str()),
            (&strict, s256.as_str(), 303, location.as_str()),
            (&strict, base, 303, location.as_str()),
            (&strict, s256.as_str(), 303, "https://evil.example/cb?code=c"),
            (&tolerant, s256.as_str(), 301, location.as_str()),
            (&tolerant, base, 303, location.as_str()),
        ] {
            let request = Request::new("GET", Body::Complete(b"")).query(Some(query));
            let asked = pkce.capture_request(&request).unwrap();
            let answer = HostResponse::new(status).header("location", location.as_bytes());
            _ = pkce.capture(&asked, &answer).await;
        }
        let query = format!("{base}&response_mode=form_post");
        let form_post = Request::new("GET", Body::Complete(b"")).query(Some(&query));
        _ = strict.capture_request(&form_post);
        let asked = tolerant.capture_request(&form_post).unwrap();
        _ = tolerant.capture(&asked, &HostResponse::new(200)).await;
    });
    assert_eq!(
        lines,
        [
            "DEBUG pkce endpoint=bind outcome=bound method=S256 lifetime_ms=60000",
            "DEBUG pkce endpoint=authorization outcome=challenge method=S256",
            "ERROR pkce endpoint=bind outcome=failed error=the authorization code is bound already",
            "ERROR pkce endpoint=capture outcome=rejected reason=code_already_bound",
            "INFO pkce endpoint=capture outcome=rejected reason=challenge_required",
            "ERROR pkce endpoint=capture outcome=rejected reason=code_for_other_target",
            "WARN pkce endpoint=capture outcome=tolerated reason=redirect_status",
            "WARN pkce endpoint=authorization outcome=tolerated reason=challenge_required",
            "INFO pkce endpoint=authorization outcome=rejected reason=response_mode",
            "WARN pkce endpoint=capture outcome=tolerated reason=response_mode",
        ]
    );
}

#[test]
fn metadata_is_an_event() {
    let lines = events(async {
        let pkce = Pkce::new(MemoryStore::new());
        _ = metadata::advertise(b"{}", &pkce);
        _ = metadata::advertise(br#"{"signed_metadata":"e30.e30."}"#, &pkce);
        _ = metadata::advertise(b"[]", &pkce);
        assert!(!metadata::is_document(&HostResponse::new(200).header("content-encoding", b"gzip"), 0));
        assert!(!metadata::is_document(&HostResponse::new(200), u64::MAX));
        assert!(!metadata::is_document(&HostResponse::new(404), 0));
        metadata::failed(Failure::TooLarge);
        metadata::failed(Failure::BrokenOff);
        metadata::failed(Failure::NoResponse);
    });
    assert_eq!(
        lines,
        [
            "DEBUG pkce endpoint=metadata outcome=advertised",
            "WARN pkce endpoint=metadata outcome=signed",
            "DEBUG pkce endpoint=metadata outcome=advertised",
            "WARN pkce endpoint=metadata outcome=untouched why=it is not a JSON object",
            "WARN pkce endpoint=metadata outcome=untouched why=it has a content encoding",
            "WARN pkce endpoint=metadata outcome=untouched why=it is larger than 1 MiB",
            "WARN pkce endpoint=metadata outcome=untouched why=its status is not 200",
            "ERROR pkce endpoint=metadata outcome=failed why=it is larger than 1 MiB",
            "ERROR pkce endpoint=metadata outcome=failed why=its body broke off",
            "ERROR pkce endpoint=metadata outcome=failed why=the host failed",
        ]
    );
}

#[test]
fn a_rejected_token_request_is_a_warning_where_it_may_be_a_thief() {
    let house = House::new();
    let server = |policy| house.server(policy);
    let burning = Policy::new().burn_on_mismatch();
    let lines = events(async {
        _ = server(Policy::new().allow_missing_challenge()).bind_without_challenge("none").await;
        _ = server(Policy::new()).redeem("none", Some(VERIFIER)).await;
        _ = server(Policy::new()).bind(CODE, s256()).grant(GRANT).await;
        _ = redeem(&server(Policy::new()), Some(MALFORMED)).await;
        _ = redeem(&server(Policy::new()), None).await;
        _ = redeem(&server(Policy::new()), Some(WRONG)).await;
        _ = redeem(&server(Policy::new()), Some(VERIFIER)).await;
        _ = redeem(&server(Policy::new()), Some(VERIFIER)).await;
        _ = redeem(&server(Policy::new()), Some(WRONG)).await;
        _ = server(Policy::new()).bind("burn", s256()).await;
        _ = server(burning.clone()).redeem("burn", Some(WRONG)).await;
        _ = server(burning.clone()).redeem("burn", Some(VERIFIER)).await;
        _ = server(Policy::new()).redeem("unknown", Some(VERIFIER)).await;
    });
    let rejected = lines.iter().filter_map(|line| line.split_once(" pkce endpoint=token outcome=rejected reason="));
    assert_eq!(
        rejected.map(|(level, reason)| format!("{level} {reason}")).collect::<Vec<_>>(),
        [
            "WARN verifier_unexpected",
            "INFO verifier_malformed",
            "WARN verifier_missing",
            "WARN verifier_mismatch",
            "WARN code_replayed",
            "WARN code_redeemed",
            "WARN verifier_mismatch",
            "WARN code_burned",
            "INFO code_unknown",
        ]
    );
}

#[test]
fn a_fault_of_the_store_is_an_error_with_all_its_causes() {
    struct Broken;
    #[async_trait::async_trait]
    impl pkce_core::store::ChallengeStore for Broken {
        async fn insert(
            &self,
            _: &pkce_core::store::CodeDigest,
            _: &pkce_core::store::Binding,
        ) -> Result<pkce_core::store::Inserted, StoreError> {
            Err(StoreError::unavailable("connection refused"))
        }
        async fn redeem(
            &self,
            _: &pkce_core::store::CodeDigest,
            _: &pkce_core::store::Attempt,
        ) -> Result<pkce_core::store::Redemption, StoreError> {
            Err(StoreError::invalid_record("the recorded method is not S256, plain or none"))
        }
        async fn restore(
            &self,
            _: &pkce_core::store::CodeDigest,
            _: pkce_core::store::Ticket,
        ) -> Result<(), StoreError> {
            Ok(())
        }
    }
    let pkce = Pkce::new(Broken);
    let lines = events(async {
        _ = pkce.bind(CODE, s256()).await;
        redeem(&pkce, Some(VERIFIER)).await
    });
    assert_eq!(
        lines,
        [
            "ERROR pkce endpoint=store outcome=failed verb=insert kind=unavailable error=the challenge store is unavailable: connection refused",
            "ERROR pkce endpoint=store outcome=failed verb=redeem kind=invalid_record error=the challenge store holds an invalid record: the recorded method is not S256, plain or none",
            "ERROR pkce endpoint=token outcome=rejected reason=store_record_invalid",
        ]
    );
}
