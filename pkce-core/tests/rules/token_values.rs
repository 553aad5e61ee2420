//! The code and the verifier of a token request, the order of all its checks, and JSON. Rules C2 to C11.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use pkce_core::adapter::token::{self, TokenRequest};
use pkce_core::adapter::{Body, Request};
use pkce_core::{MemoryStore, Pkce, Policy, Reason};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A token request in parts, to be written as a form or as JSON.
#[derive(Clone)]
struct Parts {
    method: &'static str,
    query: Option<&'static str>,
    content_type: Option<&'static str>,
    coded: bool,
    limit: usize,
    members: Vec<(&'static str, String)>,
}

impl Parts {
    fn good() -> Self {
        let members =
            [("grant_type", "authorization_code"), ("code", "c"), ("code_verifier", VERIFIER), ("client_id", "a")];
        let members = members.map(|(name, value)| (name, value.to_owned())).to_vec();
        Self { method: "POST", query: None, content_type: None, coded: false, limit: 16 * 1024, members }
    }

    fn set(mut self, name: &'static str, value: &str) -> Self {
        self.members.retain(|member| member.0 != name);
        self.members.push((name, value.to_owned()));
        self
    }

    fn read(&self, json: bool) -> Result<(Vec<u8>, Option<Vec<u8>>), Reason> {
        let body = if json {
            let members: Vec<String> =
                self.members.iter().map(|(name, value)| format!("{}:{}", quoted(name), quoted(value))).collect();
            format!("{{{}}}", members.join(","))
        } else {
            form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.members).finish()
        };
        let policy = Policy::new().body_limit(self.limit);
        let (policy, own) = if json {
            (policy.accept_json(), "application/json")
        } else {
            (policy, "application/x-www-form-urlencoded")
        };
        let request = Request::new(self.method, Body::Complete(body.as_bytes())).query(self.query);
        let request = request.header("content-type", self.content_type.unwrap_or(own).as_bytes());
        let request = if self.coded { request.header("content-encoding", b"gzip") } else { request };
        match token::read(&request, &policy)? {
            TokenRequest::CodeGrant(grant) => Ok((grant.code().into(), grant.code_verifier().map(Into::into))),
            other => panic!("{other:?}"),
        }
    }
}

/// Why a code that nobody bound is rejected, where the host has read the values itself.
fn redeem(code: &str, verifier: &str) -> Reason {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let redeemed = runtime.block_on(async { Pkce::new(MemoryStore::new()).redeem(code, Some(verifier)).await });
    redeemed.unwrap_err().reason()
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// The rule, how to violate it, and the answer.
type Violation = (&'static str, fn(Parts) -> Parts, Reason);

/// One violation for each check, in the order of the rules.
const VIOLATIONS: [Violation; 12] = [
    ("C2", |parts| Parts { method: "PUT", ..parts }, Reason::TokenMethod),
    ("C3", |parts| Parts { query: Some("code=c"), ..parts }, Reason::ParameterInQuery),
    ("C4 type", |parts| Parts { content_type: Some("text/plain"), ..parts }, Reason::ContentType),
    ("C4 coding", |parts| Parts { coded: true, ..parts }, Reason::ContentEncoding),
    ("C5", |parts| Parts { limit: 9, ..parts }, Reason::BodyTooLarge),
    (
        "C6",
        |mut parts| {
            parts.members.extend([("redirect_uri", String::new()), ("redirect_uri", String::new())]);
            parts
        },
        Reason::DuplicateParameter,
    ),
    ("C7", |parts| parts.set("grant_type", ""), Reason::GrantTypeMissing),
    ("C8", |parts| parts.set("grant_type", "refresh_token"), Reason::CodeWithOtherGrantType),
    ("C9", |parts| parts.set("grant_type", "Authorization_code "), Reason::GrantTypeLookalike),
    ("C10 malformed", |parts| parts.set("code", "c\n"), Reason::CodeMalformed),
    ("C10 missing", |parts| parts.set("code", ""), Reason::CodeMissing),
    ("C11", |parts| parts.set("code_verifier", "short"), Reason::VerifierMalformed),
];

#[test]
fn of_two_violations_the_earlier_rule_answers() {
    for json in [false, true] {
        assert_eq!(Parts::good().read(json), Ok((b"c".to_vec(), Some(VERIFIER.into()))));
        for (first, (rule, violate, reason)) in VIOLATIONS.iter().enumerate() {
            assert_eq!(violate(Parts::good()).read(json).err(), Some(*reason), "{rule}, json {json}");
            for (later, violate_later, _) in VIOLATIONS.iter().skip(first + 1) {
                // Two violations of one parameter exclude each other; without a code C8 has nothing to refuse.
                let same = |group: &[&str]| group.contains(rule) && group.contains(later);
                if same(&["C7", "C8", "C9"]) || same(&["C10 malformed", "C10 missing"]) || same(&["C8", "C10 missing"])
                {
                    continue;
                }
                let both = violate(violate_later(Parts::good()));
                assert_eq!(both.read(json).err(), Some(*reason), "{rule} and {later}, json {json}");
            }
        }
    }
}

fn read_form(rest: &[u8]) -> Result<Option<Vec<u8>>, Reason> {
    let body = [b"grant_type=authorization_code", rest].concat();
    let request =
        Request::new("POST", Body::Complete(&body)).header("content-type", b"application/x-www-form-urlencoded");
    match token::read(&request, &Policy::new())? {
        TokenRequest::CodeGrant(grant) => Ok(grant.code_verifier().map(Into::into)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_code_that_is_missing_or_malformed_is_told_before_a_malformed_verifier() {
    for verifier in ["%", "%zz", "%ff", "short", "a+b", "\u{e9}"] {
        for (code, reason) in [
            ("", Reason::CodeMissing),
            ("&code", Reason::CodeMissing),
            ("&code=", Reason::CodeMissing),
            ("&code=%", Reason::CodeMalformed),
            ("&code=%00", Reason::CodeMalformed),
            ("&code=c", Reason::VerifierMalformed),
        ] {
            let rest = format!("&code_verifier={verifier}{code}");
            assert_eq!(read_form(rest.as_bytes()), Err(reason), "{rest}"); // C10 before C11
        }
    }
}

#[test]
fn a_code_is_1_to_4096_visible_characters() {
    let of = |length| "c".repeat(length);
    for (code, accepted) in [
        // C10
        (of(1), true),
        (of(4096), true),
        (of(4097), false),
        (" ".to_owned(), true),
        ("!\"#$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~".to_owned(), true),
        ("c\u{7f}".to_owned(), false),
        ("c\n".to_owned(), false),
        ("c\r\n".to_owned(), false),
        ("\tc".to_owned(), false),
        ("c\0".to_owned(), false),
        ("\u{e9}".to_owned(), false),
        ("\u{feff}c".to_owned(), false),
    ] {
        let expected =
            if accepted { Ok((code.clone().into_bytes(), Some(VERIFIER.into()))) } else { Err(Reason::CodeMalformed) };
        for json in [false, true] {
            assert_eq!(Parts::good().set("code", &code).read(json), expected, "{code:?}, json {json}");
        }
        assert_eq!(redeem(&code, VERIFIER), expected.err().unwrap_or(Reason::CodeUnknown), "{code:?}");
    }
    for raw in [&b"&code=%"[..], b"&code=%4", b"&code=c%zz", b"&code=\xff", b"&code=%FF"] {
        assert_eq!(read_form(raw), Err(Reason::CodeMalformed));
    }
}

#[test]
fn a_verifier_is_43_to_128_unreserved_characters() {
    let of = |length| "v".repeat(length);
    for (verifier, accepted) in [
        // C11
        (of(1), false),
        (of(42), false),
        (of(43), true),
        (of(128), true),
        (of(129), false),
        (of(39) + "-._~", true),
        (of(42) + "+", false),
        (of(42) + "/", false),
        (of(42) + "=", false),
        (of(42) + " ", false),
        (of(42) + "\n", false),
        (of(43) + "\n", false),
        (of(42) + "\0", false),
        (of(43) + "\0", false),
        (of(42) + "\u{e9}", false),
        (of(42) + "\u{212a}", false),
    ] {
        let expected =
            if accepted { Ok((b"c".to_vec(), Some(verifier.clone().into()))) } else { Err(Reason::VerifierMalformed) };
        for json in [false, true] {
            assert_eq!(Parts::good().set("code_verifier", &verifier).read(json), expected, "{verifier:?}, json {json}");
        }
        assert_eq!(redeem("c", &verifier), expected.err().unwrap_or(Reason::CodeUnknown), "{verifier:?}");
    }
}

#[test]
fn a_verifier_is_decoded_once_and_strictly() {
    for (rest, expected) in [
        ("&code=c&code_verifier=%64BjftJeZ4CVP%2dmB92K27uhbUJU1p1r%5FwW1gFWFOEjX%6B", Ok(Some(VERIFIER.into()))), // C11
        ("&code=c&%63ode_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", Ok(Some(VERIFIER.into()))),
        ("&code=c", Ok(None)),
        ("&code=c&code_verifier", Ok(None)),
        ("&code=c&code_verifier=", Ok(None)),
        ("&code=c&code_verifier=%2564BjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", Err(Reason::VerifierMalformed)),
        ("&code=c&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjX+k", Err(Reason::VerifierMalformed)),
        ("&code=c&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk%", Err(Reason::VerifierMalformed)),
        ("&code=c&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk%00", Err(Reason::VerifierMalformed)),
        ("&code=c&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk;x=y", Err(Reason::VerifierMalformed)),
    ] {
        assert_eq!(read_form(rest.as_bytes()), expected, "{rest}");
    }
    let no_utf_8 = [b"&code=c&code_verifier=", &[0xff; 43][..]].concat();
    assert_eq!(read_form(&no_utf_8), Err(Reason::VerifierMalformed));
}

#[test]
fn json_is_one_object_of_strings_and_only_if_the_policy_accepts_it() {
    let good = format!(r#"{{"grant_type":"authorization_code","code":"c","code_verifier":"{VERIFIER}"}}"#);
    let inside = &good[1..good.len() - 1];
    for (body, expected) in [
        (good.clone(), None),
        (format!(" {good}\n"), None),
        (format!(r#"{{"claims":{{"code":1,"code":2}},"claims":[],"n":1e999,{inside}}}"#), None),
        (good.replace("\"c\"", "\"\\u0063\""), None),
        (format!(r#"{{"co\u0064e":"c",{inside}}}"#), Some(Reason::DuplicateParameter)), // C6
        (format!(r#"{{"client_id":"","client_id":"",{inside}}}"#), Some(Reason::DuplicateParameter)),
        (good.replace("\"c\"", "1"), Some(Reason::MalformedBody)),
        (good.replace("\"c\"", "null"), Some(Reason::MalformedBody)),
        (good.replace("\"c\"", "[\"c\"]"), Some(Reason::MalformedBody)),
        (format!(r#"{{"redirect_uri":null,{inside}}}"#), Some(Reason::MalformedBody)),
        (good.replace("\"c\"", "\"\\ud800\""), Some(Reason::MalformedBody)),
        (format!("{good}{good}"), Some(Reason::MalformedBody)),
        (format!("{good},"), Some(Reason::MalformedBody)),
        (format!("[{good}]"), Some(Reason::MalformedBody)),
        (format!("\u{feff}{good}"), Some(Reason::MalformedBody)),
        (String::new(), Some(Reason::MalformedBody)),
        ("\"grant_type\"".to_owned(), Some(Reason::MalformedBody)),
        ("{}".to_owned(), Some(Reason::GrantTypeMissing)), // C7
        (good.replace("authorization_code", "refresh_token"), Some(Reason::CodeWithOtherGrantType)), // C8
    ] {
        for (content_type, accepted) in [
            (&b"application/json"[..], true),
            (b"Application/JSON;charset=utf-8", true),
            (b"application/json+x", false),
        ] {
            let request = Request::new("POST", Body::Complete(body.as_bytes())).header("content-type", content_type);
            let read = token::read(&request, &Policy::new().accept_json()).err();
            assert_eq!(read, if accepted { expected } else { Some(Reason::ContentType) }, "{body}");
            assert_eq!(token::read(&request, &Policy::new()).err(), Some(Reason::ContentType), "{body}"); // C4
        }
    }
    for (grant_type, body) in
        [("refresh_token", r#"{"grant_type":"refresh_token","code":""}"#), ("form", "grant_type=x")]
    {
        let content_type: &[u8] =
            if grant_type == "form" { b"application/x-www-form-urlencoded" } else { b"application/json" };
        let request = Request::new("POST", Body::Complete(body.as_bytes())).header("content-type", content_type);
        assert!(matches!(token::read(&request, &Policy::new().accept_json()), Ok(TokenRequest::OtherGrant)));
    }
}
