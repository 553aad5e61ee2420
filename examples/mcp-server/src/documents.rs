//! Client ID metadata documents: the `client_id` is an https URL, where the client's metadata is
//! (draft-ietf-oauth-client-id-metadata-document).
//!
//! Whoever sends an authorization request chooses the URL. So the fetch reaches public addresses alone, follows no redirect,
//! and is bounded in time, size and number.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum_extra::headers::{CacheControl, HeaderMapExt as _};
use moka::Expiry;
use moka::future::Cache;
use reqwest::dns::Resolve;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap};
use reqwest::{ClientBuilder, Response, redirect};
use tokio::sync::Semaphore;
use url::{Host, Url};

use crate::client::{Client, ClientMetadata};

const TIMEOUT: Duration = Duration::from_secs(5);
const LARGEST: usize = 5 * 1024; // as the draft recommends
const LONGEST_ID: usize = 512;
const AT_ONCE: usize = 16;
const KEPT: u64 = 1000;

/// How long a document is kept if its server does not say, and at least and at most if it does.
const FRESH: Duration = Duration::from_secs(60 * 60);
const LEAST: Duration = Duration::from_secs(60);
const MOST: Duration = Duration::from_secs(24 * 60 * 60);

/// A document, and how long it is kept.
type Document = (Arc<Client>, Duration);

pub(crate) struct Documents {
    http: reqwest::Client,
    turns: Semaphore,
    kept: Cache<String, Document>,
}

impl Documents {
    pub(crate) fn new(http: reqwest::Client) -> Self {
        let kept = Cache::builder().max_capacity(KEPT).expire_after(AsItSays).build();
        Self { http, turns: Semaphore::new(AT_ONCE), kept }
    }

    /// Returns the client that the document at this URL describes. Requests for one that is being fetched wait for it;
    /// failures are not kept.
    pub(crate) async fn get(&self, id: &str) -> Option<Arc<Client>> {
        if !is_client_id(id) {
            return None;
        }
        let fetched = self.kept.try_get_with_by_ref(id, self.fetch(id)).await;
        // For the log alone: what the network says is not for whoever chose the URL.
        fetched
            .inspect_err(|error| tracing::info!(client_id = id, %error, "no client metadata"))
            .ok()
            .map(|(client, _)| client)
    }

    async fn fetch(&self, id: &str) -> Result<Document, String> {
        let _turn = self.turns.acquire().await;
        let said = |error: reqwest::Error| format!("{error:?}");
        let mut response = self.http.get(id).header(ACCEPT, "application/json").send().await.map_err(said)?;
        if response.status() != 200 || !is_json(&response) {
            return Err(format!("{} without JSON", response.status()));
        }
        let lifetime = lifetime(response.headers());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(said)? {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST {
                return Err("it is too large".to_owned());
            }
        }
        let metadata: ClientMetadata = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
        Ok((Arc::new(client(id, metadata)?), lifetime))
    }
}

/// An https URL with a path, in its normal form: so it is the same string for whoever compares it, and has no dot segments.
fn is_client_id(id: &str) -> bool {
    let Ok(url) = Url::parse(id) else { return false };
    let is_plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    let has_name_and_path = matches!(url.host(), Some(Host::Domain(_))) && url.path() != "/";
    id.len() <= LONGEST_ID && url.as_str() == id && url.scheme() == "https" && is_plain && has_name_and_path
}

/// A document may be on a site where others upload files. Those are served as something else.
fn is_json(response: &Response) -> bool {
    let value = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || essence.starts_with("application/") && essence.ends_with("+json")
}

fn client(id: &str, metadata: ClientMetadata) -> Result<Client, String> {
    if metadata.client_id.as_deref() != Some(id) {
        return Err("its client_id is another".to_owned());
    }
    if metadata.client_secret.is_some() || metadata.token_endpoint_auth_method.as_deref().is_some_and(|it| it != "none")
    {
        return Err("only public clients are supported".to_owned());
    }
    if metadata.client_name.is_none() {
        return Err("it has no client_name".to_owned());
    }
    metadata.into_client(id.to_owned()).map_err(|(_, description)| description.to_owned())
}

fn lifetime(headers: &HeaderMap) -> Duration {
    let said = headers.typed_get::<CacheControl>();
    let said = said.map(|said| if said.no_store() || said.no_cache() { Some(LEAST) } else { said.max_age() });
    said.flatten().unwrap_or(FRESH).clamp(LEAST, MOST)
}

struct AsItSays;

impl Expiry<String, Document> for AsItSays {
    fn expire_after_create(&self, _: &String, document: &Document, _: Instant) -> Option<Duration> {
        Some(document.1)
    }

    fn expire_after_update(
        &self,
        _: &String,
        document: &Document,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(document.1)
    }
}

/// Returns the client that fetches the documents, but for its resolver.
pub fn http_client(resolver: impl Resolve + 'static) -> ClientBuilder {
    let builder = reqwest::Client::builder().https_only(true).redirect(redirect::Policy::none()).no_proxy();
    builder.timeout(TIMEOUT).pool_max_idle_per_host(0).dns_resolver(Arc::new(resolver))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_kept_as_long_as_it_says_within_limits() {
        for (cache_control, seconds) in [
            ("max-age=300", 300),
            ("public, max-age=7200", 7200),
            ("max-age=0", 60),
            ("no-store", 60),
            ("no-cache, max-age=7200", 60),
            ("max-age=31536000", 86400),
            ("public", 3600),
            ("", 3600),
            ("nonsense", 3600),
        ] {
            let headers = HeaderMap::from_iter([("cache-control".parse().unwrap(), cache_control.parse().unwrap())]);
            assert_eq!(lifetime(&headers).as_secs(), seconds, "{cache_control}");
        }
        assert_eq!(lifetime(&HeaderMap::new()).as_secs(), 3600);
    }
}
