//! The configuration file.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::client::{Client, Registration};
use crate::parameters::is_name;
use crate::redirect_uri::can_be_custom;
use crate::secret::Secret;

/// The configuration: JSON, without members that the gateway does not know. README.md describes each.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) upstream: UpstreamConfig,
    #[serde(default)]
    clients: Vec<Registration>,
    #[serde(default)]
    custom_schemes: Vec<String>,
    #[serde(default)]
    keys: Vec<Secret>,
    #[serde(default)]
    pub(crate) store: Option<Secret>,
    #[serde(default = "ten_minutes")]
    pub(crate) transaction_seconds: u64,
}

/// The upstream, and the gateway's own registration there.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpstreamConfig {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
    #[serde(default)]
    pub(crate) client_authentication: ClientAuthentication,
    #[serde(default)]
    pub(crate) discovery: Option<bool>,
    #[serde(default)]
    pub(crate) authorization_endpoint: Option<String>,
    #[serde(default)]
    pub(crate) token_endpoint: Option<String>,
    #[serde(default)]
    pub(crate) revocation_endpoint: Option<String>,
    #[serde(default)]
    pub(crate) authorization: Change,
    #[serde(default)]
    pub(crate) token: Change,
    #[serde(default)]
    pub(crate) revocation: Change,
    #[serde(default)]
    pub(crate) pkce: Option<bool>,
    #[serde(default)]
    pub(crate) requires_iss: Option<bool>,
    #[serde(default = "bearer")]
    pub(crate) token_type: String,
    #[serde(default = "ten_seconds")]
    pub(crate) timeout_millis: u64,
    #[serde(default)]
    pub(crate) ca_file: Option<PathBuf>,
}

/// How the gateway authenticates at the upstream (RFC 6749 §2.3.1).
#[derive(Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClientAuthentication {
    #[default]
    ClientSecretBasic,
    ClientSecretPost,
}

/// What changes about the parameters of a request on its way to the upstream.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    /// Added to each request, in place of the client's own of that name.
    #[serde(default)]
    pub(crate) add: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) drop: Vec<String>,
}

impl Config {
    /// Reads and checks a file. An error is one line without a secret in it.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let config: Self = parse(path)?;
        config.check().map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        if let Some(scheme) = self.custom_schemes.iter().find(|scheme| !can_be_custom(scheme)) {
            return Err(format!("{scheme:?} cannot be one of custom_schemes"));
        }
        if !(1..=600).contains(&self.transaction_seconds) {
            return Err("transaction_seconds is not from 1 to 600".to_owned());
        }
        let upstream = &self.upstream;
        if !(1..=60_000).contains(&upstream.timeout_millis) {
            return Err("timeout_millis is not from 1 to 60000".to_owned());
        }
        if upstream.client_id.is_empty() || upstream.token_type.is_empty() {
            return Err("client_id or token_type of the upstream is empty".to_owned());
        }
        let changes = [&upstream.authorization, &upstream.token, &upstream.revocation];
        let mut names = changes.into_iter().flat_map(|change| change.add.keys().chain(&change.drop));
        names
            .find(|name| !is_name(name) || PROTOCOL.contains(&name.as_str()))
            .map_or(Ok(()), |name| Err(format!("the parameter {name:?} can be neither added nor dropped")))
    }

    /// Takes the clients: checked, and with their secrets.
    pub(crate) fn clients(&mut self) -> Result<Vec<Client>, String> {
        let registrations = std::mem::take(&mut self.clients);
        let ids = || registrations.iter().map(|registration| &registration.client_id);
        if let Some(twice) = ids().find(|id| ids().filter(|other| other == id).count() > 1) {
            return Err(format!("{twice:?} is registered twice"));
        }
        registrations.into_iter().map(|registration| registration.check(&self.custom_schemes)).collect()
    }

    pub(crate) fn keys(&self) -> Result<Vec<String>, String> {
        self.keys.iter().map(Secret::read).collect()
    }
}

impl UpstreamConfig {
    /// Returns whether the upstream's metadata is fetched: always, unless both endpoints are here, or as it says.
    pub(crate) fn is_discovered(&self) -> bool {
        let is_complete = self.authorization_endpoint.is_some() && self.token_endpoint.is_some();
        self.discovery.unwrap_or(!is_complete)
    }
}

/// What the gateway itself sends, at one endpoint or another.
const PROTOCOL: [&str; 14] = [
    "client_id",
    "client_secret",
    "code",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "grant_type",
    "redirect_uri",
    "refresh_token",
    "request",
    "request_uri",
    "response_type",
    "state",
    "token",
];

fn parse<T: DeserializeOwned>(path: &Path) -> Result<T, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| {
        // These name members only. Other messages of serde_json quote what they found, which can be a secret.
        let message = error.to_string();
        let is_safe = ["unknown field", "missing field", "duplicate field"].iter().any(|it| message.starts_with(it));
        let what = match (is_safe, error.is_data()) {
            (true, _) => message.split(" at line ").next().unwrap_or_default(),
            (false, true) => "a member has the wrong type",
            (false, false) => "no JSON",
        };
        format!("{}: {what}, before line {} column {}", path.display(), error.line(), error.column())
    })
}

const fn ten_minutes() -> u64 {
    600
}

const fn ten_seconds() -> u64 {
    10_000
}

fn bearer() -> String {
    "Bearer".to_owned()
}
