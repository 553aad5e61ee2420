//! Fuzz targets: what the core and `pkce-redis` read of foreign bytes, compared with what other readers read.
//!
//! Each target calls the public API with the bytes, and panics at a difference: the check would have seen another request
//! than the host. `tests/fuzz/run` drives them by libFuzzer, on the stable compiler. Plain `cargo test` runs the inputs that
//! are kept in `corpora`, and shows that each target finds its planted difference.
//!
//! The rows of the SQL stores are a property test in `pkce-sqlx/src/row.rs`, because no public function takes one.
#![expect(clippy::panic, reason = "a difference is a panic, which the fuzzer looks for")]

mod authorization_request;
mod authorization_response;
mod location;
mod metadata;
mod redirect_uri;
mod redis_record;
mod token_form;
mod token_json;

/// One thing that is read.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Target {
    /// Its name, and that of the folder with its inputs.
    pub name: &'static str,
    /// Panics if two readers differ on the bytes.
    pub check: fn(&[u8]),
    /// The same with a fault in it, to show that the target finds one.
    pub planted: fn(&[u8]),
}

/// All targets.
pub const TARGETS: [Target; 8] = [
    Target {
        name: "authorization_request",
        check: authorization_request::check,
        planted: authorization_request::planted,
    },
    Target {
        name: "authorization_response",
        check: authorization_response::check,
        planted: authorization_response::planted,
    },
    Target { name: "location", check: location::check, planted: location::planted },
    Target { name: "metadata", check: metadata::check, planted: metadata::planted },
    Target { name: "redirect_uri", check: redirect_uri::check, planted: redirect_uri::planted },
    Target { name: "redis_record", check: redis_record::check, planted: redis_record::planted },
    Target { name: "token_form", check: token_form::check, planted: token_form::planted },
    Target { name: "token_json", check: token_json::check, planted: token_json::planted },
];

/// All values of a name, as `form_urlencoded` reads them.
fn values(encoded: &[u8], name: &str) -> Vec<String> {
    form_urlencoded::parse(encoded).filter(|pair| pair.0 == name).map(|pair| pair.1.into_owned()).collect()
}

/// The only value that is not empty; `None` if there is none. Panics if the name is there twice.
fn only(encoded: &[u8], name: &str) -> Option<String> {
    let mut values = values(encoded, name);
    assert!(values.len() < 2, "{name} is there {} times", values.len());
    values.pop().filter(|value| !value.is_empty())
}

/// Whether every percent sign begins a whole code, and all decoded text is UTF-8.
fn is_well_encoded(encoded: &[u8]) -> bool {
    let whole = encoded.split(|byte| *byte == b'%').skip(1).all(|after| match after {
        [one, two, ..] => one.is_ascii_hexdigit() && two.is_ascii_hexdigit(),
        _ => false,
    });
    whole && form_urlencoded::parse(encoded).all(|(name, value)| !format!("{name}{value}").contains('\u{fffd}'))
}

/// 43 to 128 unreserved characters (RFC 7636 §4.1).
fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c))
}

/// 32 bytes in base64url without padding (RFC 7636 §4.2).
fn is_s256_challenge(text: &str) -> bool {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == 32)
}

/// The bytes up to a line break, and those after it.
fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

/// Where a URL leads, without its parameters.
fn place(url: &url::Url) -> &str {
    &url[..url::Position::AfterPath]
}
