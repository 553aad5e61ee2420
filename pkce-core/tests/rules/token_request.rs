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
        (&[b"application/x-www-form-urlencoded; charset*=utf-8''utf-16le"], false),
        (&[b"application/x-www-form-urlencoded; a=\";charset=utf-16le\""], false),
        (&[b"application/x-www-form-urlencoded; boundary=x"], false),
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
        let is_charset = matches!(read, Err(Reason::Charset))
            && lines.iter().any(|line| line.to_ascii_lowercase().windows(7).any(|window| window == b"charset"));
        assert!(
            read.is_ok() == *accepted && (*accepted || is_charset || read == Err(Reason::ContentType)),
            "{lines:?}"
        );
    }
}

#[test]
fn a_body_with_a_content_coding_is_not_guessed_at() {
    let good = Request::new("POST", Body::Complete(GOOD.as_bytes())).header("content-type", FORM);
    for coding in [&b"gzip"[..], b"", b"br, gzip"] {
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
    table(&[(&format!("{GOOD}&resource=a&resource=a&scope=&scope=&Code=d"), Ok("c $V"))]);
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

fn read_as(content_type: &str, body: &[u8]) -> Result<String, Reason> {
    read(&Request::new("POST", Body::Complete(body)).header("content-type", content_type.as_bytes()), &Policy::new())
}

#[test]
fn a_form_that_a_host_could_take_for_another_format_is_rejected() {
    const HIDDEN: &str = "&grant_type=authorization_code&code=OWN&code_verifier=$V&y=";
    for (start, end) in [
        // C4b
        (r#"{"x":""#, r#"","grant_type":"authorization_code","code":"STOLEN"}"#),
        (r#"  {"x":""#, r#"","code":"STOLEN"}"#),
        ("\u{feff}{\"x\":\"", r#"","code":"STOLEN"}"#),
        // What some readers skip or trim: another first name, or JSON after all.
        ("\u{feff}code=STOLEN", ""),
        (" code=STOLEN", ""),
        ("\u{a0}{\"x\":\"", r#"","code":"STOLEN"}"#),
        ("\u{3000}code=STOLEN", ""),
        (" \u{feff} [\"", r#""]"#),
        (r#"""#, r#"""#),
        ("<x a='", "'><code>STOLEN</code></x>"),
    ] {
        for hidden in [HIDDEN, "&grant_type=refresh_token&"] {
            let body = format!("{start}{hidden}{end}").replace("$V", VERIFIER);
            assert_eq!(read_body(body.as_bytes()), Err(Reason::NotAForm), "{body}");
        }
    }
    let multipart = "--B\r\nContent-Disposition: form-data; name=code\r\n\r\nSTOLEN\r\n--B--&grant_type=refresh_token&";
    assert_eq!(read_body(multipart.as_bytes()), Err(Reason::ControlCharacter));
    assert_eq!(
        read_as("application/x-www-form-urlencoded; boundary=B", multipart.as_bytes()),
        Err(Reason::ContentType)
    );
    assert_eq!(read_as("application/x-www-form-urlencoded; BOUNDARY=B", GOOD.as_bytes()), Err(Reason::ContentType));
    for byte in (0..0x20).chain([0x7f]) {
        for at in [0, 10, GOOD.len()] {
            let mut body = GOOD.as_bytes().to_vec();
            body.insert(at, byte);
            assert_eq!(read_body(&body), Err(Reason::ControlCharacter), "{byte:#x} at {at}");
        }
    }
    // Encoded, each of these is a value like another.
    let harmless = format!("{GOOD}&x=%7B%22%3C%0D%0A&y={{}}");
    assert_eq!(read_body(harmless.as_bytes()), Ok(format!("c {VERIFIER}")));
}

#[test]
fn a_json_body_that_a_host_could_take_for_a_form_is_rejected() {
    let policy = Policy::new().accept_json();
    let read = |body: &str| {
        let request = Request::new("POST", Body::Complete(body.as_bytes())).header("content-type", b"application/json");
        token::read(&request, &policy).map(|_| ())
    };
    for inner in [
        "&grant_type=authorization_code&code=STOLEN&",
        "&code=STOLEN",
        "&c%6fde=STOLEN&",
        "&[code]=STOLEN&",
        "&code[]=STOLEN&",
        "&code_verifier&",
    ] {
        let body = format!(r#"{{"grant_type":"refresh_token","x":"{inner}"}}"#);
        assert_eq!(read(&body), Err(Reason::FormInJson), "{body}");
    }
    assert_eq!(read(r#"{"grant_type":"refresh_token","x":"a&b=c"}"#), Ok(()));
}

#[test]
fn a_name_with_brackets_is_rejected_for_every_grant_type() {
    for name in ["grant_type", "code", "code_verifier", "client_id", "redirect_uri"] {
        for spelled in ["$[]", "[$]", "$[0]", "$[a][b]", "%5B$%5D", "$%5b%5d", "[$]x", "[$", "$["] {
            let parameter = spelled.replace('$', name);
            let expected = if spelled == "[$" { Ok(()) } else { Err(Reason::BracketedParameter) }; // no reader closes it
            for value in ["=STOLEN", "=", ""] {
                for rest in ["grant_type=refresh_token", GOOD] {
                    let body = format!("{rest}&{parameter}{value}"); // C6
                    assert_eq!(read_body(body.as_bytes()).map(|_| ()), expected, "{body}");
                }
                if ["grant_type", "code", "code_verifier"].contains(&name) {
                    let query = format!("{parameter}{value}"); // C3
                    let request = Request::new("POST", Body::Complete(GOOD.as_bytes())).query(Some(&query));
                    let read = read(&request.header("content-type", FORM), &Policy::new()).map(|_| ());
                    assert_eq!(read, expected.map_err(|_| Reason::ParameterInQuery), "{query}");
                }
            }
        }
    }
}

#[test]
fn a_character_set_that_is_a_superset_of_ascii_is_accepted() {
    for charset in ["utf-8", "UTF8", "us-ascii", "ASCII", "ISO-8859-1", "latin1", "Windows-1252"] {
        for spelled in ["; charset=$", ";charset=\"$\"", " ; CharSet=$ ", "; x=y; charset=$"] {
            let content_type = format!("application/x-www-form-urlencoded{}", spelled.replace('$', charset)); // C4a
            assert!(read_as(&content_type, GOOD.as_bytes()).is_ok(), "{content_type}");
        }
    }
    for spelled in [
        "charset=utf-16",
        "charset=utf-16le",
        "charset=ibm037",
        "charset=iso-2022-jp",
        "charset=gbk",
        "charset=utf-7",
        "charset=",
        "charset",
        "charset = utf-8",
        "charset=\"utf-8",
        "charset*=utf-8",
        "xcharset=utf-16",
        "charset=utf-8 x",
    ] {
        let content_type = format!("application/x-www-form-urlencoded; {spelled}");
        assert_eq!(read_as(&content_type, GOOD.as_bytes()), Err(Reason::Charset), "{content_type}");
    }
}

#[test]
fn a_content_encoding_is_identity_or_none() {
    for (encoding, accepted) in
        [("identity", true), (" Identity ", true), ("gzip", false), ("identity, gzip", false), ("", false)]
    {
        let request = Request::new("POST", Body::Complete(GOOD.as_bytes())).header("content-type", FORM);
        let read = read(&request.header("content-encoding", encoding.as_bytes()), &Policy::new());
        assert_eq!(read.is_ok(), accepted, "{encoding}");
    }
}

#[test]
fn only_a_2xx_without_a_cache_control_of_its_own_gets_no_store() {
    for (status, has_cache_control, added) in
        [(200, false, 2), (201, false, 2), (200, true, 0), (302, false, 0), (401, false, 0)]
    {
        assert_eq!(token::response_headers(status, has_cache_control).len(), added, "{status}");
    }
}
