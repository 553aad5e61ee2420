//! The metadata document, against `serde_json`.

use std::sync::LazyLock;

use pkce_core::adapter::metadata::advertise;
use pkce_core::{MemoryStore, Pkce};
use serde_json::{Value, json};

const ISSUER: &str = "https://as.example";
const NAME: &str = "code_challenge_methods_supported";

pub(crate) fn check(body: &[u8]) {
    compare(body, advertise);
}

/// Leaves a member of the same name behind its own.
pub(crate) fn planted(body: &[u8]) {
    compare(body, |body, pkce| {
        let mut document = advertise(body, pkce)?;
        if body.windows(NAME.len()).any(|window| window == NAME.as_bytes()) {
            document.pop();
            document.extend(format!(r#","{NAME}":["plain"]}}"#).bytes());
        }
        Some(document)
    });
}

fn compare(body: &[u8], advertise: impl Fn(&[u8], &Pkce) -> Option<Vec<u8>>) {
    static SERVER: LazyLock<Pkce> = LazyLock::new(|| Pkce::builder(MemoryStore::new()).issuer(ISSUER).build());
    let unmarked = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let before = serde_json::from_slice::<Value>(unmarked).ok();
    match (advertise(body, &SERVER), before) {
        (Some(document), Some(Value::Object(mut before))) => {
            let Ok(after) = serde_json::from_slice::<Value>(&document) else { panic!("it is no JSON any more") };
            before.insert("issuer".to_owned(), json!(ISSUER));
            before.insert("authorization_response_iss_parameter_supported".to_owned(), json!(true));
            before.insert(NAME.to_owned(), json!(["S256"]));
            assert_eq!(after, Value::Object(before));
        }
        // `Value` rejects numbers that no f64 holds.
        (Some(document), None) => assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&document).is_ok()),
        (Some(_), Some(before)) => panic!("{before} is no object"),
        (None, before) => assert!(!matches!(before, Some(Value::Object(_))), "an object is a document"),
    }
}
