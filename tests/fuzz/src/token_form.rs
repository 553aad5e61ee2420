//! A token request in a form, against `form_urlencoded` and `serde_urlencoded`.
//!
//! The input: a line with the content type, a line with the query, and the body.

use std::sync::LazyLock;

use pkce_core::Policy;
use pkce_core::adapter::token::{self, TokenRequest};
use pkce_core::adapter::{Body, Request};
use serde::Deserialize;

use crate::{is_verifier, is_well_encoded, line, only, values};

const NAMES: [&str; 5] = ["grant_type", "code", "code_verifier", "client_id", "redirect_uri"];

/// As a handler reads it.
#[derive(Deserialize)]
struct Form {
    grant_type: Option<String>,
    code: Option<String>,
    code_verifier: Option<String>,
}

/// What the core read: the code and the verifier, or neither.
type Read = Option<(String, Option<String>)>;

pub(crate) fn check(bytes: &[u8]) {
    compare(bytes, |_, read| read);
}

/// Reads the code as it is written.
pub(crate) fn planted(bytes: &[u8]) {
    compare(bytes, |body, read| {
        let raw = body.split(|byte| *byte == b'&').find_map(|pair| pair.strip_prefix(b"code="));
        read.map(|(_, verifier)| (String::from_utf8_lossy(raw.unwrap_or_default()).into_owned(), verifier))
    });
}

fn compare(bytes: &[u8], read: impl Fn(&[u8], Read) -> Read) {
    static POLICY: LazyLock<Policy> = LazyLock::new(Policy::new);
    let (content_type, rest) = line(bytes);
    let (query, body) = line(rest);
    let Ok(query) = std::str::from_utf8(query) else { return };
    let request = Request::new("POST", Body::Complete(body)).query(Some(query)).header("content-type", content_type);
    match token::read(&request, &POLICY) {
        Ok(TokenRequest::CodeGrant(grant)) => {
            let ours = Some((grant.code().to_owned(), grant.code_verifier().map(str::to_owned)));
            let Some((code, verifier)) = read(body, ours) else { return };
            passed(query, body);
            assert_eq!(only(body, "grant_type").as_deref(), Some("authorization_code"));
            assert_eq!(only(body, "code").as_ref(), Some(&code));
            assert_eq!(only(body, "code_verifier"), verifier);
            for name in NAMES {
                assert!(values(body, name).len() < 2, "{name} is there twice");
            }
            if let Ok(form) = serde_urlencoded::from_bytes::<Form>(body) {
                assert_eq!(form.grant_type.as_deref(), Some("authorization_code"));
                assert_eq!(form.code, Some(code));
                assert_eq!(form.code_verifier.filter(|verifier| !verifier.is_empty()), verifier);
            } else {
                assert!(!is_well_encoded(body), "serde_urlencoded rejects what passed");
            }
        }
        Ok(TokenRequest::OtherGrant) => {
            passed(query, body);
            assert_eq!(only(body, "code"), None);
            assert!(only(body, "grant_type").is_some_and(|grant_type| grant_type.trim() != "authorization_code"));
        }
        Ok(other) => panic!("a POST is no {other:?}"),
        Err(reason) => assert!(!is_honest(content_type, query, body), "an honest request is rejected: {reason:?}"),
    }
}

/// What holds for every request that reaches the host.
fn passed(query: &str, body: &[u8]) {
    for name in ["grant_type", "code", "code_verifier"] {
        assert!(values(query.as_bytes(), name).is_empty(), "{name} is in the query");
    }
    // Nobody takes the same bytes for another format.
    assert!(serde_json::from_slice::<serde::de::IgnoredAny>(body).map_or(true, |_| !body.starts_with(b"{")));
    assert!(!body.iter().any(u8::is_ascii_control));
}

/// A code request as a form serialiser writes it, within all limits.
fn is_honest(content_type: &[u8], query: &str, body: &[u8]) -> bool {
    let get = |name: &str| values(body, name);
    let spelled = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~*&=%+".contains(byte);
    content_type == b"application/x-www-form-urlencoded"
        && query.is_empty()
        && body.len() <= 16 * 1024
        && body.first().is_some_and(u8::is_ascii_graphic)
        && body.iter().all(spelled)
        && is_well_encoded(body)
        && NAMES.iter().all(|name| get(name).len() < 2)
        && form_urlencoded::parse(body).all(|(name, _)| !name.contains('['))
        && get("grant_type") == ["authorization_code"]
        && get("code")
            .iter()
            .any(|code| (1..=4096).contains(&code.len()) && code.bytes().all(|c| (0x20..0x7f).contains(&c)))
        && get("code_verifier").iter().all(|verifier| verifier.is_empty() || is_verifier(verifier))
}
