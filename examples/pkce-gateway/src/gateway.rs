//! The gateway put together.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef, Request};
use axum::http::header::{ALLOW, HeaderName};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use example_host::CORS;
use pkce_tower::pkce_core::store::ChallengeStore;
use pkce_tower::{Pkce, TokenEndpointLayer};
use url::Url;

use crate::authorize::authorize;
use crate::browser::Cookies;
use crate::callback::callback;
use crate::client::Client;
use crate::config::Config;
use crate::metadata::metadata;
use crate::page::page;
use crate::proxy::proxy;
use crate::seal::Seal;
use crate::token::token;
use crate::upstream::Upstream;

/// The gateway's own paths.
pub(crate) const ENDPOINTS: [&str; 3] = ["/authorize", "/callback", "/token"];

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct Gateway(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) issuer: String,
    /// The gateway's redirect URI at the upstream.
    pub(crate) callback: String,
    pub(crate) clients: Vec<Client>,
    pub(crate) upstream: Upstream,
    pub(crate) pkce: Pkce,
    pub(crate) seal: Seal,
    pub(crate) cookies: Cookies,
    pub(crate) transaction_seconds: u64,
    pub(crate) behind_proxy: bool,
}

/// The gateway before the server at `upstream`, with codes in this store. `issuer` is where the world finds it: a URL
/// without a path.
///
/// # Errors
///
/// One line that says what cannot be. No secret stands in it.
pub fn app(config: Config, upstream: &Url, store: impl ChallengeStore, issuer: &str) -> Result<Router, String> {
    let issuer = issuer.trim_end_matches('/').to_owned();
    let url = Url::parse(&issuer).ok().filter(|url| url.origin().ascii_serialization() == issuer);
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
    let url = url.ok_or_else(|| format!("the issuer {issuer:?} is not http or https, a host and perhaps a port"))?;
    let Config { upstream: registration, clients, keys, transaction_seconds, behind_proxy } = config;
    if keys.is_empty() {
        tracing::warn!("there is no key in the configuration: what is sealed now is lost when this gateway ends");
    }
    let gateway = Gateway(Arc::new(Parts {
        callback: format!("{issuer}/callback"),
        clients,
        upstream: Upstream::new(upstream, registration)?,
        pkce: Pkce::new(store),
        seal: Seal::new(&keys, &issuer).map_err(|error| error.to_string())?,
        cookies: Cookies::new(url.scheme() == "https"),
        transaction_seconds,
        behind_proxy,
        issuer,
    }));
    Ok(router(gateway))
}

fn router(gateway: Gateway) -> Router {
    let token = post(token).options(nothing).layer(TokenEndpointLayer::new(gateway.pkce.clone()));
    let for_browsers = Router::new()
        .route("/token", token)
        .route("/.well-known/oauth-authorization-server", get(metadata).options(nothing).fallback(wrong_method))
        .layer(middleware::map_response(with_cors));
    Router::new()
        .route("/authorize", get(authorize).fallback(wrong_method))
        .route("/callback", get(callback).fallback(wrong_method))
        .merge(for_browsers)
        .fallback(proxy)
        .layer(DefaultBodyLimit::disable()) // the layer has its own, and the rest is streamed
        .layer(middleware::from_fn(log))
        .with_state(gateway)
}

impl Gateway {
    pub(crate) fn client(&self, id: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.client_id == id)
    }
}

impl Deref for Gateway {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// The extractor finds the policy by this.
impl FromRef<Gateway> for Pkce {
    fn from_ref(gateway: &Gateway) -> Self {
        gateway.pkce.clone()
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// A CORS preflight; the headers are added to every answer there.
async fn nothing() -> StatusCode {
    StatusCode::NO_CONTENT
}

async fn wrong_method() -> Response {
    let mut response = page(StatusCode::METHOD_NOT_ALLOWED, "This method is not allowed here.");
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
    response
}

/// Errors carry the headers too: a browser-based app has to see them.
async fn with_cors(mut response: Response) -> Response {
    for (name, value) in CORS {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

/// Names the path without its query: a query holds a challenge, a state or a code.
async fn log(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    tracing::info!(%method, path, status = response.status().as_u16());
    response
}
