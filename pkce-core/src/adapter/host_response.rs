//! The facts of the host's response, as plain bytes from any HTTP library.

use std::fmt;

use super::location;

/// The facts of the host's response that the rules look at: its status and every header.
///
/// ```
/// use pkce_core::adapter::HostResponse;
///
/// let response = HostResponse::new(303).header("location", b"https://app.example/cb?code=c");
/// # let _ = response;
/// ```
#[derive(Clone, Copy)]
pub struct HostResponse<'a> {
    status: u16,
    location: Option<&'a [u8]>,
    locations: usize,
    code_elsewhere: bool,
    code_in_location: bool,
    content_type: Option<&'a [u8]>,
    content_encoding: bool,
}

impl<'a> HostResponse<'a> {
    /// Creates a response with this status.
    pub const fn new(status: u16) -> Self {
        Self {
            status,
            location: None,
            locations: 0,
            code_elsewhere: false,
            code_in_location: false,
            content_type: None,
            content_encoding: false,
        }
    }

    /// Adds a header (name case-insensitive). Pass every header; irrelevant ones are ignored.
    pub fn header(mut self, name: &str, value: &'a [u8]) -> Self {
        if name.eq_ignore_ascii_case("location") {
            self.location = self.location.or(Some(value));
            self.locations += 1;
            self.code_in_location |= location::may_carry_code(value);
        } else if name.eq_ignore_ascii_case("content-type") {
            self.content_type = self.content_type.or(Some(value));
        } else if name.eq_ignore_ascii_case("content-encoding") {
            self.content_encoding |= !value.trim_ascii().eq_ignore_ascii_case(b"identity");
        } else if leads_elsewhere(name) {
            self.code_elsewhere |= location::may_carry_code(value);
        }
        self
    }

    pub(crate) const fn status(&self) -> u16 {
        self.status
    }

    pub(crate) const fn is_redirect(&self) -> bool {
        matches!(self.status, 300..=399)
    }

    /// The only `Location`.
    pub(crate) fn location(&self) -> Option<&'a str> {
        self.location.filter(|_| self.locations == 1).and_then(|value| std::str::from_utf8(value).ok())
    }

    pub(crate) const fn may_carry_code(&self) -> bool {
        self.code_in_location || self.code_elsewhere
    }

    pub(crate) const fn carries_code_elsewhere(&self) -> bool {
        self.code_elsewhere
    }

    pub(crate) const fn has_content_encoding(&self) -> bool {
        self.content_encoding
    }

    /// Whether the content type is JSON: the subtype `json`, or one with the suffix `+json`.
    pub(crate) fn is_json(&self) -> bool {
        let essence = self.content_type.and_then(|value| value.split(|byte| *byte == b';').next());
        let subtype = essence.and_then(|essence| essence.split(|byte| *byte == b'/').nth(1));
        let last = subtype.and_then(|subtype| subtype.trim_ascii().rsplit(|byte| *byte == b'+').next());
        last.is_some_and(|last| last.eq_ignore_ascii_case(b"json"))
    }
}

/// Shows no content: a `Location` holds codes.
impl fmt::Debug for HostResponse<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostResponse").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Headers by whose name a browser, or a script in it, is sent somewhere: `Refresh`, `Content-Location`, `HX-Redirect`.
fn leads_elsewhere(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["location", "redirect", "refresh", "url", "uri"].iter().any(|part| name.contains(part)) || name == "link"
}
