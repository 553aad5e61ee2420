//! `Debug` shows no code, verifier, challenge or grant: not as text, and not as a list of octets either.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Debug;

use crate::common::{CHALLENGE, CODE, House, VERIFIER, hold, plain, s256};
use bytes::Bytes;
use pkce_core::adapter::token::{self, TokenRequest};
use pkce_core::adapter::{Body, BodyBuffer, HostResponse, Request};
use pkce_core::store::{Attempt, Binding, BindingParts, CodeDigest, Redemption, Ticket};
use pkce_core::{
    AuthorizationCode, AuthorizationRequest, AuthorizationResponse, CodeVerifier, MemoryStore, PendingChallenge, Pkce,
    Policy, Replay, Timestamp,
};

const GRANT: &str = "grant-of-alice";

/// It shows its name, and nothing of what is secret.
fn shows_only(name: &str, value: &impl Debug) {
    for text in [format!("{value:?}"), format!("{value:#?}")] {
        assert!(text.starts_with(name), "{text}");
        let dense: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        for secret in [CODE, VERIFIER, CHALLENGE, GRANT] {
            assert!(!dense.contains(secret), "{text}");
            let octets: Vec<String> = secret.bytes().take(8).map(|octet| octet.to_string()).collect();
            assert!(!dense.contains(&octets.join(",")), "{text}");
        }
        let digests = [*CodeDigest::of(CODE.as_bytes()).as_bytes(), *s256().proof().as_bytes()];
        for digest in digests {
            assert!(!dense.contains(&format!("{:?}", &digest[..4]).replace(' ', "")[1..12]), "{text}");
        }
    }
}

fn form() -> String {
    format!("grant_type=authorization_code&code={CODE}&code_verifier={VERIFIER}&code_challenge={CHALLENGE}")
}

#[test]
fn of_a_request() {
    let form = form();
    let request = Request::new("POST", Body::Complete(form.as_bytes()))
        .query(Some(&form))
        .header("content-type", b"application/x-www-form-urlencoded");
    shows_only("Request", &request);
    let location = format!("https://a.example/cb?code={CODE}");
    shows_only("HostResponse", &HostResponse::new(303).header("location", location.as_bytes()));
    let plain_request = Request::new("POST", Body::Complete(form.as_bytes()))
        .header("content-type", b"application/x-www-form-urlencoded");
    let Ok(TokenRequest::CodeGrant(grant)) = token::read(&plain_request, &Policy::new()) else { panic!("it has one") };
    shows_only("CodeGrant", &grant);
    let query = format!("code_challenge={CHALLENGE}&code_challenge_method=S256");
    let request = Request::new("GET", Body::Complete(b"")).query(Some(&query));
    shows_only("AuthorizationRequest", &AuthorizationRequest::from_query(&request, &Policy::new()));
    let pkce = Pkce::new(MemoryStore::new());
    shows_only("CaptureRequest", &pkce.capture_request(&request).unwrap());
    let response = AuthorizationResponse::new(&pkce, "https://a.example/cb").state(VERIFIER.to_owned());
    shows_only("AuthorizationResponse", &response);
    shows_only("AuthorizationRedirect", &response.code(CODE));
}

#[test]
fn of_a_body_that_is_gathered() {
    for chunks in [1, 2] {
        let mut buffer = BodyBuffer::new(&Policy::new(), None);
        for _ in 0..chunks {
            assert!(buffer.push(Bytes::from(form())).is_continue());
        }
        shows_only("BodyBuffer", &buffer);
        shows_only("RequestBody", &buffer.finish());
    }
}

#[test]
fn of_a_body_that_was_not_read() {
    let bodies = [Body::Complete(b"12"), Body::Unread, Body::TooLarge, Body::TimedOut, Body::Failed];
    let shown = bodies.map(|body| format!("{body:?}"));
    assert_eq!(shown, ["Complete(2 bytes)", "Unread", "TooLarge", "TimedOut", "Failed"]);
}

#[test]
fn of_values() {
    shows_only("CodeVerifier", &VERIFIER.parse::<CodeVerifier>().unwrap());
    for challenge in [s256(), plain()] {
        shows_only("CodeChallenge", &challenge);
        shows_only("PendingChallenge", &PendingChallenge::from(challenge));
    }
    let code = AuthorizationCode::generate().unwrap();
    shows_only("AuthorizationCode", &code);
    assert!(!format!("{code:?}").contains(code.as_str()));
    let (from, until) = (Timestamp::from_epoch_millis(0), Timestamp::from_epoch_millis(1));
    let proof = *s256().proof();
    let parts = BindingParts {
        method: "S256",
        proof: Some(proof.as_bytes()),
        grant: Some(GRANT.as_bytes().into()),
        issued_at: from,
        expires_at: until,
    };
    shows_only("BindingParts", &parts);
    let binding = Binding::from_parts(parts).unwrap();
    shows_only("Binding", &binding);
    shows_only("Proof", &proof);
    let ticket = Ticket::generate().unwrap();
    assert_eq!(format!("{ticket:?} {:?}", Ticket::BURNED), "Ticket(..) Ticket(BURNED)");
    shows_only("Attempt", &Attempt::new(Some(proof), ticket, from));
    shows_only("Again", &Redemption::Again { binding, ticket, at: from });
    shows_only("CodeDigest", &CodeDigest::of(CODE.as_bytes()));
}

#[tokio::test]
async fn of_all_that_a_server_hands_out() {
    let house = House::new();
    let builder = house.builder(Policy::new()).on_replay(async |replay: Replay| shows_only("Replay", &replay));
    shows_only("PkceBuilder", &builder);
    let pkce = builder.build();
    let bind = pkce.bind(CODE, plain()).grant(GRANT);
    shows_only("Bind", &bind);
    drop(bind);
    pkce.bind(CODE, s256()).grant(GRANT).await.unwrap();
    let (clearance, reservation) = hold(&pkce, Some(VERIFIER)).await.unwrap();
    shows_only("Clearance", &clearance);
    shows_only("Reservation", &reservation);
    shows_only("Pkce", &pkce);
    shows_only("MemoryStoreBuilder", &MemoryStore::builder());
    shows_only("Rejection", &pkce.redeem(CODE, Some(VERIFIER)).await.unwrap_err());
    shows_only("CodeAlreadyBound", &pkce.bind(CODE, s256()).grant(GRANT).await.unwrap_err());
}
