//! The answers, verbatim. Rules C13 and section D.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::common::reading::{read_form, read_query};
use std::collections::HashSet;

use pkce_core::adapter::{Body, Request};
use pkce_core::{MemoryStore, Pkce, Policy, Reason, Rejection};
use proptest::prelude::*;

const IR: &str = "invalid_request";
const INVALID_GRANT: &str = r#"{"error":"invalid_grant","error_description":"the authorization code is invalid, expired or used, or the code verifier does not match"}"#;
const UNAVAILABLE: &str =
    r#"{"error":"temporarily_unavailable","error_description":"the server cannot check the request now"}"#;

/// The verifiers that cannot be right for any code: the request alone decides, so the client may read why. C11, C12.
const INVALID_VERIFIERS: [(Reason, &str); 2] = [
    (
        Reason::VerifierMalformed,
        "the code verifier is malformed: it needs 43 to 128 characters of A-Z a-z 0-9 - . _ ~ and no line break",
    ),
    (Reason::VerifierMissing, "code verifier required"),
];

/// The answers that say what is wrong with a request, and their status.
const INVALID_REQUESTS: [(Reason, u16, &str); 28] = [
    (Reason::DuplicateParameter, 400, "a parameter is included more than once"),
    (Reason::ParameterInQuery, 400, "a parameter of the body is included in the query"),
    (Reason::ContentType, 400, "the content type of the body is not accepted"),
    (Reason::ContentEncoding, 400, "a content encoding of the body is not accepted"),
    (Reason::BodyTooLarge, 413, "the body is too large"),
    (Reason::MalformedBody, 400, "the body is malformed"),
    (Reason::Charset, 400, "the character set of the body is not accepted: use UTF-8"),
    (Reason::ControlCharacter, 400, "the body has a line break or another control character that is not encoded"),
    (Reason::NotAForm, 400, "the body is not a form, although the content type is"),
    (Reason::FormInJson, 400, "the body is a form inside of JSON"),
    (Reason::BracketedParameter, 400, "a parameter name has brackets"),
    (Reason::BodyTimedOut, 408, "the body did not arrive in time"),
    (Reason::ResponseTypeLookalike, 400, "the response type is malformed"),
    (Reason::AuthorizationMethod, 405, "the request method is not accepted"),
    (Reason::ChallengeRequired, 400, "code challenge required"),
    (Reason::ChallengeMalformed, 400, "the code challenge is malformed"),
    (Reason::ChallengeMethod, 400, "transform algorithm not supported"),
    (Reason::MethodWithoutChallenge, 400, "a code challenge method is included without a code challenge"),
    (Reason::RequestObject, 400, "the parameters of a request object are not accepted in this way"),
    (Reason::ResponseTypeWithoutCode, 400, "the response type does not contain code"),
    (Reason::AuthorizationFormMethod, 405, "the request method is not accepted"),
    (Reason::TokenMethod, 405, "the request method is not accepted"),
    (Reason::GrantTypeMissing, 400, "the grant type is missing"),
    (Reason::GrantTypeLookalike, 400, "the grant type is malformed"),
    (Reason::CodeWithOtherGrantType, 400, "a code is included with a grant type that has none"),
    (Reason::CodeMissing, 400, "the code is missing"),
    (Reason::CodeMalformed, 400, "the code is malformed"),
    (Reason::VerifierUnexpected, 400, "a code verifier is included without a code challenge"),
];

const INVALID_GRANTS: [Reason; 8] = [
    Reason::VerifierWithheld,
    Reason::VerifierMismatch,
    Reason::CodeUnknown,
    Reason::CodeExpired,
    Reason::CodeReplayed,
    Reason::CodeRedeemed,
    Reason::CodeBurned,
    Reason::MethodNoLongerAllowed,
];

const FAULTS: [Reason; 5] = [
    Reason::StoreUnavailable,
    Reason::StoreTimedOut,
    Reason::StoreRecordInvalid,
    Reason::StoreContractBroken,
    Reason::RandomUnavailable,
];

fn answer(reason: Reason) -> (u16, String, Vec<(&'static str, &'static str)>) {
    let rejection = Rejection::from(reason);
    (rejection.status(), rejection.body(), rejection.headers().collect())
}

fn headers(allow: Option<&'static str>) -> Vec<(&'static str, &'static str)> {
    let mut headers = vec![("content-type", "application/json"), ("cache-control", "no-store"), ("pragma", "no-cache")];
    headers.extend(allow.map(|methods| ("allow", methods)));
    headers
}

fn invalid_request(description: &str) -> String {
    format!(r#"{{"error":"{IR}","error_description":"{description}"}}"#)
}

#[test]
fn an_invalid_request_is_told_what_is_wrong_with_it() {
    for (reason, status, description) in INVALID_REQUESTS {
        let allow = match reason {
            Reason::AuthorizationMethod => Some("GET"),
            Reason::TokenMethod | Reason::AuthorizationFormMethod => Some("POST"),
            _ => None,
        };
        assert_eq!(answer(reason), (status, invalid_request(description), headers(allow)), "{reason}");
    }
}

#[test]
fn all_that_concerns_a_code_has_one_and_the_same_answer() {
    for reason in INVALID_GRANTS {
        assert_eq!(answer(reason), (400, INVALID_GRANT.to_owned(), headers(None)), "{reason}"); // C13
    }
}

#[test]
fn a_verifier_that_no_code_can_have_is_an_invalid_grant_that_says_why() {
    for (reason, description) in INVALID_VERIFIERS {
        assert_eq!(answer(reason), (400, invalid_request(description).replace(IR, "invalid_grant"), headers(None)));
    }
}

#[test]
fn a_fault_of_the_server_says_nothing_of_it() {
    for reason in FAULTS {
        assert_eq!(answer(reason), (503, UNAVAILABLE.to_owned(), headers(None)), "{reason}"); // C24, C25
    }
}

#[test]
fn an_error_uri_is_the_last_member_and_cannot_break_out() {
    let policy = Policy::new().error_uri("https://as.example/e?a=b&c='d'#f");
    let pkce = Pkce::builder(MemoryStore::new()).policy(policy).build();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(
        runtime.block_on(pkce.redeem("", None)).unwrap_err().body(),
        r#"{"error":"invalid_request","error_description":"the code is missing","error_uri":"https://as.example/e?a=b&c='d'#f"}"#
    );
}

#[test]
fn metadata_lists_what_is_accepted() {
    assert_eq!(Pkce::new(MemoryStore::new()).code_challenge_methods_supported(), ["S256"]); // E
    for policy in [Policy::new().allow_missing_challenge(), Policy::new().report_only()] {
        assert_eq!(policy.code_challenge_methods_supported(), ["S256"]);
    }
    assert_eq!(Policy::new().allow_plain().code_challenge_methods_supported(), ["S256", "plain"]);
}

fn all_bodies() -> HashSet<String> {
    let requests = INVALID_REQUESTS.iter().map(|(_, _, description)| invalid_request(description));
    let verifiers = INVALID_VERIFIERS.map(|(reason, _)| Rejection::from(reason).body());
    requests.chain(verifiers).chain([INVALID_GRANT.to_owned(), UNAVAILABLE.to_owned()]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_answer_echoes_the_request(
        method in "POST|GET|OPTIONS|[A-Z]{1,8}",
        query in proptest::option::of("(code|grant_type|x)=[a-z<>\"%]{0,9}|"),
        content_type in "application/x-www-form-urlencoded|application/json|[ -~]{0,30}",
        body in "(grant_type=authorization_code&)?(code=[!-~]{0,60}&)?(code_verifier=[!-~]{0,60})?|\\PC{0,60}",
        json in any::<bool>(),
    ) {
        let policy = if json { Policy::new().accept_json() } else { Policy::new() };
        let pkce = Pkce::builder(MemoryStore::new()).policy(policy).build();
        let request = Request::new(&method, Body::Complete(body.as_bytes()))
            .query(query.as_deref())
            .header("content-type", content_type.as_bytes());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut rejections = Vec::new();
        rejections.extend(runtime.block_on(pkce.judge(&request)).err());
        rejections.extend(read_query(&request, pkce.policy()).err());
        rejections.extend(read_form(&request, pkce.policy()).err());
        for rejection in rejections {
            prop_assert!(all_bodies().contains(&rejection.body()), "{}", rejection.body());
            prop_assert!(rejection.headers().all(|header| headers(Some("GET")).contains(&header) || header == ("allow", "POST")));
        }
    }
}
