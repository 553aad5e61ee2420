//! An MCP server on `rmcp` that is its own authorization server, built as the example of the SDK builds one: a page that
//! asks, an approval that issues the code, a token endpoint, registration, metadata, everything in memory. `README.md`
//! beside it says what `pkce-tower` changes.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use axum::extract::{Form, Query, Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use pkce_tower::{CaptureLayer, MemoryStore, MetadataLayer, Pkce, TokenEndpointLayer};
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{ServerCapabilities, ServerConfig};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ServerHandler, schemars, tool, tool_handler, tool_router};
use serde::Deserialize;
use serde_json::{Value, json};
use tower_http::cors::{Any, CorsLayer};
use url::Url;
use uuid::Uuid;

/// Everything that a real server keeps in a database.
#[derive(Debug, Default)]
struct Records {
    /// The redirect URIs of each registered client.
    clients: HashMap<String, Vec<String>>,
    codes: HashMap<String, Granted>,
    access_tokens: HashMap<String, Granted>,
    refresh_tokens: HashMap<String, Granted>,
}

/// What the user has approved.
#[derive(Debug, Clone)]
struct Granted {
    client_id: String,
    redirect_uri: String,
    scope: String,
}

#[derive(Debug, Clone)]
struct Server {
    issuer: Arc<str>,
    records: Arc<RwLock<Records>>,
}

/// The server, under the name `issuer`: the address at which it is reached.
pub fn app(issuer: &str) -> Router {
    let server = Server { issuer: issuer.into(), records: Arc::default() };
    let pkce = Pkce::new(MemoryStore::new());
    let tools = StreamableHttpService::new(
        || Ok(Greeter { word: "hello" }),
        Arc::new(LocalSessionManager::default()),
        StreamableHttpServerConfig::default(),
    );
    let guarded =
        Router::new().nest_service("/mcp", tools).layer(middleware::from_fn_with_state(server.clone(), guard));
    let for_browsers = Router::new()
        .route("/.well-known/oauth-protected-resource", get(protected_resource))
        .route("/.well-known/oauth-protected-resource/mcp", get(protected_resource))
        .route("/.well-known/oauth-authorization-server", get(metadata).layer(MetadataLayer::new(pkce.clone())))
        .route("/oauth/register", post(register))
        .route("/oauth/token", post(token).layer(TokenEndpointLayer::new(pkce.clone())))
        .layer(CorsLayer::new().allow_origin(Any).allow_methods(Any).allow_headers(Any));
    Router::new()
        .route("/oauth/authorize", get(authorize))
        .route("/oauth/approve", post(approve).layer(CaptureLayer::new(pkce)))
        .merge(for_browsers)
        .merge(guarded)
        .with_state(server)
}

#[derive(Debug, Deserialize)]
struct AuthorizationRequest {
    response_type: String,
    client_id: String,
    redirect_uri: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    code_challenge: String,
    #[serde(default)]
    code_challenge_method: String,
}

/// The authorization request: a page that asks the user. A real server signs the user in first.
async fn authorize(State(server): State<Server>, Query(request): Query<AuthorizationRequest>) -> Response {
    if !server.knows(&request.client_id, &request.redirect_uri) || request.response_type != "code" {
        return refuse("invalid_request");
    }
    let fields = [
        ("client_id", &request.client_id),
        ("redirect_uri", &request.redirect_uri),
        ("scope", &request.scope),
        ("state", &request.state),
        ("code_challenge", &request.code_challenge),
        ("code_challenge_method", &request.code_challenge_method),
    ];
    let hidden = fields.map(|(name, value)| format!("<input type=hidden name=\"{name}\" value=\"{}\">", escape(value)));
    Html(format!(
        "<!doctype html><title>Approve</title><p>{} asks for access.</p>\
         <form method=post action=\"/oauth/approve\">{}<button name=\"approved\" value=\"true\">Approve</button>\
         <button name=\"approved\" value=\"false\">Reject</button></form>",
        escape(&request.client_id),
        hidden.concat()
    ))
    .into_response()
}

#[derive(Debug, Deserialize)]
struct Approval {
    client_id: String,
    redirect_uri: String,
    scope: String,
    state: String,
    approved: String,
}

/// The user's answer. The code is issued by the redirect.
async fn approve(State(server): State<Server>, Form(approval): Form<Approval>) -> Response {
    let Ok(mut location) = Url::parse(&approval.redirect_uri) else { return refuse("invalid_request") };
    if !server.knows(&approval.client_id, &approval.redirect_uri) {
        return refuse("invalid_request");
    }
    if approval.approved == "true" {
        let code = Uuid::new_v4().to_string();
        location.query_pairs_mut().append_pair("code", &code);
        let Approval { client_id, redirect_uri, scope, .. } = approval;
        server.write().codes.insert(code, Granted { client_id, redirect_uri, scope });
    } else {
        location.query_pairs_mut().append_pair("error", "access_denied");
    }
    if !approval.state.is_empty() {
        location.query_pairs_mut().append_pair("state", &approval.state);
    }
    Redirect::to(location.as_str()).into_response()
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TokenRequest {
    grant_type: String,
    code: String,
    client_id: String,
    redirect_uri: String,
    refresh_token: String,
}

/// The token request. Like the SDK's example it leaves a redeemed code in its records.
async fn token(State(server): State<Server>, Form(request): Form<TokenRequest>) -> Response {
    let granted = match request.grant_type.as_str() {
        "authorization_code" => server.read().codes.get(&request.code).cloned(),
        "refresh_token" => server.write().refresh_tokens.remove(&request.refresh_token),
        _ => return refuse("unsupported_grant_type"),
    };
    let Some(granted) = granted else { return refuse("invalid_grant") };
    let same_uri = request.grant_type == "refresh_token" || granted.redirect_uri == request.redirect_uri;
    if granted.client_id != request.client_id || !same_uri {
        return refuse("invalid_grant");
    }
    let [access, refresh] = [Uuid::new_v4(), Uuid::new_v4()].map(|token| token.to_string());
    let tokens = json!({
        "access_token": access, "refresh_token": refresh, "token_type": "Bearer", "expires_in": 3600,
        "scope": granted.scope,
    });
    let mut records = server.write();
    records.access_tokens.insert(access, granted.clone());
    records.refresh_tokens.insert(refresh, granted);
    Json(tokens).into_response()
}

#[derive(Debug, Deserialize)]
struct Registration {
    redirect_uris: Vec<String>,
}

/// Dynamic registration (RFC 7591): every client is public.
async fn register(State(server): State<Server>, Json(registration): Json<Registration>) -> Response {
    let client_id = Uuid::new_v4().to_string();
    server.write().clients.insert(client_id.clone(), registration.redirect_uris.clone());
    let registered = json!({
        "client_id": client_id, "redirect_uris": registration.redirect_uris, "token_endpoint_auth_method": "none",
    });
    (StatusCode::CREATED, Json(registered)).into_response()
}

/// Authorization server metadata (RFC 8414).
async fn metadata(State(Server { issuer, .. }): State<Server>) -> Json<Value> {
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/oauth/authorize"),
        "token_endpoint": format!("{issuer}/oauth/token"),
        "registration_endpoint": format!("{issuer}/oauth/register"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none"],
    }))
}

/// Protected resource metadata (RFC 9728).
async fn protected_resource(State(Server { issuer, .. }): State<Server>) -> Json<Value> {
    Json(json!({ "resource": format!("{issuer}/mcp"), "authorization_servers": [issuer] }))
}

/// Lets nobody to the tools without a token.
async fn guard(State(server): State<Server>, headers: HeaderMap, request: Request, next: Next) -> Response {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    if bearer.is_some_and(|token| server.read().access_tokens.contains_key(token)) {
        return next.run(request).await;
    }
    let resource = format!("Bearer resource_metadata=\"{}/.well-known/oauth-protected-resource/mcp\"", server.issuer);
    (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, resource)]).into_response()
}

/// The tools.
#[derive(Debug, Clone)]
struct Greeter {
    word: &'static str,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
struct Whom {
    name: String,
}

#[tool_router]
impl Greeter {
    #[tool(description = "Greets somebody")]
    fn greet(&self, Parameters(Whom { name }): Parameters<Whom>) -> String {
        format!("{}, {name}", self.word)
    }
}

#[tool_handler]
impl ServerHandler for Greeter {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}

impl Server {
    fn read(&self) -> RwLockReadGuard<'_, Records> {
        self.records.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Records> {
        self.records.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn knows(&self, client_id: &str, redirect_uri: &str) -> bool {
        self.read().clients.get(client_id).is_some_and(|uris| uris.iter().any(|uri| uri == redirect_uri))
    }
}

fn refuse(error: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}
