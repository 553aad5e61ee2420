//! The facts of an HTTP request, as plain bytes from any HTTP library.

use std::fmt;

use memchr::memchr;

use crate::params;
use crate::policy::Policy;
use crate::reason::Reason;

/// The facts of an HTTP request that the rules look at, borrowed from the adapter.
///
/// The core has no HTTP type in its API: frameworks differ in theirs.
///
/// ```
/// use pkce_core::adapter::{Body, Request};
///
/// let request = Request::new("POST", Body::Complete(b"grant_type=authorization_code&code=c"))
///     .query(None)
///     .header("content-type", b"application/x-www-form-urlencoded");
/// # let _ = request;
/// ```
#[derive(Clone, Copy)]
pub struct Request<'a> {
    method: &'a str,
    query: &'a [u8],
    content_type: Header<'a>,
    content_encoding: bool,
    body: Body<'a>,
}

/// What an adapter read of a request's body.
#[derive(Clone, Copy)]
#[expect(clippy::exhaustive_enums, reason = "adapters construct it, and there is no fourth way for a body to end")]
pub enum Body<'a> {
    /// All of it.
    Complete(&'a [u8]),
    /// It is larger than [`Policy::body_limit`]. [`BodyBuffer`](crate::adapter::BodyBuffer) finds out.
    TooLarge,
    /// It ended with an error.
    Failed,
}

#[derive(Clone, Copy)]
enum Header<'a> {
    Absent,
    Once(&'a [u8]),
    Repeated,
}

const FORM: &[u8] = b"application/x-www-form-urlencoded";

/// How a body is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Form,
    Json,
}

impl<'a> Request<'a> {
    /// A request by this method (case-sensitive, RFC 9110 §9.1) with this body.
    pub const fn new(method: &'a str, body: Body<'a>) -> Self {
        Self { method, query: &[], content_type: Header::Absent, content_encoding: false, body }
    }

    /// The query of the request target, without the question mark and still encoded.
    pub const fn query(mut self, query: Option<&'a str>) -> Self {
        self.query = match query {
            Some(query) => query.as_bytes(),
            None => &[],
        };
        self
    }

    /// Adds a header line, its name in any case. An adapter hands over every line; what matters is decided here.
    #[inline]
    pub fn header(mut self, name: &str, value: &'a [u8]) -> Self {
        if name.eq_ignore_ascii_case("content-type") {
            self.content_type = match self.content_type {
                Header::Absent => Header::Once(value),
                Header::Once(_) | Header::Repeated => Header::Repeated,
            };
        } else if name.eq_ignore_ascii_case("content-encoding") {
            self.content_encoding = true;
        }
        self
    }

    pub(crate) const fn method(&self) -> &'a str {
        self.method
    }

    pub(crate) const fn raw_query(&self) -> &'a [u8] {
        self.query
    }

    /// The form body of a POST; empty for another method, and for a body that is empty.
    pub(crate) fn form_beside_query(&self, policy: &Policy) -> Result<&'a [u8], Reason> {
        if self.method != "POST" || self.has_empty_body() {
            return Ok(&[]);
        }
        match self.readable_body(policy)? {
            (body, Format::Form) => Ok(body),
            (_, Format::Json) => Err(Reason::ContentType),
        }
    }

    /// How the body ended, if not well: then no host gets to see it either.
    pub(crate) fn lost_body(&self) -> Option<Reason> {
        match self.body {
            Body::Complete(_) => None,
            Body::TooLarge => Some(Reason::BodyTooLarge),
            Body::Failed => Some(Reason::MalformedBody),
        }
    }

    pub(crate) const fn has_empty_body(&self) -> bool {
        matches!(self.body, Body::Complete([]))
    }

    /// The body and how to read it, if it says what it is exactly once (RFC 6749 §4.1.3).
    pub(crate) fn readable_body(&self, policy: &Policy) -> Result<(&'a [u8], Format), Reason> {
        let Header::Once(content_type) = self.content_type else { return Err(Reason::ContentType) };
        let format = format(content_type).ok_or(Reason::ContentType)?;
        if format == Format::Json && !policy.accept_json {
            return Err(Reason::ContentType);
        }
        // What cannot be read here might hide a code.
        if self.content_encoding {
            return Err(Reason::ContentEncoding);
        }
        match self.body {
            Body::Complete(body) if body.len() <= policy.body_limit => Ok((body, format)),
            Body::Complete(_) | Body::TooLarge => Err(Reason::BodyTooLarge),
            Body::Failed => Err(Reason::MalformedBody),
        }
    }
}

/// Shows no content: a query holds challenges, and codes too if a client errs.
impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("query", &format_args!("{} bytes", self.query.len()))
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

/// Shows no content: a body holds codes and verifiers.
impl fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Complete(body) => write!(f, "Complete({} bytes)", body.len()),
            Self::TooLarge => f.write_str("TooLarge"),
            Self::Failed => f.write_str("Failed"),
        }
    }
}

/// Type and subtype in any case (RFC 9110 §8.3.1). Of the parameters only a character set matters: some form readers
/// decode the body by it, and would read other parameters in it than we do. A comma is a second value that some hop
/// joined on.
fn format(content_type: &[u8]) -> Option<Format> {
    // As nearly every client writes it.
    if content_type == FORM {
        return Some(Format::Form);
    }
    if memchr(b',', content_type).is_some() {
        return None;
    }
    let (essence, parameters) = params::cut(content_type, b';');
    if parameters.is_some_and(|all| !all.split(|byte| *byte == b';').map(<[u8]>::trim_ascii).all(is_harmless)) {
        return None;
    }
    let essence = essence.trim_ascii();
    if essence.eq_ignore_ascii_case(FORM) {
        Some(Format::Form)
    } else if essence.eq_ignore_ascii_case(b"application/json") {
        Some(Format::Json)
    } else {
        None
    }
}

/// A parameter that does not name a character set, or names UTF-8. It is matched, not parsed: whatever else mentions a
/// character set, in whatever spelling, is not accepted.
fn is_harmless(parameter: &[u8]) -> bool {
    let names_utf_8 =
        [&b"charset=utf-8"[..], b"charset=\"utf-8\""].iter().any(|ours| parameter.eq_ignore_ascii_case(ours));
    names_utf_8 || !parameter.windows(b"charset".len()).any(|window| window.eq_ignore_ascii_case(b"charset"))
}
