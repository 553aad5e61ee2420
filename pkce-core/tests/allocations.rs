//! What must not allocate: the comparison of a verifier, and reading a token request as clients send it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::hint::black_box;

use pkce_core::adapter::token::{self, TokenRequest};
use pkce_core::adapter::{Body, Request};
use pkce_core::{CodeChallenge, CodeChallengeMethod, Policy, Reason};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn allocations(work: impl FnOnce()) -> u64 {
    allocation_counter::measure(work).count_total
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(black_box(Box::new(1)))), 1);
}

#[test]
fn verifying_allocates_nothing() {
    let s256 = CodeChallenge::parse(CHALLENGE, CodeChallengeMethod::S256).unwrap();
    let plain = CodeChallenge::parse(VERIFIER, CodeChallengeMethod::Plain).unwrap();
    let longest = "v".repeat(128);
    for challenge in [&s256, &plain] {
        for verifier in [VERIFIER, &longest, "short", ""] {
            let count = allocations(|| _ = black_box(challenge.verify(black_box(verifier))));
            assert_eq!(count, 0, "{verifier}");
        }
    }
}

/// Whether a request was read as it should be.
type Check = fn(&Result<TokenRequest<'_>, Reason>) -> bool;

#[test]
fn reading_a_typical_token_request_allocates_nothing() {
    let policy = Policy::new();
    let code_grant = format!(
        "grant_type=authorization_code&code=SplxlOBeZQQYbYS6WxSbIA&code_verifier={VERIFIER}\
         &client_id=app&redirect_uri=https%3A%2F%2Fapp.example%2Fcb%3Fa%3Db+c&resource=https%3A%2F%2Fapi.example"
    );
    let rows: [(&str, Check); 4] = [
        (&code_grant, |read| matches!(read, Ok(TokenRequest::CodeGrant(grant)) if grant.code_verifier().is_some())),
        ("grant_type=refresh_token&refresh_token=r&scope=a+b", |read| matches!(read, Ok(TokenRequest::OtherGrant))),
        ("grant_type=authorization_code&code=c&code=d", |read| matches!(read, Err(Reason::DuplicateParameter))),
        ("grant_type=authorization_code&code=c&code_verifier=short", |read| {
            matches!(read, Err(Reason::VerifierMalformed))
        }),
    ];
    for (body, expected) in rows {
        let count = allocations(|| {
            let request = Request::new("POST", Body::Complete(body.as_bytes()))
                .query(Some("tenant=7"))
                .header("content-type", b"application/x-www-form-urlencoded; charset=utf-8")
                .header("user-agent", b"app");
            assert!(expected(&token::read(&request, &policy)), "{body}");
        });
        assert_eq!(count, 0, "{body}");
    }
}
