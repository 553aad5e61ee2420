//! The authorization error response: a redirect to a redirect URI that the host has validated (RFC 6749 §4.1.2.1).

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::rejection::Rejection;

/// Everything but the unreserved characters of RFC 3986 is encoded: every reader decodes that the same.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The location of a standard error redirect, to be sent with status 303 (RFC 9700 §4.12).
///
/// Nobody but the host knows whether a redirect URI belongs to the client: never pass one that was not validated
/// (RFC 9700 §4.11.2).
///
/// ```
/// use pkce_core::{ErrorRedirect, Policy, Reason, Rejection};
///
/// let rejection = Rejection::new(Reason::ChallengeRequired, &Policy::new());
/// let location = ErrorRedirect::new("https://app.example/cb?tenant=7", &rejection).state("x&y").location();
/// assert_eq!(
///     location,
///     "https://app.example/cb?tenant=7&error=invalid_request&error_description=code%20challenge%20required&state=x%26y"
/// );
/// ```
#[derive(Clone)]
#[must_use = "nothing is sent by itself"]
pub struct ErrorRedirect<'a> {
    redirect_uri: &'a str,
    rejection: &'a Rejection,
    state: Option<&'a str>,
    issuer: Option<&'a str>,
    fragment: bool,
}

impl<'a> ErrorRedirect<'a> {
    /// 303 See Other: the browser follows with a GET, whatever the request was (RFC 9700 §4.12).
    pub const STATUS: u16 = 303;

    /// An error redirect to a validated redirect URI. Its own query is kept.
    pub const fn new(redirect_uri: &'a str, rejection: &'a Rejection) -> Self {
        Self { redirect_uri, rejection, state: None, issuer: None, fragment: false }
    }

    /// The `state` of the authorization request, after decoding; the client gets back exactly this.
    pub const fn state(mut self, state: &'a str) -> Self {
        self.state = Some(state);
        self
    }

    /// The issuer identifier, as `iss` (RFC 9207 §2).
    pub const fn issuer(mut self, issuer: &'a str) -> Self {
        self.issuer = Some(issuer);
        self
    }

    /// Puts the parameters into the fragment, for a hybrid response type (`OAuth` 2.0 Multiple Response Types §5).
    pub const fn in_fragment(mut self) -> Self {
        self.fragment = true;
        self
    }

    /// The value of the `Location` header. All of it that this type adds is ASCII.
    pub fn location(&self) -> String {
        let parameters = [
            ("error", Some(self.rejection.error().as_str())),
            ("error_description", Some(self.rejection.description())),
            ("error_uri", self.rejection.error_uri()),
            ("state", self.state),
            ("iss", self.issuer),
        ];
        // A redirect URI has no fragment (RFC 6749 §3.1.2); one that has would swallow the parameters.
        let (base, _) = self.redirect_uri.split_once('#').unwrap_or((self.redirect_uri, ""));
        let mut location = base.to_owned();
        let mut separator = match (self.fragment, base.split_once('?')) {
            (true, _) => "#",
            (false, None) => "?",
            (false, Some((_, query))) if query.is_empty() || query.ends_with('&') => "",
            (false, Some(_)) => "&",
        };
        for (name, value) in parameters.iter().filter_map(|(name, value)| value.map(|value| (name, value))) {
            location.push_str(separator);
            location.push_str(name);
            location.push('=');
            location.extend(utf8_percent_encode(value, ENCODED));
            separator = "&";
        }
        location
    }
}

/// Shows no state: it may be what protects the client against forged responses.
impl fmt::Debug for ErrorRedirect<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorRedirect").field("rejection", &self.rejection).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;
    use crate::reason::Reason;

    fn location(redirect_uri: &str) -> String {
        let rejection = Rejection::new(Reason::ChallengeRequired, &Policy::new());
        ErrorRedirect::new(redirect_uri, &rejection).location()
    }

    #[test]
    fn the_query_of_the_redirect_uri_is_kept() {
        const ERROR: &str = "error=invalid_request&error_description=code%20challenge%20required";
        assert_eq!(location("https://a/cb"), format!("https://a/cb?{ERROR}"));
        assert_eq!(location("https://a/cb?"), format!("https://a/cb?{ERROR}"));
        assert_eq!(location("https://a/cb?t=7"), format!("https://a/cb?t=7&{ERROR}"));
        assert_eq!(location("https://a/cb?t=7&"), format!("https://a/cb?t=7&{ERROR}"));
        assert_eq!(location("https://a/cb#f"), format!("https://a/cb?{ERROR}"));
    }

    #[test]
    fn state_and_issuer_cannot_break_out() {
        let rejection = Rejection::new(Reason::ChallengeRequired, &Policy::new());
        let hostile = "x y+&iss=evil\r\nSet-Cookie: a=b#é";
        let location =
            ErrorRedirect::new("https://a/cb", &rejection).state(hostile).issuer("https://as.example").location();
        assert!(location.ends_with(
            "&state=x%20y%2B%26iss%3Devil%0D%0ASet-Cookie%3A%20a%3Db%23%C3%A9&iss=https%3A%2F%2Fas.example"
        ));
    }

    #[test]
    fn a_hybrid_response_type_is_answered_in_the_fragment() {
        let rejection = Rejection::new(Reason::ChallengeRequired, &Policy::new());
        let location = ErrorRedirect::new("https://a/cb?t=7", &rejection).in_fragment().state("s").location();
        assert!(location.starts_with("https://a/cb?t=7#error=invalid_request&") && location.ends_with("&state=s"));
    }
}
