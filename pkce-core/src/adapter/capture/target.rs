//! The redirect target of an authorization request, and whether a redirect goes there.

use crate::reason::Reason;
use crate::uri::Uri;

/// Where the authorization request wants its answer.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// To its `redirect_uri`.
    Uri(String),
    /// It does not say. Only the host knows the registered one.
    Unknown,
    /// It says so in a way that readers may read differently.
    Unreadable(Reason),
}

impl Target {
    /// The part of a redirect's `Location` that is this target, its own query included.
    ///
    /// Scheme, host, port and path are the same, and the target's own query comes first. Any other difference is another
    /// target.
    pub(crate) fn within<'l>(&self, location: &'l str) -> Option<&'l str> {
        let Self::Uri(uri) = self else { return None };
        if uri.contains('#') {
            return None; // RFC 6749 §3.1.2
        }
        let (ours, theirs) = (Uri::split(uri), Uri::split(location));
        if !ours.absolute()?.is_same_as(&theirs.absolute()?) {
            return None;
        }
        let (Some(own), Some(query)) = (ours.query, theirs.query) else {
            return ours.query.is_none().then_some(theirs.base);
        };
        let rest = query.strip_prefix(own)?;
        let ends = rest.is_empty() || rest.starts_with('&') || own.is_empty() || own.ends_with('&');
        location.get(..theirs.base.len() + 1 + own.len()).filter(|_| ends)
    }
}
