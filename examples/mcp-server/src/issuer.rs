//! The name under which the server is reached.

use std::fmt;
use std::str::FromStr;

use url::Url;

/// The issuer: an origin such as `https://mcp.example`. Plain `http` is for loopback alone (OAuth 2.1 §1.5).
#[derive(Debug, Clone)]
pub struct Issuer {
    origin: String,
    host: String,
}

impl FromStr for Issuer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("the issuer {text}: {error}"))?;
        let origin = url.origin().ascii_serialization();
        if !is_secure(&url) || url.as_str() != format!("{origin}/") {
            return Err(format!("the issuer {text} is not https://HOST, nor http://HOST on loopback"));
        }
        Ok(Self { origin, host: url.host_str().unwrap_or_default().to_owned() })
    }
}

impl Issuer {
    /// Returns a URL below the issuer.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{self}{path}")
    }

    pub(crate) fn is_https(&self) -> bool {
        self.origin.starts_with("https:")
    }

    /// Returns the names that a `Host` header may have: a page of any other name that resolves to this server is an attack
    /// by DNS rebinding. Loopback is no such name; proxies that do not pass the header on have it there.
    pub(crate) fn hosts(&self) -> [String; 4] {
        [&self.host, "localhost", "127.0.0.1", "[::1]"].map(str::to_owned)
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

/// Whether what is sent to a URL can be read on the way by nobody: `https`, or `http` that stays on this computer.
pub(crate) fn is_secure(url: &Url) -> bool {
    url.scheme() == "https" || url.scheme() == "http" && is_loopback(url)
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"))
}
