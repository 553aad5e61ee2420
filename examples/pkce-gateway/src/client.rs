//! The clients that are registered at the gateway. The upstream knows none of them.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use constant_time_eq::constant_time_eq;
use serde::Deserialize;
use url::Url;

use crate::parameters::Parameters;

/// A registered client.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Client {
    /// Its name at the gateway.
    pub client_id: String,
    /// A confidential client has one; a public client has none.
    #[serde(default)]
    pub client_secret: Option<String>,
    /// Where codes may be sent. Compared as strings (RFC 9700 §2.1), but for the port of `http://127.0.0.1` and
    /// `http://[::1]`, which is free (RFC 8252 §7.3).
    pub redirect_uris: Vec<String>,
}

/// The client did not say who it is, or did not prove it.
#[derive(Debug)]
pub(crate) struct NotAuthenticated;

impl Client {
    pub(crate) fn has_redirect_uri(&self, uri: &str) -> bool {
        self.redirect_uris.iter().any(|registered| {
            registered == uri
                || matches!((loopback(registered), loopback(uri)), (Some(registered), Some(uri)) if registered == uri)
        })
    }

    /// Why it cannot be registered, if it cannot.
    pub(crate) fn fault(&self) -> Option<String> {
        if self.client_id.is_empty() || !self.client_id.bytes().all(|octet| matches!(octet, 0x20..=0x7e)) {
            return Some("a client_id is empty or has characters that none can have".to_owned());
        }
        if self.client_secret.as_ref().is_some_and(String::is_empty) {
            return Some(format!("the secret of {:?} is empty", self.client_id));
        }
        let bad = self.redirect_uris.iter().find(|uri| !is_redirect_uri(uri));
        bad.map(|uri| format!("{uri:?} of {:?} cannot be a redirect URI", self.client_id))
    }

    /// Authenticates the client of a token request: by HTTP Basic, by a secret in the body, or as the public client it
    /// says it is (RFC 6749 §2.3, §3.2.1).
    pub(crate) fn authenticate<'a>(
        clients: &'a [Self],
        authorization: Option<&str>,
        form: &Parameters,
    ) -> Result<&'a Self, NotAuthenticated> {
        let (id, secret) = match authorization {
            // One method of authentication for one request (RFC 6749 §2.3).
            Some(_) if form.one("client_secret").is_some() => return Err(NotAuthenticated),
            Some(header) => {
                let (id, secret) = basic(header).ok_or(NotAuthenticated)?;
                if form.one("client_id").is_some_and(|named| named != id) {
                    return Err(NotAuthenticated);
                }
                (id, secret)
            }
            None => {
                let id = form.one("client_id").ok_or(NotAuthenticated)?.to_owned();
                (id, form.one("client_secret").map(str::to_owned))
            }
        };
        let client = clients.iter().find(|client| client.client_id == id).ok_or(NotAuthenticated)?;
        let proven = match (&client.client_secret, secret) {
            (None, None) => true,
            (Some(expected), Some(presented)) => constant_time_eq(expected.as_bytes(), presented.as_bytes()),
            _ => false,
        };
        if proven { Ok(client) } else { Err(NotAuthenticated) }
    }
}

/// Shows no secret.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// User and password, each form-encoded first (RFC 6749 §2.3.1). An empty password is none, as in the body: some public
/// clients name themselves like that.
fn basic(header: &str) -> Option<(String, Option<String>)> {
    let (scheme, credentials) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let value = |text: &str| Some(Parameters::parse(format!("v={text}").as_bytes())?.one("v").map(str::to_owned));
    Some((value(id)??, value(secret)?))
}

/// A redirect URI of an app on the user's own machine, without its port.
fn loopback(uri: &str) -> Option<(&'static str, &str)> {
    let (host, rest) = ["http://127.0.0.1", "http://[::1]"]
        .into_iter()
        .find_map(|host| uri.strip_prefix(host).map(|rest| (host, rest)))?;
    let path = match rest.strip_prefix(':') {
        None => rest,
        Some(rest) => {
            let (digits, path) = rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count());
            digits.parse::<u16>().ok().filter(|port| *port > 0)?;
            path
        }
    };
    path.starts_with('/').then_some((host, path))
}

/// By https, by http to this machine, or with a scheme that belongs to an app (RFC 8252 §7.1). Nothing that could end a
/// header, and no fragment (RFC 6749 §3.1.2).
fn is_redirect_uri(uri: &str) -> bool {
    let Ok(url) = Url::parse(uri) else { return false };
    let harmless = uri.bytes().all(|octet| matches!(octet, 0x21..=0x7e) && !b"#\\\"<>".contains(&octet));
    harmless
        && url.username().is_empty()
        && url.password().is_none()
        && match url.scheme() {
            "https" => true,
            "http" => matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost")),
            scheme => scheme.contains('.'),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(redirect_uri: &str) -> Client {
        Client { client_id: "app".to_owned(), client_secret: None, redirect_uris: vec![redirect_uri.to_owned()] }
    }

    #[test]
    fn the_port_of_a_loopback_redirect_uri_is_free_and_nothing_else() {
        let app = client("http://127.0.0.1/callback");
        for uri in ["http://127.0.0.1/callback", "http://127.0.0.1:1/callback", "http://127.0.0.1:65535/callback"] {
            assert!(app.has_redirect_uri(uri), "{uri}");
        }
        for uri in [
            "http://127.0.0.1:/callback",
            "http://127.0.0.1:0/callback",
            "http://127.0.0.1:65536/callback",
            "http://127.0.0.1:+1/callback",
            "http://127.0.0.1:80@evil.example/callback",
            "http://127.0.0.1.evil.example/callback",
            "http://127.0.0.1@evil.example/callback",
            "http://[::1]/callback",
            "http://localhost/callback",
            "https://127.0.0.1/callback",
            "http://127.0.0.1/callback/",
            "http://127.0.0.1/callback?x",
            "http://127.0.0.1:1/evil/callback",
            "",
        ] {
            assert!(!app.has_redirect_uri(uri), "{uri}");
        }
        let exact = client("https://app.example/cb?tenant=7");
        assert!(exact.has_redirect_uri("https://app.example/cb?tenant=7"));
        for uri in ["https://app.example/cb", "https://app.example:443/cb?tenant=7", "https://APP.example/cb?tenant=7"]
        {
            assert!(!exact.has_redirect_uri(uri), "{uri}");
        }
    }

    #[test]
    fn what_can_be_no_redirect_uri_is_not_registered() {
        for uri in ["https://app.example/cb?t=7", "http://127.0.0.1/cb", "http://[::1]/", "com.example.app:/cb"] {
            assert_eq!(client(uri).fault(), None, "{uri}");
        }
        for uri in [
            "http://app.example/cb",
            "https://app.example/cb#f",
            "javascript:alert(1)",
            "data:text/html,x",
            "/cb",
            "https://user@app.example/",
            "https://app.example/\r\nSet-Cookie:",
            "https://app.example/a b",
        ] {
            assert!(client(uri).fault().is_some(), "{uri}");
        }
    }
}
