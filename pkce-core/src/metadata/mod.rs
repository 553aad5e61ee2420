//! Truthful metadata: `code_challenge_methods_supported` in the host's own document (RFC 8414 §2, `OpenID` Connect
//! Discovery §3).
//!
//! Pure functions over bytes, for the adapters' layers. What holds for them:
//!
//! 1. Only the answer with status 200 and a JSON type to a GET or HEAD is touched, and in it only this one member: it is
//!    replaced where it stands, or put behind the last. Every other octet stays: order, white space, numbers, escapes.
//! 2. A member that stands twice is replaced twice: whichever a reader takes, it reads the same.
//! 3. `signed_metadata` is left alone, with an event: its own claims win (RFC 8414 §2.1), and only the host can sign.
//! 4. An entity tag gets a suffix that names the methods, so that no cache takes the host's document for this one. The
//!    host is asked about its own tags, and answers 304 as ever. A tag without the suffix is not asked about.
//! 5. What is about the host's octets does not reach it, or does not leave: `If-Modified-Since`, `Last-Modified`,
//!    ranges, digests, `Accept-Encoding`. A document that comes encoded all the same is left as it is, with an event.

mod document;
mod tag;

use std::borrow::Cow;

use crate::adapter::HostResponse;
use crate::events;
use crate::policy::Policy;

/// The largest document that is read, in octets: 1 MiB. Real ones have a few thousand. A larger one passes as it is.
pub const LIMIT: usize = 1024 * 1024;

/// What becomes of a header line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "adapters carry it out, and there is no fourth thing to do with a line")]
pub enum HeaderLine {
    /// It stays.
    Keep,
    /// It goes.
    Drop,
    /// It gets this value: octets that the line had before, and visible ASCII.
    Replace(Vec<u8>),
}

/// Whether a request by this method is for the document. Another passes as it is, and so does its answer.
///
/// A HEAD is handed to the host as a GET, because the length of a document that nobody has seen is not known; the
/// answer then goes without its body.
pub fn is_read_by(method: &str) -> bool {
    matches!(method, "GET" | "HEAD")
}

/// What becomes of a header line of the request, its name in any case.
pub fn request_header(name: &str, value: &[u8], policy: &Policy) -> HeaderLine {
    match &*name.to_ascii_lowercase() {
        "accept-encoding" | "if-modified-since" | "if-unmodified-since" | "if-range" | "if-match" | "range" => {
            HeaderLine::Drop
        }
        "if-none-match" => match tag::asked_of_host(value, policy) {
            Some(tags) => HeaderLine::Replace(tags),
            None => HeaderLine::Drop,
        },
        _ => HeaderLine::Keep,
    }
}

/// What becomes of a header line of an answer that [`is_document`] or is a 304, its name in any case. The adapter sets
/// `Content-Length` by the octets that it sends.
pub fn response_header(name: &str, value: &[u8], policy: &Policy) -> HeaderLine {
    match &*name.to_ascii_lowercase() {
        "etag" => match tag::told_to_client(value, policy) {
            Some(tag) => HeaderLine::Replace(tag),
            None => HeaderLine::Drop,
        },
        "content-length" | "last-modified" | "accept-ranges" | "content-md5" | "digest" | "content-digest"
        | "repr-digest" => HeaderLine::Drop,
        _ => HeaderLine::Keep,
    }
}

/// Whether the host's answer is a document to be read. Otherwise it passes as it is, but for the `ETag` of a 304.
pub fn is_document(answer: &HostResponse<'_>) -> bool {
    if answer.status() != 200 || !answer.is_json() {
        return false;
    }
    if answer.has_content_encoding() {
        events::metadata_untouched("it has a content encoding");
        return false;
    }
    true
}

/// The document with what the policy enforces. It is the very same if it says so already, or is not to be read:
/// not a JSON object in UTF-8.
///
/// ```
/// use pkce_core::metadata;
/// use pkce_core::Policy;
///
/// let document = br#"{"issuer": "https://as.example", "x": 1.0}"#;
/// assert_eq!(
///     &*metadata::advertise(document, &Policy::new()),
///     br#"{"issuer": "https://as.example", "x": 1.0, "code_challenge_methods_supported": ["S256"]}"#
/// );
/// ```
pub fn advertise<'a>(document: &'a [u8], policy: &Policy) -> Cow<'a, [u8]> {
    let Some(read) = document::Document::read(document) else {
        events::metadata_untouched("it is not a JSON object in UTF-8");
        return Cow::Borrowed(document);
    };
    if read.is_signed() {
        events::metadata_signed();
    }
    let written = read.with_methods(policy.code_challenge_methods_supported());
    events::metadata_advertised();
    written
}

/// Reports a document that is larger than [`LIMIT`], and passes as it is.
pub fn too_large() {
    events::metadata_untouched("it is too large");
}
