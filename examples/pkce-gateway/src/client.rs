//! The clients that are registered at the gateway. The upstream knows none of them.

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use constant_time_eq::constant_time_eq;
use pkce_tower::RedirectUriMatcher;
use serde::Deserialize;

use crate::parameters::Parameters;
use crate::redirect_uri;
use crate::secret::Secret;

/// Many command line clients listen on `localhost`.
const REDIRECT_URIS: RedirectUriMatcher = RedirectUriMatcher::new().any_port_on_localhost();

/// A client as the configuration has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Registration {
    pub(crate) client_id: String,
    /// A confidential client has one; a public client has none.
    #[serde(default)]
    client_secret: Option<Secret>,
    redirect_uris: Vec<String>,
}

/// A registered client.
pub(crate) struct Client {
    pub(crate) id: String,
    secret: Option<String>,
    redirect_uris: Vec<String>,
}

impl Registration {
    /// Checks the registration and reads its secret.
    pub(crate) fn check(self, custom_schemes: &[String]) -> Result<Client, String> {
        let Self { client_id: id, client_secret, redirect_uris } = self;
        if id.is_empty() || !id.bytes().all(|byte| matches!(byte, 0x20..=0x7e)) {
            return Err("a client_id is empty or has characters that none can have".to_owned());
        }
        if let Some(uri) = redirect_uris.iter().find(|uri| !redirect_uri::can_be_registered(uri, custom_schemes)) {
            return Err(format!("{uri:?} of {id:?} cannot be a redirect URI"));
        }
        let secret = client_secret.map(|secret| secret.read()).transpose();
        let secret = secret.map_err(|error| format!("the client_secret of {id:?}: {error}"))?;
        Ok(Client { id, secret, redirect_uris })
    }
}

impl Client {
    pub(crate) fn has_redirect_uri(&self, uri: &str) -> bool {
        self.redirect_uris.iter().any(|registered| REDIRECT_URIS.matches(registered, uri))
    }

    /// Authenticates the client of a request: by HTTP Basic, by a secret in the body, or as the public client that it
    /// names (RFC 6749 §2.3, §3.2.1).
    pub(crate) fn authenticate<'a>(clients: &'a [Self], headers: &HeaderMap, form: &Parameters) -> Option<&'a Self> {
        let mut lines = headers.get_all(AUTHORIZATION).into_iter();
        let (id, secret) = match (lines.next(), lines.next()) {
            (None, _) => (form.one("client_id")?.to_owned(), form.one("client_secret").map(str::to_owned)),
            // One method of authentication for one request (RFC 6749 §2.3).
            (Some(line), None) if form.one("client_secret").is_none() => basic(line)?,
            _ => return None,
        };
        let client = clients.iter().find(|client| client.id == id)?;
        let is_same_client = form.one("client_id").is_none_or(|named| named == id);
        let is_proven = match (&client.secret, secret) {
            (None, None) => true,
            (Some(expected), Some(presented)) => constant_time_eq(expected.as_bytes(), presented.as_bytes()),
            _ => false,
        };
        if is_same_client && is_proven {
            return Some(client);
        }
        tracing::warn!(
            client_id = client.id,
            "a client did not authenticate: its secret is wrong, or missing, or not expected"
        );
        None
    }
}

/// User and password, each form-encoded (RFC 6749 §2.3.1). An empty password is none, as in the body: some public clients
/// name themselves like that.
fn basic(header: &HeaderValue) -> Option<(String, Option<String>)> {
    let (scheme, credentials) = header.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let value = |text: &str| Some(Parameters::parse(format!("v={text}").as_bytes())?.one("v").map(str::to_owned));
    Some((value(id)??, value(secret)?))
}
