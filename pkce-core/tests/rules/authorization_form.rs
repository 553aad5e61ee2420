//! Where the parameters of an authorization request are: query or form, by which method, in which body. Rule A1.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::common::reading::{Requested, read_form, read_form_as, read_query};
use pkce_core::adapter::{Body, Request};
use pkce_core::{Policy, Reason};
use serde::Deserialize;

const PARAMETERS: &str =
    "response_type=code&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
const FORM: &[u8] = b"application/x-www-form-urlencoded";

fn post(body: Body<'_>) -> Request<'_> {
    Request::new("POST", body).header("content-type", FORM)
}

fn reason(request: &Request<'_>, policy: &Policy) -> Option<Reason> {
    read_form(request, policy).err().map(|rejection| rejection.reason())
}

#[test]
fn the_query_is_read_of_a_get_only() {
    for (method, read) in [
        ("GET", true),
        ("HEAD", true),
        ("POST", false),
        ("get", false),
        ("PUT", false),
        ("OPTIONS", false),
        ("", false),
    ] {
        let request = Request::new(method, Body::Complete(b"")).query(Some(PARAMETERS));
        match read_query(&request, &Policy::new()) {
            Ok(requested) => assert!(read && matches!(requested, Requested::Challenge(_)), "{method}"),
            Err(rejection) => {
                assert!(!read, "{method}");
                assert_eq!((rejection.reason(), rejection.status()), (Reason::AuthorizationMethod, 405));
                assert!(rejection.headers().any(|header| header == ("allow", "GET")));
            }
        }
    }
}

#[test]
fn a_body_of_a_get_is_not_read() {
    let request = Request::new("GET", Body::Complete(PARAMETERS.as_bytes())).header("content-type", FORM);
    assert_eq!(read_query(&request, &Policy::new()).unwrap_err().reason(), Reason::ChallengeRequired);
}

#[test]
fn a_form_with_pkce_parameters_in_its_query_is_refused() {
    for (query, expected) in [
        // A1
        ("code_challenge=x", Some(Reason::ParameterInQuery)),
        ("code_challenge", Some(Reason::ParameterInQuery)),
        ("a=b&code_challenge_method=", Some(Reason::ParameterInQuery)),
        ("c%6Fde_challenge=x", Some(Reason::ParameterInQuery)),
        ("request=x", Some(Reason::ParameterInQuery)),
        ("request_uri=urn:x", Some(Reason::ParameterInQuery)),
        ("tenant=7&response_type=code", None),
        ("", None),
    ] {
        let request = post(Body::Complete(PARAMETERS.as_bytes())).query(Some(query));
        assert_eq!(reason(&request, &Policy::new()), expected, "{query}");
        assert_eq!(reason(&request, &Policy::new().report_only()), expected, "{query} in report-only mode");
    }
}

#[test]
fn a_form_says_that_it_is_one_and_is_whole() {
    let whole = Body::Complete(PARAMETERS.as_bytes());
    let plain = Request::new("POST", whole);
    let tight = Policy::new().body_limit(PARAMETERS.len() - 1);
    for (request, policy, expected) in [
        (post(whole), Policy::new(), None),
        (post(whole), Policy::new().body_limit(PARAMETERS.len()), None),
        (post(whole), tight, Some(Reason::BodyTooLarge)),
        (post(Body::TooLarge), Policy::new(), Some(Reason::BodyTooLarge)),
        (post(Body::Failed), Policy::new(), Some(Reason::MalformedBody)),
        (post(Body::Complete(b"")), Policy::new(), Some(Reason::ChallengeRequired)),
        (plain, Policy::new(), Some(Reason::ContentType)),
        (plain.header("content-type", b"multipart/form-data; boundary=x"), Policy::new(), Some(Reason::ContentType)),
        (plain.header("content-type", b"application/json"), Policy::new(), Some(Reason::ContentType)),
        (plain.header("content-type", b"application/json"), Policy::new().accept_json(), Some(Reason::ContentType)),
        (post(whole).header("content-type", FORM), Policy::new(), Some(Reason::ContentType)),
        (post(whole).header("content-encoding", b"gzip"), Policy::new(), Some(Reason::ContentEncoding)),
        (post(whole).header("accept", b"*/*"), Policy::new(), None),
    ] {
        assert_eq!(reason(&request, &policy), expected, "{request:?}");
        let report_only = reason(&request, &policy.report_only());
        assert!(report_only == expected || expected == Some(Reason::ChallengeRequired), "{request:?}: {report_only:?}");
    }
}

#[test]
fn bytes_that_are_not_utf_8_make_a_value_malformed_and_nothing_else() {
    for (encoded, expected) in [
        (&b"code_challenge=\xff&code_challenge_method=S256"[..], Reason::ChallengeMalformed),
        (
            b"code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=\xff",
            Reason::ChallengeMethod,
        ),
        (b"x=\xff&state=\xff", Reason::ChallengeRequired),
        (b"response_type=\xff", Reason::ChallengeRequired),
    ] {
        assert_eq!(reason(&post(Body::Complete(encoded)), &Policy::new()), Some(expected));
    }
}

#[derive(Debug, PartialEq, Deserialize)]
struct HostForm {
    client_id: String,
    state: Option<String>,
}

#[test]
fn the_hosts_own_form_is_read_from_the_same_octets() {
    let body = format!("{PARAMETERS}&client_id=a+b&state=%26");
    let (requested, form) = read_form_as::<HostForm>(&post(Body::Complete(body.as_bytes())), &Policy::new()).unwrap();
    assert!(matches!(requested, Requested::Challenge(_)));
    assert_eq!(form, HostForm { client_id: "a b".to_owned(), state: Some("&".to_owned()) });
}

#[test]
fn a_challenge_is_judged_before_the_hosts_own_form() {
    for (body, expected) in [
        (format!("{PARAMETERS}&state=x"), Reason::MalformedBody), // no client_id
        (format!("{PARAMETERS}&client_id=a&client_id=b"), Reason::MalformedBody),
        (format!("{PARAMETERS}&code_challenge="), Reason::DuplicateParameter),
        ("state=x".to_owned(), Reason::ChallengeRequired),
    ] {
        let read = read_form_as::<HostForm>(&post(Body::Complete(body.as_bytes())), &Policy::new());
        assert_eq!(read.unwrap_err().reason(), expected, "{body}");
    }
}
