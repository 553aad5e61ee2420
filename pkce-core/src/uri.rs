//! Splitting a URI into its components (RFC 3986 §3).

/// A URI reference, split at its query and its fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Uri<'a> {
    /// Everything before the query.
    pub(crate) base: &'a str,
    pub(crate) query: Option<&'a str>,
    pub(crate) fragment: Option<&'a str>,
}

impl<'a> Uri<'a> {
    pub(crate) fn split(uri: &'a str) -> Self {
        let (rest, fragment) = cut(uri, '#');
        let (base, query) = cut(rest, '?');
        Self { base, query, fragment }
    }

    /// The base of an absolute URI. `None` if it is not absolute.
    pub(crate) fn absolute(&self) -> Option<Base<'a>> {
        let (scheme, rest) = self.base.split_once(':')?;
        let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
        if !is_scheme {
            return None;
        }
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len()))?;
                (Some(authority), path)
            }
            None => (None, rest),
        };
        Some(Base { scheme, authority, path })
    }
}

/// Scheme, authority and path of an absolute URI.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Base<'a> {
    scheme: &'a str,
    authority: Option<&'a str>,
    path: &'a str,
}

impl Base<'_> {
    /// Compares by characters (RFC 3986 §6.2.1), except for what every URI library rewrites: the case of scheme and
    /// host, the default port, and the empty path of `http` and `https`.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        self.scheme.eq_ignore_ascii_case(other.scheme) && self.host() == other.host() && self.path() == other.path()
    }

    fn host(&self) -> Option<String> {
        let authority = self.authority?;
        // A user name or a password before the host is compared as it is.
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

fn cut(text: &str, delimiter: char) -> (&str, Option<&str>) {
    match text.split_once(delimiter) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}
