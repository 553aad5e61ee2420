//! The configuration file.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use crate::client::Client;

/// What the configuration file says: JSON, and nothing in it that the gateway does not know.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// The gateway's own registration at the upstream.
    pub upstream: Registration,
    /// The clients that are registered at the gateway.
    pub clients: Vec<Client>,
    /// Keys of 32 octets in base64, the newest first: it seals, all unseal. Gateways that share the work share them.
    /// Default: a random one, which is gone when the gateway ends.
    #[serde(default)]
    pub keys: Vec<String>,
    /// How many seconds the user has to sign in at the upstream, from 1 to 600: the store remembers no longer that a
    /// transaction has come through. Default: 600.
    #[serde(default = "ten_minutes")]
    pub transaction_seconds: u64,
    /// Whether a proxy before the gateway sets `Forwarded`, `X-Forwarded-*` and `X-Real-IP`, and lets nobody else set
    /// them. Then they are passed on. Default: false; they are taken away, because a client could write anything there.
    #[serde(default)]
    pub behind_proxy: bool,
}

/// The gateway's own registration at the upstream, as a confidential client with one redirect URI: the gateway's issuer
/// and `/callback`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Registration {
    /// The gateway's name at the upstream.
    pub client_id: String,
    /// Its secret there.
    pub client_secret: String,
    /// How it authenticates there. Default: by HTTP Basic.
    #[serde(default)]
    pub client_authentication: ClientAuthentication,
    /// A path below the upstream's URL, or a URL. Default: `/authorize`.
    #[serde(default = "authorize")]
    pub authorization_endpoint: String,
    /// A path below the upstream's URL, or a URL. Default: `/token`.
    #[serde(default = "token")]
    pub token_endpoint: String,
    /// What the upstream calls itself in `iss` (RFC 9207). Default: the upstream's URL.
    #[serde(default)]
    pub issuer: Option<String>,
    /// Whether every answer of the upstream must have an `iss`. Set it if the upstream's metadata says
    /// `authorization_response_iss_parameter_supported`. Default: false; one that comes must be right anyway.
    #[serde(default)]
    pub requires_iss: bool,
    /// How long the upstream may take to begin an answer, in milliseconds, from 1 to a minute. Default: 10 seconds.
    #[serde(default = "ten_seconds")]
    pub timeout_millis: u64,
}

/// How the gateway authenticates at the upstream's token endpoint (RFC 6749 §2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClientAuthentication {
    /// By HTTP Basic.
    #[default]
    ClientSecretBasic,
    /// By `client_secret` in the body, for an upstream that knows nothing else.
    ClientSecretPost,
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    ///
    /// One line that says what is wrong with it. No secret stands in it.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Reads and checks what a file would hold.
    ///
    /// # Errors
    ///
    /// One line that says what is wrong with it. No secret stands in it.
    pub fn parse(text: &str) -> Result<Self, String> {
        // serde_json names what it found where it expected something else, which can be a secret; the place is enough.
        let config: Self = serde_json::from_str(text).map_err(|error| {
            let what = if error.is_data() { "a member is unknown, missing or of the wrong type" } else { "no JSON" };
            format!("{what}, before line {} column {}", error.line(), error.column())
        })?;
        match config.fault() {
            Some(fault) => Err(fault),
            None => Ok(config),
        }
    }

    fn fault(&self) -> Option<String> {
        let ids = || self.clients.iter().map(|client| &client.client_id);
        if let Some(twice) = ids().find(|id| ids().filter(|other| other == id).count() > 1) {
            return Some(format!("{twice:?} is registered twice"));
        }
        if self.upstream.client_id.is_empty() || self.upstream.client_secret.is_empty() {
            return Some("the gateway needs a client_id and a client_secret at the upstream".to_owned());
        }
        if !(1..=600).contains(&self.transaction_seconds) {
            return Some("transaction_seconds is not from 1 to 600".to_owned());
        }
        if !(1..=60_000).contains(&self.upstream.timeout_millis) {
            return Some("timeout_millis is not from 1 to 60000".to_owned());
        }
        self.clients.iter().find_map(Client::fault)
    }
}

impl Registration {
    pub(crate) const fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_millis)
    }
}

/// Shows no key and no secret.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("clients", &self.clients).finish_non_exhaustive()
    }
}

/// Shows no secret.
impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

const fn ten_minutes() -> u64 {
    600
}

const fn ten_seconds() -> u64 {
    10_000
}

fn authorize() -> String {
    "/authorize".to_owned()
}

fn token() -> String {
    "/token".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{
        "upstream": { "client_id": "gateway", "client_secret": "hush" },
        "clients": [{ "client_id": "app", "redirect_uris": ["https://app.example/cb"] }]
    }"#;

    #[test]
    fn what_is_wrong_is_said_without_secrets() {
        assert!(Config::parse(GOOD).is_ok());
        for (from, to, expected) in [
            ("\"clients\"", "\"client\"", "a member is unknown, missing or of the wrong type, before line 3 column 16"),
            ("\"hush\"", "[\"hush\"]", "a member is unknown, missing or of the wrong type, before line 2 column 63"),
            ("\"hush\"", "hush", "no JSON, before line 2 column 64"),
            ("\"hush\"", "\"\"", "the gateway needs a client_id and a client_secret at the upstream"),
            ("https://app.", "http://app.", "\"http://app.example/cb\" of \"app\" cannot be a redirect URI"),
            ("\"upstream\"", "\"transaction_seconds\": 0, \"upstream\"", "transaction_seconds is not from 1 to 600"),
        ] {
            assert_eq!(Config::parse(&GOOD.replace(from, to)).err().as_deref(), Some(expected));
        }
        assert!(!format!("{:?}", Config::parse(GOOD)).contains("hush"));
    }
}
