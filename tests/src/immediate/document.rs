//! The host's metadata.

use std::collections::VecDeque;
use std::io;

use bytes::Bytes;

use super::Answered;

/// The document, with what a rewriter is tempted to change.
pub const DOCUMENT: &str = "{\n  \"issuer\": \"https:\\/\\/as.example\",\n  \"x\": 1.0, \"big\": 12345678901234567890123,\n  \"response_types_supported\": [\"code\"],\n  \"signed_metadata\": \"e30.e30.\"\n}\n";

/// Its entity tag.
pub const TAG: &str = "\"v1\"";

/// Answers a request for the metadata.
pub(super) fn metadata(query: Option<&str>, header: impl Fn(&str) -> Option<String>) -> Answered {
    let json = |status, body: &str| {
        let answer = Answered::new(status, body).with("content-type", "application/json");
        answer
            .with("etag", TAG)
            .with("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")
            .with("cache-control", "max-age=60")
    };
    match query.and_then(|query| query.strip_prefix("do=")).unwrap_or_default() {
        "gzip" => json(200, "not read").with("content-encoding", "gzip"),
        "html" => Answered::new(200, "<p>{}").with("content-type", "text/html"),
        "array" => json(200, "[{}]"),
        "missing" | "unsized" => json(404, "{}"),
        "moved" => Answered::new(301, "").with("location", "/elsewhere"),
        "untyped" => Answered::new(200, "{}"),
        "text" => Answered::new(200, "{}").with("content-type", "text/plain; charset=utf-8"),
        "page" => Answered::new(200, "{}").with("content-type", "text/html"),
        "charset" => Answered::new(200, "{}").with("content-type", "application/json; charset=utf-8"),
        "suffix" => Answered::new(200, "{}").with("content-type", "application/openid-configuration+json"),
        "malformed" => json(200, "{"),
        "large" => json(200, &format!("{{\"x\":\"{}\"}}", "x".repeat(1024 * 1024))),
        "asked" => {
            let asked = ["accept-encoding", "if-none-match", "if-modified-since", "range"];
            let seen: Vec<String> = asked.iter().filter_map(|name| header(name)).collect();
            json(200, "{}").with("x-seen", seen.join(" "))
        }
        _ if header("if-none-match").is_some_and(|tags| tags == "*" || tags.contains(TAG)) => {
            Answered::new(304, "").with("etag", TAG).with("cache-control", "max-age=60")
        }
        _ if header("if-modified-since").is_some() => Answered::new(304, ""),
        _ => json(200, DOCUMENT),
    }
}

/// A body in pieces, of no length that is known.
pub(super) struct Pieces(pub(super) VecDeque<io::Result<Bytes>>);

impl Pieces {
    /// The document in pieces; one that breaks off; or one that is larger than anybody should read.
    pub(super) fn asked_for(query: Option<&str>) -> Option<Self> {
        let pieces = DOCUMENT.as_bytes().chunks(7).map(|piece| Ok(Bytes::from_static(piece)));
        let large = Bytes::from(vec![b' '; 64 * 1024]);
        Some(Self(match query? {
            "do=stream" | "do=unsized" => pieces.collect(),
            "do=break" => pieces.take(3).chain([Err(io::ErrorKind::UnexpectedEof.into())]).collect(),
            "do=flood" => (0..40).map(|_| Ok(large.clone())).chain(pieces).collect(),
            _ => return None,
        }))
    }
}
