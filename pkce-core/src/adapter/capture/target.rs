//! The redirect target of an authorization request, and whether a redirect goes there.

use url::{Position, Url, form_urlencoded};

use crate::adapter::location;
use crate::reason::Reason;
use crate::uri::Uri;

/// Where the authorization request wants its response.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// To its `redirect_uri`.
    Uri(String),
    /// It does not say. Only the host knows the registered URI.
    Unknown,
    /// Readers may read it differently.
    Unreadable(Reason),
}

impl Target {
    /// Returns this target as the redirect's `Location` spells it, with the target's own query, if the redirect goes there.
    ///
    /// Both are parsed as browsers parse them (the URL standard), which rewrites `/../`, the case of the host, an IDN and
    /// `127.1`. Then everything up to the path must be the same, and the target's own parameters must come first, in
    /// their order. Any other difference is another target.
    pub(crate) fn within(&self, location: &str) -> Option<String> {
        let Self::Uri(uri) = self else { return None };
        if !is_plain(uri) || !is_plain(location) {
            return None;
        }
        let (own, sent) = (Url::parse(uri).ok()?, Url::parse(location).ok()?);
        let is_same_place = own[..Position::AfterPath] == sent[..Position::AfterPath];
        // A redirect URI has no fragment (RFC 6749 §3.1.2).
        if !is_same_place || own.fragment().is_some() {
            return None;
        }
        let parameters = |url: &Url| -> Vec<(String, String)> {
            form_urlencoded::parse(url.query().unwrap_or_default().as_bytes()).into_owned().collect()
        };
        if !parameters(&sent).starts_with(&parameters(&own)) {
            return None;
        }
        let base = Uri::split(location).base;
        Some(Uri::split(uri).query.map_or_else(|| base.to_owned(), |query| format!("{base}?{query}")))
    }

    /// Whether its own query has the parameter `error`, which then does not make a redirect to it an error response.
    pub(crate) fn has_error(&self) -> bool {
        matches!(self, Self::Uri(uri) if location::is_error(uri))
    }
}

/// Whether browsers and other readers agree on where it leads: no backslash, tab or line break, which browsers rewrite or
/// drop, and two slashes after `http:` and `https:`, which browsers add.
fn is_plain(location: &str) -> bool {
    let is_scheme = |scheme: &str| location.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    let is_web = is_scheme("http:") || is_scheme("https:");
    let unusual = |c: char| c == '\\' || c.is_control();
    !location.contains(unusual)
        && location.trim() == location
        && (!is_web || is_scheme("http://") || is_scheme("https://"))
}

/// Whether a `Location` is an absolute URI, which every redirect URI is (RFC 6749 §3.1.2).
pub(crate) fn is_absolute(location: &str) -> bool {
    is_plain(location) && Url::parse(location).is_ok()
}
