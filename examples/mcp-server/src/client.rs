//! Who may ask: clients that have registered (RFC 7591), and clients whose id is the URL of their metadata.

use std::sync::Arc;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use pkce_tower::RedirectUriMatcher;
use serde::Deserialize;
use serde::de::IgnoredAny;
use url::Url;

use crate::documents::Documents;
use crate::issuer::is_secure;
use crate::random;

/// How many registered clients are kept. The one that was used the longest ago gives way.
const REGISTERED: u64 = 10_000;

/// A client on loopback takes any free port (RFC 8252 §7.3). Most MCP clients say `localhost`.
const REDIRECT_URIS: RedirectUriMatcher = RedirectUriMatcher::new().any_port_on_localhost();

/// The longest name of a client, in characters.
const NAME: usize = 100;

pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) redirect_uris: Vec<String>,
}

/// Client metadata (RFC 7591 §2), as much of it as is used here.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct ClientMetadata {
    pub(crate) client_id: Option<String>,
    pub(crate) client_name: Option<String>,
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) grant_types: Option<Vec<String>>,
    pub(crate) response_types: Option<Vec<String>>,
    pub(crate) token_endpoint_auth_method: Option<String>,
    pub(crate) client_secret: Option<IgnoredAny>,
}

/// Why metadata is refused: the error code of RFC 7591 §3.2.2, and a sentence for the developer.
pub(crate) type Refusal = (&'static str, &'static str);

impl Client {
    pub(crate) fn has_redirect_uri(&self, uri: &str) -> bool {
        self.redirect_uris.iter().any(|registered| REDIRECT_URIS.matches(registered, uri))
    }
}

impl ClientMetadata {
    /// Returns the client with this id, if the metadata is acceptable.
    pub(crate) fn into_client(self, id: String) -> Result<Client, Refusal> {
        let lacks =
            |list: &Option<Vec<String>>, value| list.as_ref().is_some_and(|list| !list.iter().any(|v| v == value));
        if lacks(&self.grant_types, "authorization_code") || lacks(&self.response_types, "code") {
            return Err(("invalid_client_metadata", "only the authorization code grant is supported"));
        }
        if self.client_name.as_deref().is_some_and(|name| !is_name(name)) {
            return Err(("invalid_client_metadata", "client_name is too long or cannot be shown"));
        }
        if self.redirect_uris.is_empty() || !self.redirect_uris.iter().all(|uri| is_redirect_uri(uri)) {
            return Err(("invalid_redirect_uri", "redirect_uris are https, or http on loopback, without a fragment"));
        }
        Ok(Client { id, name: self.client_name, redirect_uris: self.redirect_uris })
    }
}

/// Whether a redirect URI may be registered. An allowlist: what leads elsewhere, or runs in the browser (`javascript:`), is
/// none.
fn is_redirect_uri(uri: &str) -> bool {
    // What parsers read differently is none.
    let is_plain =
        uri.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'#' | b'"' | b'<' | b'>'));
    let has_no_user = |url: &Url| url.username().is_empty() && url.password().is_none();
    is_plain && Url::parse(uri).is_ok_and(|url| is_secure(&url) && has_no_user(&url))
}

/// Whether a name can be shown: nothing that is invisible, or turns the text around it.
fn is_name(name: &str) -> bool {
    let is_shown = |c: char| {
        !c.is_control() && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
    };
    !name.trim().is_empty() && name.chars().count() <= NAME && name.chars().all(is_shown)
}

/// The clients that are known.
pub(crate) struct Clients {
    registered: Cache<String, Arc<Client>>, // yours: a database
    documents: Documents,
}

impl Clients {
    pub(crate) fn new(http: reqwest::Client) -> Self {
        let registered = Cache::builder().max_capacity(REGISTERED).eviction_policy(EvictionPolicy::lru()).build();
        Self { registered, documents: Documents::new(http) }
    }

    pub(crate) fn register(&self, metadata: ClientMetadata) -> Result<Arc<Client>, Refusal> {
        let client = Arc::new(metadata.into_client(random())?);
        self.registered.insert(client.id.clone(), Arc::clone(&client));
        Ok(client)
    }

    /// Returns the client with this id, whose document is fetched if its id is a URL.
    pub(crate) async fn find(&self, id: &str) -> Option<Arc<Client>> {
        if id.starts_with("https:") { self.documents.get(id).await } else { self.registered.get(id) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_registrations_fills_no_memory() {
        let clients = Clients::new(reqwest::Client::new());
        for _ in 0..REGISTERED + 1000 {
            let redirect_uris = vec!["https://app.example/".to_owned()];
            clients.register(ClientMetadata { redirect_uris, ..ClientMetadata::default() }).ok().unwrap();
        }
        clients.registered.run_pending_tasks();
        assert_eq!(clients.registered.entry_count(), REGISTERED);
    }
}
