//! Comparing the redirect URI of an authorization request with a registered one.

/// Compares the redirect URI of an authorization request with a registered one (RFC 9700 §2.1, RFC 8252 §7.3).
///
/// The two must be the same, character by character. Only the port may differ, and only where both are `http` URIs of the
/// same loopback address, `127.0.0.1` or `[::1]`: a native app listens on a port that it learns when it starts. A URI with
/// user information or a fragment is never compared without its port.
///
/// Most command-line clients and MCP clients use `localhost` instead:
/// [`any_port_on_localhost`](Self::any_port_on_localhost) allows them any port too.
///
/// ```
/// use pkce_core::RedirectUriMatcher;
///
/// const REDIRECT_URIS: RedirectUriMatcher = RedirectUriMatcher::new();
///
/// let registered = ["https://app.example/cb", "http://127.0.0.1/cb"];
/// let is_registered = |uri| registered.iter().any(|one| REDIRECT_URIS.matches(one, uri));
///
/// assert!(is_registered("https://app.example/cb"));
/// assert!(is_registered("http://127.0.0.1:49152/cb"));
/// assert!(!is_registered("https://app.example/cb/../evil"));
/// assert!(!is_registered("http://127.0.0.1:80@evil.example/cb"));
/// ```
///
/// It compares and does not judge: which URIs may be registered is for the host to decide. Reject `javascript:`, `data:`,
/// fragments, and `http` on any other host, when a client registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[must_use = "nothing is compared until `matches`"]
pub struct RedirectUriMatcher {
    any_port_on_localhost: bool,
}

impl RedirectUriMatcher {
    /// Creates a matcher for which only the port of `127.0.0.1` and `[::1]` may differ.
    pub const fn new() -> Self {
        Self { any_port_on_localhost: false }
    }

    /// Lets the port of `http://localhost` differ too.
    ///
    /// Off by default: RFC 8252 §8.3 recommends the addresses, because a system can resolve the name to another machine.
    pub const fn any_port_on_localhost(mut self) -> Self {
        self.any_port_on_localhost = true;
        self
    }

    /// Returns whether the requested redirect URI is the registered one. An empty one never is.
    pub fn matches(self, registered: &str, requested: &str) -> bool {
        let is_loopback = |registered| self.without_port(requested) == Some(registered);
        !requested.is_empty() && (requested == registered || self.without_port(registered).is_some_and(is_loopback))
    }

    /// The host, and the path with the query, of an `http` URI of this machine.
    fn without_port(self, uri: &str) -> Option<(&str, &str)> {
        let rest = uri.strip_prefix("http://").filter(|rest| !rest.contains('#'))?;
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        // `[::1]` has colons of its own.
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && is_port(port) => host,
            _ => authority,
        };
        let is_loopback = matches!(host, "127.0.0.1" | "[::1]") || self.any_port_on_localhost && host == "localhost";
        is_loopback.then_some((host, path))
    }
}

/// A port as every reader reads it: 1 to 65535, without a sign or zeros in front.
fn is_port(port: &str) -> bool {
    port.bytes().all(|byte| byte.is_ascii_digit()) && !port.starts_with('0') && port.parse::<u16>().is_ok()
}
