//! Truthful metadata: the one member, and nothing else.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::borrow::Cow;

use pkce_core::Policy;
use pkce_core::adapter::HostResponse;
use pkce_core::metadata::{HeaderLine, advertise, is_document, is_read_by, request_header, response_header};
use proptest::prelude::*;

const POLICY: Policy = Policy::new();

fn written(document: &str) -> String {
    String::from_utf8(advertise(document.as_bytes(), &POLICY).into_owned()).unwrap()
}

#[test]
fn the_member_is_put_behind_the_last_in_its_layout() {
    const M: &str = "\"code_challenge_methods_supported\"";
    for (document, truthful) in [
        ("{}", format!("{{{M}:[\"S256\"]}}")),
        (" {\n} \n", format!(" {{{M}:[\"S256\"]\n}} \n")),
        (r#"{"issuer":"a"}"#, format!(r#"{{"issuer":"a",{M}:["S256"]}}"#)),
        (r#"{"a": 1, "b": [2]}"#, format!(r#"{{"a": 1, "b": [2], {M}: ["S256"]}}"#)),
        (r#"{"a": 1}"#, format!(r#"{{"a": 1, {M}: ["S256"]}}"#)),
        (r#"{ "a": 1 }"#, format!(r#"{{ "a": 1, {M}: ["S256"] }}"#)),
        ("{\n  \"a\": 1,\n  \"b\": 2\n}\n", format!("{{\n  \"a\": 1,\n  \"b\": 2,\n  {M}: [\"S256\"]\n}}\n")),
        ("{\r\n\t\"a\" : 1\r\n}", format!("{{\r\n\t\"a\" : 1,\r\n\t{M} : [\"S256\"]\r\n}}")),
        ("{\"a\":1 ,\"b\":{}}", format!("{{\"a\":1 ,\"b\":{{}},{M}:[\"S256\"]}}")),
        ("\u{feff}{\"a\":1}", format!("\u{feff}{{\"a\":1,{M}:[\"S256\"]}}")),
    ] {
        assert_eq!(written(document), truthful);
    }
}

#[test]
fn a_member_that_says_something_else_is_replaced_where_it_stands() {
    for (document, truthful) in [
        (
            r#"{"a":1.0,"code_challenge_methods_supported":["plain", "S256"] ,"z":1e400}"#,
            r#"{"a":1.0,"code_challenge_methods_supported":["S256"] ,"z":1e400}"#,
        ),
        (r#"{"code_challenge_methods_supported":null}"#, r#"{"code_challenge_methods_supported":["S256"]}"#),
        (r#"{"code_challenge_methods_supported":true}"#, r#"{"code_challenge_methods_supported":["S256"]}"#),
        (r#"{"code_challenge_methods_supported":"S256"}"#, r#"{"code_challenge_methods_supported":["S256"]}"#),
        (
            r#"{"code_challenge_methods_supported":["plain"],"b":{"code_challenge_methods_supported":["x"]}}"#,
            r#"{"code_challenge_methods_supported":["S256"],"b":{"code_challenge_methods_supported":["x"]}}"#,
        ),
        // In every spelling of its name, and wherever it stands twice.
        (
            r#"{"code_challenge_methods_supported":[],"a":"}\"]","\u0063ode_challenge_methods_supported":{"x":"}"}}"#,
            r#"{"code_challenge_methods_supported":["S256"],"a":"}\"]","\u0063ode_challenge_methods_supported":["S256"]}"#,
        ),
    ] {
        assert_eq!(written(document), truthful);
    }
}

#[test]
fn a_document_that_says_so_already_is_the_very_same() {
    let document = "{\"code_challenge_methods_supported\" : [ \"S256\" ], \"n\":12345678901234567890123}";
    assert!(matches!(advertise(document.as_bytes(), &POLICY), Cow::Borrowed(same) if same == document.as_bytes()));
}

#[test]
fn it_says_what_the_policy_enforces() {
    let document = advertise(b"{}", &POLICY.allow_plain()).into_owned();
    assert_eq!(document, br#"{"code_challenge_methods_supported":["S256","plain"]}"#);
}

#[test]
fn what_is_no_json_object_in_utf_8_stays_as_it_is() {
    for document in [
        &b""[..],
        b"[]",
        b"[\"code_challenge_methods_supported\"]",
        b"null",
        b"\"{}\"",
        b"{",
        b"{\"a\":1,}",
        b"{\"a\":1}}",
        b"{\"a\":\"\xff\"}",
        b"\xff\xfe{\0}\0",
        b"{'a':1}",
    ] {
        assert!(matches!(advertise(document, &POLICY), Cow::Borrowed(same) if same == document));
    }
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    _ = written(&deep);
}

#[test]
fn only_a_json_document_is_read() {
    let json = ("content-type", &b"application/json; charset=utf-8"[..]);
    for (answer, read) in [
        (HostResponse::new(200).header(json.0, json.1), true),
        (HostResponse::new(200).header("Content-Type", b"application/openid-configuration+json"), true),
        (HostResponse::new(200).header(json.0, json.1).header("content-encoding", b"identity"), true),
        (HostResponse::new(200).header(json.0, json.1).header("content-encoding", b"gzip"), false),
        (HostResponse::new(200), false),
        (HostResponse::new(200).header(json.0, b"text/html"), false),
        (HostResponse::new(200).header(json.0, b"application/jsonx"), false),
        (HostResponse::new(200).header(json.0, b"application/jwt"), false),
        (HostResponse::new(206).header(json.0, json.1), false),
        (HostResponse::new(404).header(json.0, json.1), false),
    ] {
        assert_eq!(is_document(&answer), read);
    }
    assert!(is_read_by("GET") && is_read_by("HEAD") && !is_read_by("POST") && !is_read_by("OPTIONS"));
}

fn replaced(with: &str) -> HeaderLine {
    HeaderLine::Replace(with.as_bytes().to_vec())
}

#[test]
fn the_client_gets_another_tag_and_the_host_is_asked_about_its_own() {
    for (host, client) in [
        (r#""abc""#, replaced(r#""abc+pkce:S256""#)),
        (r#"W/"abc""#, replaced(r#"W/"abc+pkce:S256""#)),
        (r#""""#, replaced(r#""+pkce:S256""#)),
        ("abc", HeaderLine::Drop),
        (r#"""#, HeaderLine::Drop),
        (r#""a"b""#, HeaderLine::Drop),
    ] {
        assert_eq!(response_header("ETag", host.as_bytes(), &POLICY), client);
        if let HeaderLine::Replace(told) = client {
            assert_eq!(request_header("if-none-match", &told, &POLICY), replaced(host));
            // Another policy makes another document.
            assert_eq!(request_header("if-none-match", &told, &POLICY.allow_plain()), HeaderLine::Drop);
        }
    }
    for (asked, host) in [
        (r#""abc""#, HeaderLine::Drop),
        ("*", HeaderLine::Drop),
        (r#""a", W/"b+pkce:S256" , "c+pkce:S256","d""#, replaced(r#"W/"b", "c""#)),
        (r#"x+pkce:S256""#, HeaderLine::Drop),
    ] {
        assert_eq!(request_header("If-None-Match", asked.as_bytes(), &POLICY), host, "{asked}");
    }
}

#[test]
fn what_is_about_the_octets_of_the_host_goes_and_all_else_stays() {
    for name in ["Accept-Encoding", "if-modified-since", "range", "if-range"] {
        assert_eq!(request_header(name, b"x", &POLICY), HeaderLine::Drop);
    }
    for name in ["Last-Modified", "content-length", "digest", "repr-digest", "accept-ranges"] {
        assert_eq!(response_header(name, b"x", &POLICY), HeaderLine::Drop);
    }
    for name in ["cache-control", "vary", "content-type", "access-control-allow-origin", "accept", "host"] {
        assert_eq!(request_header(name, b"x", &POLICY), HeaderLine::Keep);
        assert_eq!(response_header(name, b"x", &POLICY), HeaderLine::Keep);
    }
}

/// Any JSON value, written in any layout.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        "-?[1-9][0-9]{0,30}(\\.[0-9]{1,3})?(e[+-]?[0-9]{1,2})?",
        "\"([a-z{}\\[\\],: ]|\\\\\"|\\\\\\\\|\\\\u00e9)*\"",
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        let member = (name(), "[ \n]{0,2}", inner.clone())
            .prop_map(|(name, space, value)| format!("{space}{name}{space}:{space}{value}{space}"));
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|values| format!("[{}]", values.join(","))),
            prop::collection::vec(member, 0..4).prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "\"[a-z]{0,3}\"",
        Just("\"code_challenge_methods_supported\"".to_owned()),
        Just("\"code_challenge_methods\\u005fsupported\"".to_owned()),
    ]
}

proptest! {
    /// Every reader reads the methods, once written it stays, and all else is as it was.
    #[test]
    fn any_object_is_truthful_and_otherwise_as_it_was(document in json().prop_filter("an object", |text| text.starts_with('{'))) {
        let truthful = written(&document);
        let mut before: serde_json::Map<String, serde_json::Value> = match serde_json::from_str(&document) {
            Ok(before) => before,
            Err(_) => return Ok(()), // a number beyond what serde_json holds
        };
        let mut after: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&truthful).unwrap();
        let name = "code_challenge_methods_supported";
        prop_assert_eq!(after.remove(name), Some(serde_json::json!(["S256"])));
        before.remove(name);
        prop_assert_eq!(before, after);
        prop_assert_eq!(written(&truthful), truthful);
    }
}
