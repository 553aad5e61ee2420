//! The token request, before any look into the store. Rules C1 to C11.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use pkce_core::adapter::token::{self, TokenRequest};
use pkce_core::adapter::{Body, Request};
use pkce_core::{Policy, Reason};

/// RFC 7636 Appendix B; in the tables below it is `$V`.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const FORM: &[u8] = b"application/x-www-form-urlencoded";
const GOOD: &str = "grant_type=authorization_code&code=c&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// What was read: `preflight`, `other grant`, or the code and the verifier.
fn read(request: &Request<'_>, policy: &Policy) -> Result<String, Reason> {
    token::read(request, policy).map(|request| match request {
        TokenRequest::Preflight => "preflight".to_owned(),
        TokenRequest::OtherGrant => "other grant".to_owned(),
        TokenRequest::CodeGrant(grant) => {
            format!("{} {}", grant.code(), grant.code_verifier().unwrap_or("-"))
        }
        other => unreachable!("{other:?}"),
    })
}

fn read_body(body: &[u8]) -> Result<String, Reason> {
    read(&Request::new("POST", Body::Complete(body)).header("content-type", FORM), &Policy::new())
}

fn table(rows: &[(&str, Result<&str, Reason>)]) {
    for (body, expected) in rows {
        let body = body.replace("$V", VERIFIER);
        let expected = expected.map(|text| text.replace("$V", VERIFIER));
        assert_eq!(read_body(body.as_bytes()), expected, "{body}");
    }
}

#[test]
fn only_a_bare_options_and_a_post_are_looked_at() {
    let (empty, good) = (Body::Complete(b""), Body::Complete(GOOD.as_bytes()));
    for (method, query, body, expected) in [
        ("OPTIONS", None, empty, Ok("preflight")), // C1
        ("OPTIONS", Some("tenant=7&client_id=a"), empty, Ok("preflight")),
        ("OPTIONS", Some("code=c"), empty, Err(Reason::TokenMethod)), // C1, C2
        ("OPTIONS", Some("%63ode="), empty, Err(Reason::TokenMethod)),
        ("OPTIONS", Some("grant_type"), empty, Err(Reason::TokenMethod)),
        ("OPTIONS", None, good, Err(Reason::TokenMethod)), // C2
        ("OPTIONS", None, Body::TooLarge, Err(Reason::TokenMethod)),
        ("OPTIONS", None, Body::Failed, Err(Reason::TokenMethod)),
        ("options", None, empty, Err(Reason::TokenMethod)), // methods are case-sensitive
        ("GET", Some(GOOD), empty, Err(Reason::TokenMethod)),
        ("HEAD", Some(GOOD), empty, Err(Reason::TokenMethod)),
        ("GET", None, good, Err(Reason::TokenMethod)),
        ("PUT", None, good, Err(Reason::TokenMethod)),
        ("PATCH", None, good, Err(Reason::TokenMethod)),
        ("DELETE", None, good, Err(Reason::TokenMethod)),
        ("post", None, good, Err(Reason::TokenMethod)),
        ("POST ", None, good, Err(Reason::TokenMethod)),
        ("", None, good, Err(Reason::TokenMethod)),
        ("POST", None, good, Ok("c $V")),
    ] {
        let request = Request::new(method, body).query(query).header("content-type", FORM);
        let expected = expected.map(|text| text.replace("$V", VERIFIER));
        assert_eq!(read(&request, &Policy::new()), expected, "{method} {query:?} {body:?}");
    }
}

#[test]
fn our_parameters_do_not_belong_in_the_query() {
    for (query, refused) in [
        // C3
        ("code=c", true),
        ("code", true),
        ("code=", true),
        ("grant_type=authorization_code", true),
        ("x=y&code_verifier=", true),
        ("c%6fde_verifier=x", true),
        ("&&grant%5Ftype", true),
        ("client_id=a&redirect_uri=b", false),
        ("Code=c&code+=c&code%00=c&codes=c&=code", false),
        ("", false),
    ] {
        let request =
            Request::new("POST", Body::Complete(GOOD.as_bytes())).query(Some(query)).header("content-type", FORM);
        let read = read(&request, &Policy::new());
        assert_eq!(read.err(), refused.then_some(Reason::ParameterInQuery), "{query}");
    }
}

#[test]
fn a_body_says_exactly_once_that_it_is_a_form() {
    let many: &[(&[&[u8]], bool)] = &[
        // C4
        (&[FORM], true),
        (&[b"APPLICATION/X-WWW-Form-UrlEncoded"], true),
        (&[b"application/x-www-form-urlencoded; charset=UTF-8"], true),
        (&[b"application/x-www-form-urlencoded;charset=\"utf-8\""], true),
        (&[b"  application/x-www-form-urlencoded ;"], true),
        (&[], false),
        (&[b""], false),
        (&[b";"], false),
        (&[FORM, FORM], false),
        (&[FORM, b""], false),
        (&[b"text/plain", FORM], false),
        (&[b"application/x-www-form-urlencoded, text/plain"], false),
        (&[b"application/x-www-form-urlencoded; a=b, application/json"], false),
        // A form reader that decodes by the character set would read another code in these octets.
        (&[b"application/x-www-form-urlencoded; charset=utf-16le"], false),
        (&[b"application/x-www-form-urlencoded; charset=utf-8; charset=utf-16le"], false),
        (&[b"application/x-www-form-urlencoded; CharSet = utf-8"], false),
        (&[b"application/x-www-form-urlencoded; charset=iso-8859-1"], false),
        (&[b"application/x-www-form-urlencoded; charset*=utf-8''utf-16le"], false),
        (&[b"application/x-www-form-urlencoded; a=\";charset=utf-16le\""], false),
        (&[b"application/x-www-form-urlencoded; boundary=x"], true),
        (&[b"text/plain; application/x-www-form-urlencoded"], false),
        (&[b"application/x-www-form-urlencoded2"], false),
        (&[b"application/x-www-form-urlencoded charset=utf-8"], false),
        (&[b"application/ x-www-form-urlencoded"], false),
        (&[b"x-www-form-urlencoded"], false),
        (&[b"multipart/form-data; boundary=x"], false),
        (&[b"application/x-www-form-urlencoded\xff"], false),
        (&[b"application/json"], false),
    ];
    for (lines, accepted) in many {
        let bare = Request::new("POST", Body::Complete(GOOD.as_bytes()));
        let request = lines.iter().fold(bare, |request, line| request.header("content-type", line));
        let read = read(&request, &Policy::new());
        assert_eq!(read.err(), (!accepted).then_some(Reason::ContentType), "{lines:?}");
    }
}

#[test]
fn a_body_with_a_content_coding_is_not_guessed_at() {
    let good = Request::new("POST", Body::Complete(GOOD.as_bytes())).header("content-type", FORM);
    for coding in [&b"gzip"[..], b"identity", b"", b"br, gzip"] {
        let coded = good.header("content-encoding", coding);
        assert_eq!(read(&coded, &Policy::new()), Err(Reason::ContentEncoding)); // C4
    }
    let unrelated = good.header("transfer-encoding", b"chunked").header("accept-encoding", b"gzip");
    assert!(read(&unrelated, &Policy::new()).is_ok());
}

#[test]
fn a_body_over_the_limit_is_refused_and_one_at_the_limit_is_not() {
    let padded = |length: usize| format!("{GOOD}&x={}", "y".repeat(length - GOOD.len() - 3));
    for (length, limit, expected) in [
        // C5
        (16 * 1024, None, None),
        (16 * 1024 + 1, None, Some(Reason::BodyTooLarge)),
        (200, Some(200), None),
        (201, Some(200), Some(Reason::BodyTooLarge)),
    ] {
        let policy = limit.map_or(Policy::new(), |limit| Policy::new().body_limit(limit));
        let body = padded(length);
        let request = Request::new("POST", Body::Complete(body.as_bytes())).header("content-type", FORM);
        assert_eq!(read(&request, &policy).err(), expected, "{length} octets");
    }
    for (body, expected) in [(Body::TooLarge, Reason::BodyTooLarge), (Body::Failed, Reason::MalformedBody)] {
        assert_eq!(read(&Request::new("POST", body).header("content-type", FORM), &Policy::new()), Err(expected));
    }
}

#[test]
fn each_parameter_comes_at_most_once() {
    for name in ["grant_type", "code", "code_verifier", "client_id", "redirect_uri"] {
        let encoded = name.replacen('c', "%63", 1).replacen('r', "%72", 1);
        for twice in [
            // C6
            format!("{GOOD}&{name}=x&{name}=x"),
            format!("{name}=&{GOOD}&{name}="),
            format!("{name}&{GOOD}&{name}=x"),
            format!("{encoded}=x&{GOOD}&{name}=x"),
            format!("{encoded}&{GOOD}&{encoded}"),
        ] {
            assert_eq!(read_body(twice.as_bytes()), Err(Reason::DuplicateParameter), "{twice}");
        }
    }
    table(&[(&format!("{GOOD}&resource=a&resource=a&scope=&scope=&Code=d&code[]=d"), Ok("c $V"))]);
}

#[test]
fn the_grant_type_decides_whether_there_is_a_code() {
    use Reason::{CodeWithOtherGrantType, GrantTypeLookalike, GrantTypeMissing, MalformedBody};
    table(&[
        ("", Err(GrantTypeMissing)), // C7
        ("code=c&code_verifier=$V", Err(GrantTypeMissing)),
        ("grant_type=&code=c", Err(GrantTypeMissing)),
        ("grant_type&code=c", Err(GrantTypeMissing)),
        ("grant_type=%zz&code=c", Err(MalformedBody)),
        ("grant_type=authorization%5Fcode&code=c", Ok("c -")),
        ("grant_type=refresh_token&refresh_token=r", Ok("other grant")), // C8
        ("grant_type=urn:ietf:params:oauth:grant-type:device_code&device_code=d", Ok("other grant")),
        ("grant_type=client_credentials&code=", Ok("other grant")),
        ("grant_type=client_credentials&code", Ok("other grant")),
        ("grant_type=%ff", Ok("other grant")),
        ("grant_type=refresh_token&code_verifier=short", Ok("other grant")),
        ("grant_type=refresh_token&code=c", Err(CodeWithOtherGrantType)),
        ("grant_type=refresh_token&%63ode=%", Err(CodeWithOtherGrantType)),
        ("grant_type=%ff&code=c", Err(CodeWithOtherGrantType)),
        ("grant_type=authorization_codes&code=c", Err(CodeWithOtherGrantType)),
        ("grant_type=authorization-code&code=c", Err(CodeWithOtherGrantType)),
        ("grant_type=authorization_code%E2%80%8B&code=c", Err(CodeWithOtherGrantType)), // zero width space
    ]);
    for grant_type in [
        // C9
        "Authorization_Code",
        "AUTHORIZATION_CODE",
        "authorization_code+",
        "+authorization_code",
        "authorization_code%20",
        "%09authorization_code",
        "authorization_code%0A",
        "authorization_code%0d%0a",
        "authorization_code%00",
        "%C2%A0authorization_code",
        "%E3%80%80AUTHORIZATION_code%C2%85",
    ] {
        for rest in ["&code=c", "", "&refresh_token=r"] {
            table(&[(&format!("grant_type={grant_type}{rest}"), Err(GrantTypeLookalike))]);
        }
    }
}

#[test]
fn the_policy_names_grant_types_whose_code_is_another() {
    let policy =
        Policy::new().other_grant_type_with_code("urn:example:otp").other_grant_type_with_code("Authorization_Code");
    for (body, expected) in [
        // C8
        ("grant_type=urn%3Aexample%3Aotp&code=123", Ok("other grant")),
        ("grant_type=urn:example:otp&code=123&code=123", Err(Reason::DuplicateParameter)), // C6
        ("grant_type=URN:example:otp&code=123", Err(Reason::CodeWithOtherGrantType)),
        ("grant_type=urn:example:otp2&code=123", Err(Reason::CodeWithOtherGrantType)),
        ("grant_type=Authorization_Code&code=123", Err(Reason::GrantTypeLookalike)), // C9: no way round it
        ("grant_type=authorization_code&code=123", Ok("123 -")),
    ] {
        let request = Request::new("POST", Body::Complete(body.as_bytes())).header("content-type", FORM);
        assert_eq!(read(&request, &policy), expected.map(str::to_owned), "{body}");
    }
}
