//! A token request in JSON, against `serde_json`.

use std::sync::LazyLock;

use pkce_core::Policy;
use pkce_core::adapter::token::{self, TokenRequest};
use pkce_core::adapter::{Body, Request};
use serde::Deserialize;
use serde_json::Value;

use crate::{is_verifier, values};

/// As a handler reads it.
#[derive(Deserialize)]
struct Members {
    grant_type: Option<String>,
    code: Option<String>,
    code_verifier: Option<String>,
    client_id: Option<String>,
    redirect_uri: Option<String>,
}

/// What the core read: the code and the verifier.
type Read = (String, Option<String>);

pub(crate) fn check(body: &[u8]) {
    compare(body, |_, read| read);
}

/// Reads the code as it is written, between quotation marks.
pub(crate) fn planted(body: &[u8]) {
    compare(body, |body, (code, verifier)| {
        let text = String::from_utf8_lossy(body);
        let raw = text.split_once("\"code\":\"").and_then(|(_, rest)| rest.split_once('"'));
        (raw.map_or(code, |(raw, _)| raw.to_owned()), verifier)
    });
}

fn compare(body: &[u8], read: impl Fn(&[u8], Read) -> Read) {
    static POLICY: LazyLock<Policy> = LazyLock::new(|| Policy::new().accept_json());
    let request = Request::new("POST", Body::Complete(body)).header("content-type", b"application/json");
    let value = serde_json::from_slice::<Value>(body).ok();
    let text = |name: &str| value.as_ref().and_then(|value| value.get(name)?.as_str()).filter(|text| !text.is_empty());
    match token::read(&request, &POLICY) {
        Ok(TokenRequest::CodeGrant(grant)) => {
            let (code, verifier) = read(body, (grant.code().to_owned(), grant.code_verifier().map(str::to_owned)));
            passed(body);
            // `Value` rejects numbers that no f64 holds. Whoever skips them reads the same.
            if value.is_some() {
                assert_eq!(text("grant_type"), Some("authorization_code"));
                assert_eq!(text("code"), Some(&*code));
                assert_eq!(text("code_verifier"), verifier.as_deref());
            }
            let Ok(members) = serde_json::from_slice::<Members>(body) else { panic!("a handler rejects what passed") };
            assert_eq!(members.grant_type.as_deref(), Some("authorization_code"));
            assert_eq!(members.code, Some(code));
            assert_eq!(members.code_verifier.filter(|verifier| !verifier.is_empty()), verifier);
        }
        Ok(TokenRequest::OtherGrant) => {
            passed(body);
            assert_eq!(text("code"), None);
            assert!(value.is_none() || text("grant_type").is_some_and(|grant_type| grant_type != "authorization_code"));
        }
        Ok(other) => panic!("a POST is no {other:?}"),
        Err(reason) => assert!(!is_honest(body), "an honest request is rejected: {reason:?}"),
    }
}

/// No handler that expects a form finds a code in what passed.
fn passed(body: &[u8]) {
    assert!(values(body, "code").is_empty(), "it is a form too");
}

/// A code request with text members only, within all limits.
fn is_honest(body: &[u8]) -> bool {
    let is_object = body.trim_ascii_start().starts_with(b"{");
    let Some(members) = serde_json::from_slice::<Members>(body).ok().filter(|_| is_object && body.len() <= 16 * 1024)
    else {
        return false;
    };
    let Ok(Value::Object(object)) = serde_json::from_slice::<Value>(body) else { return false };
    let names = ["grant_type", "code", "code_verifier", "client_id", "redirect_uri"];
    let all_text = names.iter().all(|name| object.get(*name).is_none_or(Value::is_string));
    let code = members.code.unwrap_or_default();
    let verifier = members.code_verifier.unwrap_or_default();
    _ = (members.client_id, members.redirect_uri);
    all_text
        && ["grant_type", "code", "code_verifier"].iter().all(|name| !contains(body, &format!("&{name}")))
        && !contains(body, "%")
        && !contains(body, "[")
        && members.grant_type.as_deref() == Some("authorization_code")
        && (1..=4096).contains(&code.len())
        && code.bytes().all(|byte| (0x20..0x7f).contains(&byte))
        && (verifier.is_empty() || is_verifier(&verifier))
}

fn contains(body: &[u8], text: &str) -> bool {
    body.windows(text.len()).any(|window| window == text.as_bytes())
}
