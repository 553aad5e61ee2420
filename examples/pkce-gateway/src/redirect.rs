//! A URI with parameters added to its query.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but the unreserved characters of RFC 3986 is encoded: every reader decodes that alike, and no line ending
/// is left.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A URI whose own query is kept character by character, with parameters after it.
pub(crate) struct Redirect(String);

impl Redirect {
    pub(crate) fn to(uri: &str) -> Self {
        Self(uri.to_owned())
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push_str(match self.0.split_once('?') {
            None => "?",
            Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
            Some(_) => "&",
        });
        self.0.extend(utf8_percent_encode(name, ENCODED));
        self.0.push('=');
        self.0.extend(utf8_percent_encode(value, ENCODED));
        self
    }

    pub(crate) fn with_optional(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Returns the value of the `Location` header.
    pub(crate) fn location(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_break_out() {
        let location = Redirect::to("https://a/cb").with("state", "x y+&iss=evil\r\nSet-Cookie: a=b#é").location();
        assert_eq!(location, "https://a/cb?state=x%20y%2B%26iss%3Devil%0D%0ASet-Cookie%3A%20a%3Db%23%C3%A9");
    }
}
