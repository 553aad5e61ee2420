//! Truthful metadata in the host's own document: `code_challenge_methods_supported` (RFC 8414 §2, `OpenID` Connect
//! Discovery §3) and, if the server has an [issuer](crate::PkceBuilder::issuer), `issuer` and
//! `authorization_response_iss_parameter_supported` (RFC 9207 §3).
//!
//! These are the rules of the adapters' metadata layers. A layer is mounted on the routes of the documents alone.
//!
//! 1. Only GET and HEAD are changed. A HEAD reaches the host as a GET, because the length of the document is known only
//!    once it is written. The response then has the same header fields and no body.
//! 2. A response with status 200 whose body is a JSON object is a document, whatever its content type says. The members
//!    are set, every other member keeps its value and its place, and `Content-Type` becomes `application/json` if it was
//!    not JSON.
//! 3. Any other response passes unchanged. Each one is an event, because the client then reads what the policy did not
//!    write: another status, a `Content-Encoding`, a body that is not a JSON object, a body that is announced as larger
//!    than [`LIMIT`].
//! 4. A body that turns out to be larger than [`LIMIT`], or breaks off, becomes a 500 without a body, and an event.
//! 5. `signed_metadata` is left alone, with an event: its claims take precedence (RFC 8414 §2.1), and only the host can
//!    sign.
//! 6. Header fields about the host's bytes are removed from the request and from the document: validators, ranges,
//!    digests, encodings. A client gets the whole document each time, or keeps it for as long as `Cache-Control` says.

mod document;

use self::document::Document;
use crate::adapter::host_response::HostResponse;
use crate::events;
use crate::pkce::Pkce;

/// The largest document that is read: 1 MiB. Real ones have a few thousand bytes.
pub const LIMIT: usize = 1024 * 1024;

/// Returns whether a request by this method is for a document: GET or HEAD. The adapter hands it to the host as a GET.
pub fn is_read_by(method: &str) -> bool {
    matches!(method, "GET" | "HEAD")
}

/// Returns whether a header field of such a request reaches the host (name case-insensitive).
///
/// `If-None-Match: *` does: it asks whether there is a document at all, which the host knows.
pub fn keeps_request_header(name: &str, value: &[u8]) -> bool {
    match &*name.to_ascii_lowercase() {
        "if-none-match" => value.trim_ascii() == b"*",
        "accept-encoding" | "if-match" | "if-modified-since" | "if-range" | "if-unmodified-since" | "range" => false,
        _ => true,
    }
}

/// Returns whether the response, whose body has at least `length` bytes, may be a document. If so, the adapter reads the
/// body and calls [`advertise`]. If not, the response passes unchanged, and an event is emitted.
pub fn is_document(response: &HostResponse<'_>, length: u64) -> bool {
    let why = if response.status() != 200 {
        "its status is not 200"
    } else if response.has_content_encoding() {
        "it has a content encoding"
    } else if length > LIMIT as u64 {
        "it is larger than 1 MiB"
    } else {
        return true;
    };
    events::metadata_untouched(why);
    false
}

/// Returns the document with what the server enforces and sends, or `None` if the body is not a JSON object in UTF-8: it then
/// passes unchanged. Emits an event in both cases.
///
/// ```
/// use pkce_core::adapter::metadata;
/// use pkce_core::{MemoryStore, Pkce};
///
/// let pkce = Pkce::new(MemoryStore::new());
/// let document = metadata::advertise(br#"{"issuer": "https://as.example", "x": 1.0}"#, &pkce);
/// let truthful = br#"{"issuer":"https://as.example","x":1.0,"code_challenge_methods_supported":["S256"]}"#;
/// assert_eq!(document.unwrap(), truthful);
///
/// assert!(metadata::advertise(b"<p>not found</p>", &pkce).is_none());
/// ```
pub fn advertise(body: &[u8], pkce: &Pkce) -> Option<Vec<u8>> {
    let Ok(written) = written(body, pkce) else {
        events::metadata_untouched("it is not a JSON object");
        return None;
    };
    events::metadata_advertised();
    Some(written)
}

fn written(body: &[u8], pkce: &Pkce) -> serde_json::Result<Vec<u8>> {
    let mut document = Document::read(body)?;
    if document.has("signed_metadata") {
        events::metadata_signed();
    }
    if let Some(issuer) = pkce.issuer() {
        document.set("issuer", &issuer)?;
        document.set("authorization_response_iss_parameter_supported", &true)?;
    }
    document.set("code_challenge_methods_supported", &pkce.code_challenge_methods_supported())?;
    document.write()
}

/// Returns whether a header field of the response stays on the document that [`advertise`] wrote (name
/// case-insensitive). The adapter sets `Content-Length`, and `Content-Type: application/json` if none is left.
pub fn keeps_response_header(name: &str, value: &[u8]) -> bool {
    match &*name.to_ascii_lowercase() {
        "content-type" => HostResponse::new(200).header("content-type", value).is_json(),
        "accept-ranges" | "content-digest" | "content-length" | "content-md5" | "digest" | "etag" | "last-modified"
        | "repr-digest" | "trailer" | "transfer-encoding" => false,
        _ => true,
    }
}

/// Why there is no document to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The host's service failed, without a response that the layer sees.
    NoResponse,
    /// The body is larger than [`LIMIT`], which was not announced.
    TooLarge,
    /// The body broke off.
    BrokenOff,
}

/// Reports that the client gets an error: a 500 without a body for a body that could not be read, or the host's own
/// failure.
pub fn failed(failure: Failure) {
    events::metadata_failed(match failure {
        Failure::NoResponse => "the host failed",
        Failure::TooLarge => "it is larger than 1 MiB",
        Failure::BrokenOff => "its body broke off",
    });
}
