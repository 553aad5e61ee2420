//! Every error says in one sentence what is wrong. What a client may read is in `wire.rs`.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::error::Error;

use crate::common::{CHALLENGE, CODE, MALFORMED, VERIFIER};
use pkce_core::adapter::{Body, HostResponse, Request};
use pkce_core::store::{Binding, BindingParts, StoreError};
use pkce_core::{
    CodeChallenge, CodeChallengeMethod, CodeVerifier, MemoryStore, Pkce, Policy, Reason, Rejection, Timestamp,
};

#[track_caller]
fn says(error: &dyn Error, sentence: &str, source: Option<&str>) {
    assert_eq!(error.to_string(), sentence);
    assert_eq!(error.source().map(ToString::to_string).as_deref(), source);
}

#[test]
fn of_a_challenge_and_a_verifier() {
    let challenge = CodeChallenge::parse("short", CodeChallengeMethod::S256).unwrap_err();
    says(&challenge, "the code challenge is not in the form that its method demands", None);
    let method = "s256".parse::<CodeChallengeMethod>().unwrap_err();
    says(&method, "the code challenge method is neither S256 nor plain", None);
    let length = MALFORMED.parse::<CodeVerifier>().unwrap_err();
    says(&length, "a code verifier has 43 to 128 characters", None);
    let character = VERIFIER.replace('d', "+").parse::<CodeVerifier>().unwrap_err();
    says(&character, "a code verifier has only unreserved characters", None);
}

#[test]
fn of_a_record() {
    let parsed = |method, expires_at| {
        let issued_at = Timestamp::from_epoch_millis(0);
        let expires_at = Timestamp::from_epoch_millis(expires_at);
        Binding::from_parts(BindingParts { method, proof: None, grant: None, issued_at, expires_at }).unwrap_err()
    };
    says(&parsed("S257", 1), "the recorded method is not S256, plain or none", None);
    says(&parsed("S256", 1), "the recorded proof does not match the method", None);
    says(&parsed("none", 0), "the recorded lifetime is not 1 ms to 10 min", None);
}

#[test]
fn of_a_store() {
    says(&StoreError::unavailable("refused"), "the challenge store is unavailable", Some("refused"));
    says(&StoreError::invalid_record("a hole"), "the challenge store holds an invalid record", Some("a hole"));
    says(&StoreError::full(), "the challenge store is full", None);
}

#[tokio::test]
async fn of_a_rejection() {
    let rejection = Rejection::from(Reason::VerifierMissing);
    says(&rejection, rejection.description(), None);
    assert!(!rejection.description().is_empty());
    assert_eq!(
        (rejection.reason().to_string(), rejection.error().to_string().as_str()),
        ("verifier_missing".to_owned(), "invalid_grant")
    );

    let query = format!("redirect_uri=https%3A%2F%2Fa.example&code_challenge={CHALLENGE}&code_challenge_method=S256");
    let pkce = Pkce::builder(MemoryStore::new()).policy(Policy::new()).build();
    let asked = pkce.capture_request(&Request::new("GET", Body::Complete(b"")).query(Some(&query))).unwrap();
    let elsewhere = format!("https://b.example/?code={CODE}");
    let response = HostResponse::new(303).header("location", elsewhere.as_bytes());
    let rejection = pkce.capture(&asked, &response).await.unwrap_err();
    says(&rejection, rejection.rejection().description(), None);
}

#[test]
fn a_method_is_shown_by_its_name() {
    assert_eq!(CodeChallengeMethod::S256.to_string() + &CodeChallengeMethod::Plain.to_string(), "S256plain");
}
