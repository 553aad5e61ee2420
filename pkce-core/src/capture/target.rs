//! The redirect target of an authorization request, and whether a redirect goes there.

use crate::reason::Reason;

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
    /// Compared as RFC 3986 §6.2.1 and §6.2.2.1 do, by characters, but for what every URI library rewrites: the case of
    /// scheme and host, the default port, and the empty path of `http` and `https`. Any other difference is another
    /// target.
    pub(crate) fn within<'l>(&self, location: &'l str) -> Option<&'l str> {
        let Self::Uri(uri) = self else { return None };
        let (location, _) = location.split_once('#').unwrap_or((location, ""));
        let (ours, theirs) = (Parts::of(uri)?, Parts::of(location)?);
        if !ours.is_same_place_as(&theirs) {
            return None;
        }
        let own = match (ours.query, theirs.query) {
            (None, _) => return location.split('?').next(),
            (Some(own), Some(query)) => query.strip_prefix(own).map(|rest| (own, rest)),
            (Some(_), None) => None,
        };
        let (own, rest) = own?;
        let ends = rest.is_empty() || rest.starts_with('&') || own.is_empty() || own.ends_with('&');
        location.get(..location.len() - rest.len()).filter(|_| ends)
    }
}

/// Whether a `Location` is an absolute URI, which every redirect URI is (RFC 6749 §3.1.2).
pub(crate) fn is_absolute(location: &str) -> bool {
    Parts::of(location.split('#').next().unwrap_or_default()).is_some()
}

struct Parts<'a> {
    scheme: &'a str,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Parts<'a> {
    /// Of an absolute URI without a fragment (RFC 3986 §3).
    fn of(uri: &'a str) -> Option<Self> {
        let (scheme, rest) = uri.split_once(':')?;
        let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'-' | b'.'));
        if !is_scheme || uri.contains('#') {
            return None;
        }
        let (hierarchy, query) = match rest.split_once('?') {
            Some((hierarchy, query)) => (hierarchy, Some(query)),
            None => (rest, None),
        };
        let (authority, path) = match hierarchy.strip_prefix("//") {
            Some(rest) => {
                let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len()))?;
                (Some(authority), path)
            }
            None => (None, hierarchy),
        };
        Some(Self { scheme, authority, path, query })
    }

    fn is_same_place_as(&self, other: &Self) -> bool {
        self.scheme.eq_ignore_ascii_case(other.scheme) && self.host() == other.host() && self.path() == other.path()
    }

    fn host(&self) -> Option<String> {
        // A name and a password before the host are no business of a redirect URI: they are compared as they stand.
        let authority = self.authority?;
        if authority.contains('@') {
            return Some(authority.to_owned());
        }
        let host = match self.default_port() {
            Some(port) => authority.strip_suffix(port).unwrap_or(authority),
            None => authority,
        };
        Some(host.to_ascii_lowercase())
    }

    fn path(&self) -> &str {
        if self.path.is_empty() && self.default_port().is_some() { "/" } else { self.path }
    }

    fn default_port(&self) -> Option<&'static str> {
        match self.scheme {
            scheme if scheme.eq_ignore_ascii_case("https") => Some(":443"),
            scheme if scheme.eq_ignore_ascii_case("http") => Some(":80"),
            _ => None,
        }
    }
}
