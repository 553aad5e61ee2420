//! The registered clients.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use constant_time_eq::constant_time_eq;

use crate::form::Form;

/// A registered client.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) id: &'static str,
    /// A confidential client has one.
    secret: Option<&'static str>,
    /// An app on the user's own machine, which listens on any port (RFC 8252 §7.3).
    loopback: bool,
}

const APP: &str = "https://app.example/cb?tenant=7";

const CLIENTS: [Client; 2] = [
    Client { id: "spa", secret: None, loopback: true },
    Client { id: "web", secret: Some("web-secret"), loopback: false },
];

/// The client did not say who it is, or did not prove it.
pub(crate) struct NotAuthenticated;

impl Client {
    pub(crate) fn find(id: &str) -> Option<&'static Self> {
        CLIENTS.iter().find(|client| client.id == id)
    }

    /// Redirect URIs are compared as strings (RFC 9700 §2.1), but for the port of a loopback address.
    pub(crate) fn has_redirect_uri(&self, uri: &str) -> bool {
        uri == APP || (self.loopback && is_loopback_callback(uri))
    }

    /// Authenticates the client of a token request: by HTTP Basic, by a secret in the body, or as the public client it
    /// says it is (RFC 6749 §2.3, §3.2.1).
    pub(crate) fn authenticate(authorization: Option<&str>, form: &Form) -> Result<&'static Self, NotAuthenticated> {
        let (id, secret) = match authorization {
            // One method of authentication for one request (RFC 6749 §2.3).
            Some(_) if form.one("client_secret").is_some() => return Err(NotAuthenticated),
            Some(header) => {
                let (id, secret) = basic(header).ok_or(NotAuthenticated)?;
                if form.one("client_id").is_some_and(|named| named != id) {
                    return Err(NotAuthenticated);
                }
                // A public client's secret is the empty string (RFC 6749 §2.3.1); no confidential client has that one.
                (id, Some(secret).filter(|secret| !secret.is_empty()))
            }
            None => {
                let id = form.one("client_id").ok_or(NotAuthenticated)?.to_owned();
                (id, form.one("client_secret").map(str::to_owned))
            }
        };
        let client = Self::find(&id).ok_or(NotAuthenticated)?;
        let proven = match (client.secret, secret) {
            (None, None) => true,
            (Some(expected), Some(presented)) => constant_time_eq(expected.as_bytes(), presented.as_bytes()),
            _ => false,
        };
        if proven { Ok(client) } else { Err(NotAuthenticated) }
    }
}

fn is_loopback_callback(uri: &str) -> bool {
    let Some(rest) = uri.strip_prefix("http://127.0.0.1") else { return false };
    let Some(port) = rest.strip_suffix("/callback") else { return false };
    match port.strip_prefix(':') {
        None => port.is_empty(),
        Some(digits) => {
            digits.bytes().all(|octet| octet.is_ascii_digit()) && digits.parse::<u16>().is_ok_and(|port| port > 0)
        }
    }
}

/// User and password, each form-encoded first (RFC 6749 §2.3.1).
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, credentials) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((form_decode(id)?, form_decode(secret)?))
}

fn form_decode(text: &str) -> Option<String> {
    // A lone value: neither separator of a form may stand in it unencoded.
    let parsed: Vec<_> = form_urlencoded::parse(text.as_bytes()).collect();
    match parsed.as_slice() {
        [(value, empty)] if empty.is_empty() && !text.contains('=') => Some(value.to_string()),
        [] => Some(String::new()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_of_a_loopback_redirect_uri_is_free_and_nothing_else() {
        let spa = Client::find("spa").unwrap();
        for uri in ["http://127.0.0.1/callback", "http://127.0.0.1:1/callback", "http://127.0.0.1:65535/callback", APP]
        {
            assert!(spa.has_redirect_uri(uri), "{uri}");
        }
        for uri in [
            "http://127.0.0.1:/callback",
            "http://127.0.0.1:0/callback",
            "http://127.0.0.1:65536/callback",
            "http://127.0.0.1:+1/callback",
            "http://127.0.0.1:80@evil.example/callback",
            "http://127.0.0.1.evil.example/callback",
            "http://localhost/callback",
            "https://127.0.0.1/callback",
            "http://127.0.0.1/callback/",
            "http://127.0.0.1/callback?x",
            "http://127.0.0.1:1/evil/callback",
            "https://app.example/cb",
            "https://app.example/cb?tenant=8",
        ] {
            assert!(!spa.has_redirect_uri(uri), "{uri}");
        }
        assert!(!Client::find("web").unwrap().has_redirect_uri("http://127.0.0.1/callback"));
    }
}
