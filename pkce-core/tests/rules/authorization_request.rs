//! The authorization request: which challenge it carries, or why it is refused. Rules A1 to A14.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::common::reading::{Requested, read_form, read_parameters, read_query};
use pkce_core::CodeChallengeMethod::{Plain, S256};
use pkce_core::adapter::{Body, Request};
use pkce_core::{AuthorizationRequest, CodeChallenge, CodeChallengeMethod, MemoryStore, Pkce, Policy, Reason};

/// RFC 7636 Appendix B; in the tables below it is `$C`. It is a well-formed `plain` challenge too.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const FORM: &[u8] = b"application/x-www-form-urlencoded";

type Read = Result<Requested, Reason>;

#[expect(clippy::unnecessary_wraps, reason = "a cell of the tables")]
fn challenge(method: CodeChallengeMethod) -> Read {
    Ok(Requested::Challenge(CodeChallenge::parse(CHALLENGE, method).unwrap()))
}

/// Reads the same parameters from a query and a form: both must agree.
fn read(parameters: &str, policy: &Policy) -> Read {
    let encoded = parameters.replace("$C", CHALLENGE);
    let get = Request::new("GET", Body::Complete(b"")).query(Some(&encoded));
    let post = Request::new("POST", Body::Complete(encoded.as_bytes())).header("content-type", FORM);
    let read = read_query(&get, policy);
    assert_eq!(read_form(&post, policy), read, "form {encoded}");
    read.map_err(|rejection| rejection.reason())
}

#[test]
fn a_parameter_that_comes_twice_is_refused_in_every_spelling() {
    for parameters in [
        // A3
        "code_challenge=$C&code_challenge=$C&code_challenge_method=S256",
        "code_challenge=$C&code_challenge=&code_challenge_method=S256",
        "code_challenge&code_challenge=$C&code_challenge_method=S256",
        "code_challenge=$C&c%6Fde_challenge=$C&code_challenge_method=S256",
        "%63%6f%64%65%5f%63%68%61%6c%6c%65%6e%67%65=$C&code_challenge=$C",
        "code_challenge=$C&code_challenge_method=S256&code_challenge_method=S256",
        "code_challenge=$C&code_challenge_method=S256&code_challenge_method=plain",
        "code_challenge=$C&code_challenge_method=S256&code%5Fchallenge%5Fmethod=",
        "response_type=token&code_challenge=$C&code_challenge=$C", // nor where no code is asked for
        "request_uri=urn:x&code_challenge=$C&code_challenge=$C",
    ] {
        for policy in [Policy::new(), Policy::new().report_only(), Policy::new().allow_missing_challenge()] {
            assert_eq!(read(parameters, &policy), Err(Reason::DuplicateParameter), "{parameters}");
        }
    }
}

#[test]
fn a_challenge_is_read_among_whatever_else_is_there() {
    for parameters in [
        "code_challenge=$C&code_challenge_method=S256",
        "code_challenge_method=S256&response_type=code&code_challenge=$C",
        "&&code_challenge=$C&&code_challenge_method=S256&",
        "%63ode_challenge=$C&code_challenge%5fmethod=S%32%356",
        "code_challenge=E9%4delhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw%2dcM&code_challenge_method=S256",
        "code_challenge=$C&code_challenge_method=S256&resource=a&resource=a&x&=&%zz=%", // A4
        "code_challenge=$C&code_challenge_method=S256&state=%ff%00&scope=",             // A4
        "code_challenge=$C&code_challenge_method=S256&Code_challenge=x&code_challenge%00=x&code_challenge+=x", // A4
        "code_challenge=$C&code_challenge_method=S256&code_challenge[]=x&code_challenge%20=x", // A4
        "code_challenge=$C&code_challenge_method=S256&request=&request_uri",            // A2, A12
    ] {
        assert_eq!(read(parameters, &Policy::new()), challenge(S256), "{parameters}");
    }
}

#[test]
fn methods_are_exactly_two_words_and_an_omitted_one_means_plain() {
    let refused = Err(Reason::ChallengeMethod);
    for (parameters, strict, plain_allowed) in [
        ("code_challenge=$C&code_challenge_method=S256", challenge(S256), challenge(S256)), // A5
        ("code_challenge=$C&code_challenge_method=plain", refused.clone(), challenge(Plain)), // A5
        ("code_challenge=$C", refused.clone(), challenge(Plain)),                           // A6
        ("code_challenge=$C&code_challenge_method=", refused.clone(), challenge(Plain)),    // A2, A6
        ("code_challenge=$C&code_challenge_method", refused.clone(), challenge(Plain)),     // A2, A6
        ("code_challenge=$C&code_challenge_method=s256", refused.clone(), refused.clone()), // A5
        ("code_challenge=$C&code_challenge_method=PLAIN", refused.clone(), refused.clone()),
        ("code_challenge=$C&code_challenge_method=S256%20", refused.clone(), refused.clone()),
        ("code_challenge=$C&code_challenge_method=+plain", refused.clone(), refused.clone()),
        ("code_challenge=$C&code_challenge_method=S256%0A", refused.clone(), refused.clone()),
        ("code_challenge=$C&code_challenge_method=S256%00", refused.clone(), refused.clone()),
        ("code_challenge=$C&code_challenge_method=S384", refused.clone(), refused.clone()),
        ("code_challenge=$C&code_challenge_method=none", refused.clone(), refused.clone()),
        ("code_challenge=$C&code_challenge_method=S25%", refused.clone(), refused.clone()),
        ("code_challenge=$C&code_challenge_method=%ff", refused.clone(), refused.clone()),
    ] {
        assert_eq!(read(parameters, &Policy::new()), strict, "{parameters}");
        assert_eq!(read(parameters, &Policy::new().allow_plain()), plain_allowed, "{parameters} with plain allowed");
    }
}

#[test]
fn a_method_without_a_challenge_is_refused() {
    for parameters in ["code_challenge_method=S256", "code_challenge=&code_challenge_method=S256"] {
        assert_eq!(read(parameters, &Policy::new()), Err(Reason::ChallengeRequired), "{parameters}"); // A7, A9
        let lenient = Policy::new().allow_missing_challenge();
        assert_eq!(read(parameters, &lenient), Err(Reason::MethodWithoutChallenge), "{parameters}"); // A7
    }
}

#[test]
fn a_challenge_that_could_never_verify_is_refused_at_once() {
    let [short, long] = [&CHALLENGE[..42], &format!("{CHALLENGE}A")];
    for value in [
        // A8, for S256
        short,
        long,
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN",
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cO",
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cP",
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw%2BcM",
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM",
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw~cM",
        "$C=",
        "$C%3D",
        "$C%0A",
        "%20$C",
        "$C%00",
        "%",
        "%4",
        "%zz",
        "%ff",
        "%C3%A9",
    ] {
        let parameters = format!("code_challenge={value}&code_challenge_method=S256");
        // A10: never "no challenge", whatever may be left out.
        for policy in [Policy::new(), Policy::new().allow_missing_challenge(), Policy::new().allow_plain()] {
            assert_eq!(read(&parameters, &policy), Err(Reason::ChallengeMalformed), "{parameters}");
        }
    }
}

#[test]
fn a_plain_challenge_is_43_to_128_unreserved_characters() {
    let of = |length| "a".repeat(length);
    for (value, accepted) in [
        // A8
        (of(42), false),
        (of(43), true),
        (of(128), true),
        (of(129), false),
        (of(39) + "-._~", true),
        (of(42) + "+", false),
        (of(42) + "%2B", false),
        (of(42) + "%7E", true),
        (of(43) + "%0A", false),
        (of(43) + "%00", false),
    ] {
        let parameters = format!("code_challenge={value}&code_challenge_method=plain");
        let read = read(&parameters, &Policy::new().allow_plain());
        assert_eq!(read.is_ok(), accepted, "{parameters}: {read:?}");
        assert!(accepted || read == Err(Reason::ChallengeMalformed), "{parameters}: {read:?}");
    }
}

#[test]
fn a_missing_challenge_is_refused_unless_the_host_is_to_decide() {
    for parameters in ["", "code_challenge=", "code_challenge", "response_type=code", "response_type=code&x=y"] {
        assert_eq!(read(parameters, &Policy::new()), Err(Reason::ChallengeRequired), "{parameters}"); // A9
        assert_eq!(read(parameters, &Policy::new().allow_plain()), Err(Reason::ChallengeRequired), "{parameters}");
        let lenient = Policy::new().allow_missing_challenge();
        assert_eq!(read(parameters, &lenient), Ok(Requested::NoChallenge), "{parameters}"); // A14
    }
}

#[test]
fn the_two_descriptions_of_rfc_7636_are_on_the_wire() {
    for (parameters, description) in [
        ("response_type=code".to_owned(), "code challenge required"), // A9
        (format!("code_challenge={CHALLENGE}&code_challenge_method=S384"), "transform algorithm not supported"),
        (format!("code_challenge={CHALLENGE}"), "transform algorithm not supported"), // A6
    ] {
        let request = Request::new("GET", Body::Complete(b"")).query(Some(&parameters));
        let rejection = read_query(&request, &Policy::new()).unwrap_err();
        assert_eq!(rejection.description(), description);
        assert_eq!((rejection.status(), rejection.error().as_str()), (400, "invalid_request"));
    }
}

#[test]
fn only_response_types_with_the_word_code_need_a_challenge() {
    for (response_type, needed) in [
        // A11
        ("response_type=code", true),
        ("response_type=c%6Fde", true),
        ("response_type=code+id_token", true),
        ("response_type=id_token%20code", true),
        ("response_type=id_token+code+token", true),
        ("response_type=", true),
        ("response_type=%", true),
        ("response_type=token&response_type=code", true), // which one the host reads is not known
        ("response_type=token&response_type=token", true),
        ("response_type=token", false),
        ("response_type=id_token+token", false),
        ("response_type=codex", false),
        ("response_type=device_code", false),
        ("response_type=none", false),
    ] {
        let expected = if needed { Err(Reason::ChallengeRequired) } else { Ok(Requested::NoCode) };
        assert_eq!(read(response_type, &Policy::new()), expected, "{response_type}");
    }
    for lookalike in [
        "CODE",
        "Code",
        "code%0A",
        "%09code",
        "id_token%0Acode",
        "token%0DCODE",
        "code%C2%A0",
        "%00code",
        "%20code",
        "code+",
        "code++id_token",
        "code%E2%80%8B",
        "code,token",
    ] {
        let parameters = format!("response_type={lookalike}&code_challenge=$C&code_challenge_method=S256");
        assert_eq!(read(&parameters, &Policy::new()), Err(Reason::ResponseTypeLookalike), "{lookalike}");
        assert_eq!(read(&parameters, &Policy::new().report_only()), Ok(Requested::Tolerated), "{lookalike}");
    }
}

#[test]
fn beside_a_request_object_the_parameters_do_not_count() {
    for parameters in [
        // A12
        "request=eyJ&code_challenge=$C&code_challenge_method=S256",
        "request_uri=urn%3Ax&code_challenge=$C&code_challenge_method=S256",
        "client_id=a&request%5Furi=urn%3Ax",
        "code_challenge=$C&code_challenge_method=S256&request=&request=",
        "response_type=token&request=eyJ",
    ] {
        for policy in [Policy::new(), Policy::new().report_only(), Policy::new().allow_missing_challenge()] {
            assert_eq!(read(parameters, &policy), Err(Reason::RequestObject), "{parameters}");
        }
    }
}

#[test]
fn report_only_tolerates_what_old_clients_send_and_nothing_else() {
    let policy = Policy::new().report_only();
    for (parameters, reason) in [
        ("", Reason::ChallengeRequired),
        ("code_challenge_method=S256", Reason::ChallengeRequired),
        ("code_challenge=$C", Reason::ChallengeMethod),
        ("code_challenge=$C&code_challenge_method=plain", Reason::ChallengeMethod),
        ("code_challenge=short&code_challenge_method=S256", Reason::ChallengeMalformed),
        ("code_challenge=%&code_challenge_method=S256", Reason::ChallengeMalformed),
    ] {
        assert_eq!(read(parameters, &Policy::new()), Err(reason), "{parameters}");
        assert_eq!(read(parameters, &policy), Ok(Requested::Tolerated), "{parameters}");
    }
    assert_eq!(read("code_challenge=$C&code_challenge_method=S256", &policy), challenge(S256));
    let both = Policy::new().report_only().allow_missing_challenge();
    assert_eq!(read("code_challenge_method=S256", &both), Ok(Requested::Tolerated));
}

#[test]
fn parameters_that_the_host_has_resolved_are_judged_alike() {
    let (challenge_is, s256) = (("code_challenge", CHALLENGE), ("code_challenge_method", "S256"));
    for (parameters, expected) in [
        (&[challenge_is, s256][..], challenge(S256)),
        (&[("response_type", "code"), challenge_is, s256], challenge(S256)),
        (&[("response_type", ""), challenge_is, s256], challenge(S256)), // A2
        (&[("response_type", "code"), ("scope", "a b"), challenge_is, s256], challenge(S256)), // A4
        (&[challenge_is, ("code_challenge_method", "")], Err(Reason::ChallengeMethod)), // A2, A6
        (&[challenge_is], Err(Reason::ChallengeMethod)),                 // A6
        (&[("code_challenge", ""), s256], Err(Reason::ChallengeRequired)), // A2, A7
        (&[("code_challenge", "%45"), s256], Err(Reason::ChallengeMalformed)), // nothing is decoded
        (&[("code_challenge", "a+b"), s256], Err(Reason::ChallengeMalformed)),
        (&[challenge_is, challenge_is, s256], Err(Reason::DuplicateParameter)), // A3
        (&[("request", "eyJ"), challenge_is, s256], Err(Reason::RequestObject)), // A12
        (&[("response_type", "code")], Err(Reason::ChallengeRequired)),         // A9
        (&[("response_type", "id_token code")], Err(Reason::ChallengeRequired)), // A11
        (&[("response_type", "token")], Ok(Requested::NoCode)),                 // A11
    ] {
        let read = read_parameters(parameters, &Policy::new()).map_err(|rejection| rejection.reason());
        assert_eq!(read, expected, "{parameters:?}");
    }
}

#[test]
fn a_client_that_must_send_a_challenge_may_leave_it_out_in_a_roll_out_only() {
    let lenient = Policy::new().allow_missing_challenge();
    let asked = |policy: Policy| {
        let pkce = Pkce::builder(MemoryStore::new()).policy(policy).build();
        let request = Request::new("GET", Body::Complete(b"")).query(Some("response_type=code"));
        pkce.challenge(AuthorizationRequest::from_query(&request, pkce.policy()))
            .map(|(pending, ())| pending.challenge().is_none())
            .map_err(|rejection| rejection.reason())
    };
    assert_eq!(asked(lenient.clone()), Err(Reason::ChallengeRequired));
    assert_eq!(asked(lenient.report_only()), Ok(true));
    assert_eq!(asked(Policy::new().report_only()), Ok(true));
    assert_eq!(asked(Policy::new()), Err(Reason::ChallengeRequired));
}
