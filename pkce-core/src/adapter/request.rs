//! The facts of an HTTP request, as plain bytes from any HTTP library.

use std::fmt;

use memchr::memchr;

use crate::params;
use crate::policy::Policy;
use crate::reason::Reason;

/// The facts of an HTTP request that the rules look at, borrowed from the adapter.
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
    authorization: Header<'a>,
    body: Body<'a>,
}

/// What an adapter read of a request's body.
#[derive(Clone, Copy)]
#[expect(clippy::exhaustive_enums, reason = "adapters construct it, and a body ends in no other way")]
pub enum Body<'a> {
    /// All of it was read.
    Complete(&'a [u8]),
    /// It was not read.
    Unread,
    /// It is larger than [`Policy::body_limit`]. [`BodyBuffer`](crate::adapter::BodyBuffer) finds out.
    TooLarge,
    /// It did not end within [`Policy::body_timeout`].
    TimedOut,
    /// It ended with an error.
    Failed,
}

#[derive(Clone, Copy)]
pub(crate) enum Header<'a> {
    Absent,
    Once(&'a [u8]),
    Repeated,
}

impl<'a> Header<'a> {
    const fn and(self, value: &'a [u8]) -> Self {
        match self {
            Self::Absent => Self::Once(value),
            Self::Once(_) | Self::Repeated => Self::Repeated,
        }
    }
}

const FORM: &[u8] = b"application/x-www-form-urlencoded";

/// How a body is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Form,
    Json,
}

impl<'a> Request<'a> {
    /// Creates a request with this method (case-sensitive, RFC 9110 §9.1) and this body.
    pub const fn new(method: &'a str, body: Body<'a>) -> Self {
        let (content_type, authorization) = (Header::Absent, Header::Absent);
        Self { method, query: &[], content_type, content_encoding: false, authorization, body }
    }

    /// Sets the query of the request target, without the question mark and still encoded.
    pub const fn query(mut self, query: Option<&'a str>) -> Self {
        self.query = match query {
            Some(query) => query.as_bytes(),
            None => &[],
        };
        self
    }

    /// Adds a header (name case-insensitive). Pass every header; irrelevant ones are ignored.
    #[inline]
    pub fn header(mut self, name: &str, value: &'a [u8]) -> Self {
        if name.eq_ignore_ascii_case("content-type") {
            self.content_type = self.content_type.and(value);
        } else if name.eq_ignore_ascii_case("content-encoding") {
            self.content_encoding |= !value.trim_ascii().eq_ignore_ascii_case(b"identity");
        } else if name.eq_ignore_ascii_case("authorization") {
            self.authorization = self.authorization.and(value);
        }
        self
    }

    pub(crate) const fn method(&self) -> &'a str {
        self.method
    }

    pub(crate) const fn authorization(&self) -> Header<'a> {
        self.authorization
    }

    pub(crate) const fn raw_query(&self) -> &'a [u8] {
        self.query
    }

    /// Whether the headers name a form that can be read. Its length is announced, or not known.
    pub(crate) fn announces_form(&self) -> bool {
        matches!(self.format(), Ok(Format::Form))
    }

    /// How the body ended, if not well: then no host gets to see it either.
    pub(crate) fn lost_body(&self) -> Option<Reason> {
        match self.body {
            Body::Complete(_) | Body::Unread => None,
            Body::TooLarge => Some(Reason::BodyTooLarge),
            Body::TimedOut => Some(Reason::BodyTimedOut),
            Body::Failed => Some(Reason::MalformedBody),
        }
    }

    pub(crate) const fn has_empty_body(&self) -> bool {
        matches!(self.body, Body::Complete([]))
    }

    /// The body and its format.
    ///
    /// What is accepted is the same bytes for every reader (RFC 6749 §4.1.3): the headers name one format, once, and the
    /// body cannot be taken for another one by a host that guesses.
    pub(crate) fn readable_body(&self, policy: &Policy) -> Result<(&'a [u8], Format), Reason> {
        let format = self.format()?;
        if format == Format::Json && !policy.accept_json {
            return Err(Reason::ContentType);
        }
        let body = match (self.body, self.lost_body()) {
            (Body::Complete(body), None) if body.len() <= policy.body_limit => body,
            (_, reason) => return Err(reason.unwrap_or(Reason::BodyTooLarge)),
        };
        match format {
            Format::Form if has_control_character(body) => Err(Reason::ControlCharacter),
            Format::Form if !begins_like_a_form(body) => Err(Reason::NotAForm),
            Format::Form | Format::Json => Ok((body, format)),
        }
    }

    fn format(&self) -> Result<Format, Reason> {
        let Header::Once(content_type) = self.content_type else { return Err(Reason::ContentType) };
        let format = format(content_type)?;
        // What cannot be read here might hide a code.
        if self.content_encoding { Err(Reason::ContentEncoding) } else { Ok(format) }
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
            Self::Unread => f.write_str("Unread"),
            Self::TooLarge => f.write_str("TooLarge"),
            Self::TimedOut => f.write_str("TimedOut"),
            Self::Failed => f.write_str("Failed"),
        }
    }
}

/// Type and subtype in any case (RFC 9110 §8.3.1). Of the parameters those matter by which some reader would read
/// other parameters in the body. A comma is a second value that some hop joined on.
fn format(content_type: &[u8]) -> Result<Format, Reason> {
    // As nearly every client writes it.
    if content_type == FORM {
        return Ok(Format::Form);
    }
    if memchr(b',', content_type).is_some() {
        return Err(Reason::ContentType);
    }
    let (essence, parameters) = params::cut(content_type, b';');
    for parameter in parameters.unwrap_or_default().split(|byte| *byte == b';') {
        if mentions(parameter, b"boundary") {
            return Err(Reason::ContentType);
        }
        if mentions(parameter, b"charset") && !is_ascii_superset(parameter) {
            return Err(Reason::Charset);
        }
    }
    let essence = essence.trim_ascii();
    if essence.eq_ignore_ascii_case(FORM) {
        Ok(Format::Form)
    } else if essence.eq_ignore_ascii_case(b"application/json") {
        Ok(Format::Json)
    } else {
        Err(Reason::ContentType)
    }
}

/// Whether the parameter contains the name, in any case. It is not parsed, so that no spelling is missed.
fn mentions(parameter: &[u8], name: &[u8]) -> bool {
    parameter.windows(name.len()).any(|window| window.eq_ignore_ascii_case(name))
}

/// Character sets in which `& = % +` and every value that is accepted are the bytes of ASCII. Java's clients name
/// ISO-8859-1 by default. Under any other a reader that decodes the body by its character set could find another code.
fn is_ascii_superset(parameter: &[u8]) -> bool {
    const NAMES: [&str; 7] = ["utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin1", "windows-1252"];
    let (name, Some(value)) = params::cut(parameter.trim_ascii(), b'=') else { return false };
    let value = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
    name.eq_ignore_ascii_case(b"charset") && NAMES.iter().any(|known| value.eq_ignore_ascii_case(known.as_bytes()))
}

/// No form serialiser emits a control character. A multipart body has line breaks.
fn has_control_character(body: &[u8]) -> bool {
    // Nothing branches, so the compiler makes vector code of it.
    let is_control = |byte: &u8| byte.is_ascii_control();
    body.iter().fold(false, |any, byte| any | is_control(byte))
}

/// Whether no host reads another format in it, or another first name: JSON and XML begin with these characters, and
/// readers differ on whether to skip a space or a byte order mark. Every form serialiser begins with visible ASCII.
fn begins_like_a_form(body: &[u8]) -> bool {
    body.first().is_none_or(|first| first.is_ascii_graphic() && !matches!(first, b'{' | b'[' | b'"' | b'<'))
}
