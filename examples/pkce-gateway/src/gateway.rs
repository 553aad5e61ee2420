//! The gateway put together.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef, Request, State};
use axum::http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use pkce_tower::pkce_core::store::ChallengeStore;
use pkce_tower::{AuthorizationCode, CodeVerifier, Pkce, Policy, TokenEndpointLayer};
use tower_http::cors::{Any, CorsLayer};
use tower_http::timeout::RequestBodyTimeoutLayer;
use url::Url;

use crate::authorize::authorize;
use crate::callback::callback;
use crate::client::Client;
use crate::config::Config;
use crate::cookies::Cookies;
use crate::metadata::{elsewhere, metadata};
use crate::respond::{json, page};
use crate::revoke::revoke;
use crate::seal::Seal;
use crate::token::token;
use crate::upstream::Upstream;

/// The largest token request, in bytes: a refresh token that was sealed is a third larger than the upstream's own.
const BODY_LIMIT: usize = 1024 * 1024;

/// How long a client may send nothing in the middle of a body.
const BODY_PAUSE: Duration = Duration::from_secs(10);

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct Gateway(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) issuer: String,
    /// The gateway's redirect URI at the upstream.
    pub(crate) callback: String,
    pub(crate) upstream: Upstream,
    pub(crate) pkce: Pkce,
    pub(crate) seal: Seal,
    pub(crate) cookies: Cookies,
    pub(crate) transaction_seconds: u64,
    clients: RwLock<Arc<[Client]>>,
    config: PathBuf,
}

impl Gateway {
    /// Checks what is left to check of the configuration. `issuer` is a URL without a path.
    pub(crate) fn new(
        config: PathBuf,
        mut read: Config,
        upstream: Upstream,
        store: impl ChallengeStore,
        issuer: &str,
    ) -> Result<Self, String> {
        let (issuer, is_https) = checked(issuer)?;
        let keys = read.keys()?;
        if keys.is_empty() {
            tracing::warn!("there is no key in the configuration: what is sealed now is lost when this gateway ends");
        }
        Ok(Self(Arc::new(Parts {
            callback: format!("{issuer}/callback"),
            clients: RwLock::new(read.clients()?.into()),
            upstream,
            pkce: Pkce::builder(store).issuer(&issuer).policy(Policy::new().body_limit(BODY_LIMIT)).build(),
            seal: Seal::new(&keys, &issuer)?,
            cookies: Cookies::new(is_https),
            transaction_seconds: read.transaction_seconds,
            config,
            issuer,
        })))
    }

    pub(crate) fn clients(&self) -> Arc<[Client]> {
        Arc::clone(&self.0.clients.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the clients again. On an error those of before stay.
    pub(crate) fn reload_clients(&self) {
        match Config::read(&self.config).and_then(|mut config| config.clients()) {
            Ok(clients) => {
                let count = clients.len();
                *self.0.clients.write().unwrap_or_else(PoisonError::into_inner) = clients.into();
                tracing::info!(clients = count, "read the clients again");
            }
            Err(error) => tracing::error!(error, "the clients of before stay"),
        }
    }

    pub(crate) fn router(self) -> Router {
        let own = [AUTHORIZATION, CONTENT_TYPE, HeaderName::from_static("mcp-protocol-version")];
        // Any origin may read the responses: nothing there is authenticated by a cookie.
        let cors = CorsLayer::new()
            .allow_origin(Any)
            .allow_methods([Method::GET, Method::POST])
            .allow_headers(own)
            .expose_headers([RETRY_AFTER, WWW_AUTHENTICATE]);
        let mut for_apps = Router::new()
            .route("/token", post(token).layer(TokenEndpointLayer::new(self.pkce.clone())))
            .route("/.well-known/oauth-authorization-server", get(metadata))
            .route("/.well-known/openid-configuration", get(metadata));
        if self.upstream.revocation.is_some() {
            for_apps = for_apps.route("/revoke", post(revoke));
        }
        Router::new()
            .merge(for_apps.fallback(elsewhere).layer(cors))
            .route("/authorize", get(authorize).fallback(wrong_method))
            .route("/callback", get(callback).fallback(wrong_method))
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(readyz))
            .layer(RequestBodyTimeoutLayer::new(BODY_PAUSE))
            .layer(DefaultBodyLimit::max(BODY_LIMIT))
            .layer(middleware::from_fn(log))
            .with_state(self)
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

/// Checks the gateway's own issuer. Returns it without a slash at the end, and whether it has `https`.
pub(crate) fn checked(issuer: &str) -> Result<(String, bool), String> {
    let issuer = issuer.trim_end_matches('/').to_owned();
    let url = Url::parse(&issuer).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    match url.filter(|url| url.origin().ascii_serialization() == issuer) {
        Some(url) => Ok((issuer, url.scheme() == "https")),
        None => Err(format!("the issuer {issuer:?} is not http or https, a host and perhaps a port")),
    }
}

/// Ready is a gateway whose store records a code: this one lives for a millisecond.
async fn readyz(State(gateway): State<Gateway>) -> Response {
    let recorded = match (CodeVerifier::generate(), AuthorizationCode::generate()) {
        (Ok(verifier), Ok(probe)) => {
            gateway.pkce.bind(&probe, verifier.challenge()).lifetime(Duration::from_millis(1)).await.is_ok()
        }
        _ => false,
    };
    let (status, body) = if recorded {
        (StatusCode::OK, r#"{"store":"ok"}"#)
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, r#"{"store":"unavailable"}"#)
    };
    json(status, body)
}

async fn wrong_method() -> Response {
    let mut response = page(StatusCode::METHOD_NOT_ALLOWED, "This method is not allowed here.");
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
    response
}

/// Logs the path without its query: a query holds a challenge, a state or a code.
async fn log(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    tracing::info!(%method, path, status = response.status().as_u16());
    response
}
