//! Truthful metadata: one member is set, and every other one is kept.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use pkce_core::adapter::HostResponse;
use pkce_core::adapter::metadata::{
    LIMIT, advertise, is_document, is_read_by, keeps_request_header, keeps_response_header,
};
use pkce_core::{MemoryStore, Pkce, Policy};
use proptest::prelude::*;
use serde_json::value::RawValue;

fn pkce() -> Pkce {
    Pkce::new(MemoryStore::new())
}

fn written(document: &str) -> String {
    String::from_utf8(advertise(document.as_bytes(), &pkce()).unwrap()).unwrap()
}

#[test]
fn the_member_is_added_and_the_others_keep_their_values_and_their_order() {
    const M: &str = "\"code_challenge_methods_supported\":[\"S256\"]";
    for (document, truthful) in [
        ("{}", format!("{{{M}}}")),
        (" {\n} \n", format!("{{{M}}}")),
        (r#"{"z": 1, "a": [2, 3], "n":null}"#, format!(r#"{{"z":1,"a":[2, 3],"n":null,{M}}}"#)),
        ("\u{feff}{\"a\":1}", format!("{{\"a\":1,{M}}}")),
        // Numbers that no type holds, text that need not be escaped, half a surrogate pair.
        (
            r#"{"a":1.0,"b":1e400,"c":123456789012345678901234567890,"d":-0,"e":"\/\u00e9\ud800"}"#,
            format!(r#"{{"a":1.0,"b":1e400,"c":123456789012345678901234567890,"d":-0,"e":"\/\u00e9\ud800",{M}}}"#),
        ),
        (r#"{"a":1,"b":2,"a":{"x":3,"x":4}}"#, format!(r#"{{"a":1,"b":2,"a":{{"x":3,"x":4}},{M}}}"#)),
        (r#"{"\u00e9\"\n":1}"#, format!(r#"{{"é\"\n":1,{M}}}"#)),
        (r#"{"$serde_json::private::RawValue":"1"}"#, format!(r#"{{"$serde_json::private::RawValue":"1",{M}}}"#)),
    ] {
        assert_eq!(written(document), truthful);
    }
}

#[test]
fn the_hosts_own_list_is_replaced_in_every_spelling_of_its_name() {
    for document in [
        r#"{"code_challenge_methods_supported":["plain", "S256"],"a":1}"#,
        r#"{"a":1,"code_challenge_methods_supported":null}"#,
        r#"{"a":1,"code_challenge_methods_supported":["S256"]}"#,
        r#"{"code_challenge_methods_supported":[],"a":1,"\u0063ode_challenge_methods_supported":{"x":"}"}}"#,
    ] {
        assert_eq!(written(document), r#"{"a":1,"code_challenge_methods_supported":["S256"]}"#);
    }
    // One inside another member is that member's.
    let nested = r#"{"b":{"code_challenge_methods_supported":["x"]},"code_challenge_methods_supported":["S256"]}"#;
    assert_eq!(written(nested), nested);
    // A reader that ignores case, and takes the last, takes ours.
    let folded = r#"{"Code_Challenge_Methods_Supported":["plain"],"code_challenge_methods_supported":["S256"]}"#;
    assert_eq!(written(folded), folded);
}

#[test]
fn it_says_what_the_policy_enforces() {
    let pkce = Pkce::builder(MemoryStore::new()).policy(Policy::new().allow_plain()).build();
    let document = advertise(b"{}", &pkce).unwrap();
    assert_eq!(document, br#"{"code_challenge_methods_supported":["S256","plain"]}"#);
}

#[test]
fn the_issuer_and_its_announcement_are_those_of_the_server() {
    let pkce = Pkce::builder(MemoryStore::new()).issuer("https://as.example/\"x").build();
    let members = r#""issuer":"https://as.example/\"x","authorization_response_iss_parameter_supported":true,"code_challenge_methods_supported":["S256"]"#;
    for document in [
        "{}",
        r#"{"issuer":"https://other.example"}"#,
        r#"{"authorization_response_iss_parameter_supported":false,"\u0069ssuer":null}"#,
    ] {
        assert_eq!(advertise(document.as_bytes(), &pkce).unwrap(), format!("{{{members}}}").into_bytes());
    }
}

#[test]
fn what_is_no_json_object_in_utf_8_is_no_document() {
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
        b"{\"\xff\":1}",
        b"\xff\xfe{\0}\0",
        b"{'a':1}",
        b"<p>",
    ] {
        assert_eq!(advertise(document, &pkce()), None);
    }
}

#[test]
fn a_deep_document_does_not_overflow_the_stack() {
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(written(&deep).len() > deep.len());
}

#[test]
fn only_a_whole_response_may_be_a_document() {
    let limit = 1_048_576;
    assert_eq!(LIMIT, 1_048_576);
    for (response, length, may_be) in [
        (HostResponse::new(200), 0, true),
        (HostResponse::new(200).header("content-type", b"text/html"), limit, true),
        (HostResponse::new(200).header("content-encoding", b"identity"), 0, true),
        (HostResponse::new(200).header("content-encoding", b"gzip"), 0, false),
        (HostResponse::new(200), limit + 1, false),
        (HostResponse::new(206), 0, false),
        (HostResponse::new(304), 0, false),
        (HostResponse::new(404).header("content-type", b"application/json"), 0, false),
    ] {
        assert_eq!(is_document(&response, length), may_be);
    }
    assert!(is_read_by("GET") && is_read_by("HEAD") && !is_read_by("POST") && !is_read_by("OPTIONS"));
}

#[test]
fn header_fields_about_the_bytes_of_the_host_are_removed_and_no_others() {
    for name in ["Accept-Encoding", "if-match", "if-modified-since", "if-unmodified-since", "if-range", "range"] {
        assert!(!keeps_request_header(name, b"x"), "{name}");
    }
    for (tags, kept) in [("\"a\"", false), ("W/\"a\", \"*\"", false), ("\"a\", *", false), ("", false), (" * ", true)] {
        assert_eq!(keeps_request_header("If-None-Match", tags.as_bytes()), kept, "{tags}");
    }
    for name in ["ETag", "last-modified", "accept-ranges", "content-length", "transfer-encoding", "trailer"] {
        assert!(!keeps_response_header(name, b"x"), "{name}");
    }
    for name in ["digest", "repr-digest", "content-digest", "Content-MD5"] {
        assert!(!keeps_response_header(name, b"x"), "{name}");
    }
    for name in ["cache-control", "vary", "access-control-allow-origin", "accept", "host", "content-encoding"] {
        assert!(keeps_request_header(name, b"x") && keeps_response_header(name, b"x"), "{name}");
    }
}

#[test]
fn a_content_type_that_is_json_is_kept() {
    for (content_type, kept) in [
        ("application/json", true),
        ("Application/JSON; charset=utf-8", true),
        ("application/openid-configuration+json", true),
        ("application/jsonx", false),
        ("application/octet-stream", false),
        ("text/plain; charset=utf-8", false),
        ("json", false),
        ("", false),
    ] {
        assert_eq!(keeps_response_header("Content-Type", content_type.as_bytes()), kept, "{content_type}");
    }
}

/// Any JSON value, in any layout.
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
    /// Every reader reads the methods, the rest is as it was, and writing it again changes nothing.
    #[test]
    fn any_object_is_truthful_and_otherwise_as_it_was(document in json().prop_filter("an object", |text| text.starts_with('{'))) {
        let truthful = written(&document);
        let name = "code_challenge_methods_supported";
        let read = |text| serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(text).unwrap();
        let (mut before, mut after) = (read(&document), read(&truthful));
        prop_assert_eq!(after.remove(name).map(|list| list.get().to_owned()), Some("[\"S256\"]".to_owned()));
        before.remove(name);
        let raw = |members: BTreeMap<String, Box<RawValue>>| -> Vec<(String, String)> {
            members.into_iter().map(|(name, value)| (name, value.get().to_owned())).collect()
        };
        prop_assert_eq!(raw(before), raw(after));
        prop_assert_eq!(written(&truthful), truthful);
    }
}
