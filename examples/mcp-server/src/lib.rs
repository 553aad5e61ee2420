//! An MCP server on `rmcp` that is its own authorization server, to copy: MCP authorization 2026-07-28. `README.md` beside it
//! says how it is deployed, and what is yours to replace.

mod authorize;
mod bearer;
mod client;
mod consent;
mod documents;
mod grants;
mod issuer;
mod metadata;
mod page;
mod public_addresses;
mod registration;
mod token;
mod tools;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{CACHE_CONTROL, HOST, WWW_AUTHENTICATE};
use axum::http::uri::Authority;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use pkce_tower::{MemoryStore, MetadataLayer, Pkce, TokenEndpointLayer};
use rand::distr::{Alphanumeric, SampleString as _};
use tower_http::cors::{AllowHeaders, Any, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

use crate::client::Clients;
use crate::consent::PendingRequests;
use crate::grants::Grants;

pub use crate::documents::http_client;
pub use crate::issuer::Issuer;
pub use crate::public_addresses::PublicAddresses;

/// The scope of the tools.
const SCOPE: &str = "tools";

/// What the handlers share.
struct Server {
    issuer: Issuer,
    /// The URL of the MCP endpoint, which the tokens are for (RFC 8707).
    resource: String,
    /// What the user types to approve a client. Yours: the sign-in.
    password: Option<String>,
    pkce: Pkce,
    clients: Clients,
    pending: PendingRequests,
    grants: Grants,
}

impl AsRef<Pkce> for Server {
    fn as_ref(&self) -> &Pkce {
        &self.pkce
    }
}

/// Returns the server. `http` fetches the metadata documents of clients: [`http_client`] with [`PublicAddresses`].
pub fn app(issuer: Issuer, password: Option<String>, http: reqwest::Client) -> Router {
    let grants = Grants::default();
    let replayed = grants.clone();
    let pkce = Pkce::builder(MemoryStore::new()) // yours: a store that all of your servers share
        .issuer(issuer.to_string())
        .on_replay(move |replay| {
            replay.grant::<String>().ok().inspect(|id| replayed.revoke(id));
            std::future::ready(())
        })
        .build();
    let hosts = issuer.hosts();
    let server = Arc::new(Server {
        resource: issuer.url("/mcp"),
        issuer,
        password,
        pkce: pkce.clone(),
        clients: Clients::new(http),
        pending: consent::pending_requests(),
        grants,
    });

    let mcp = Router::new()
        .route_service("/mcp", tools::service(&hosts))
        .route_layer(middleware::from_fn_with_state(Arc::clone(&server), bearer::guard)); // unknown paths remain 404
    let timeout = TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_secs(10));
    let oauth = Router::new()
        .route("/.well-known/oauth-protected-resource", get(metadata::resource))
        .route("/.well-known/oauth-protected-resource/mcp", get(metadata::resource))
        .route("/.well-known/oauth-authorization-server", get(metadata::server).layer(MetadataLayer::new(pkce.clone())))
        .route("/oauth/register", post(registration::register))
        .route("/oauth/token", post(token::token).layer(TokenEndpointLayer::new(pkce)))
        .layer(timeout);
    let pages = Router::new()
        .route("/oauth/authorize", get(authorize::authorize))
        .route("/oauth/approve", post(consent::decide))
        .layer(timeout);
    mcp.merge(oauth)
        .layer(cors()) // outside of the guard and of the token layer: their rejections are for browsers too
        .merge(pages)
        .layer(DefaultBodyLimit::max(16 * 1024))
        .layer(SetResponseHeaderLayer::if_not_present(CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .layer(middleware::from_fn_with_state(hosts, only_by_our_names))
        .with_state(server)
}

/// Any origin: no request is allowed by what a browser adds to it, such as a cookie.
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request()) // MCP has headers with names of the tools' own
        .expose_headers([WWW_AUTHENTICATE, HeaderName::from_static("mcp-session-id")])
        .max_age(Duration::from_secs(3600))
}

async fn only_by_our_names(State(hosts): State<[String; 4]>, request: Request, next: Next) -> Response {
    let is_ours = |host: &Authority| hosts.iter().any(|name| name.eq_ignore_ascii_case(host.host()));
    let mut lines = request.headers().get_all(HOST).iter();
    match (lines.next().map(|line| Authority::try_from(line.as_bytes())), lines.next()) {
        (Some(Ok(host)), None) if is_ours(&host) => next.run(request).await,
        _ => StatusCode::MISDIRECTED_REQUEST.into_response(),
    }
}

fn random() -> String {
    Alphanumeric.sample_string(&mut rand::rng(), 32) // 190 bits
}
