//! A small authorization server: what the gateway is for, with the behaviour of each test.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{RawQuery, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pkce_tower::{AuthorizationCode, CodeChallenge, CodeChallengeMethod};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use crate::Result;
use crate::user_agent::{form, pairs, value};

/// The gateway's registration.
pub(crate) const CLIENT_ID: &str = "the-gateway";
pub(crate) const SECRET: &str = "the-gateway's secret";

/// An upstream that runs. It has one user, who always consents, but to the scope `nothing`.
pub(crate) struct Upstream {
    pub(crate) url: String,
    pub(crate) parts: Arc<Parts>,
    serving: AbortHandle,
}

/// What it has heard and issued.
#[derive(Default)]
pub(crate) struct Parts {
    url: String,
    metadata: Value,
    heard: Mutex<Vec<Heard>>,
    /// Each with the query of its authorization request.
    codes: Mutex<HashMap<String, String>>,
    pub(crate) refresh_tokens: Mutex<Vec<String>>,
    pub(crate) access_tokens: Mutex<Vec<String>>,
}

/// A request that reached the upstream.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Upstream {
    pub(crate) async fn new() -> Result<Self> {
        Self::with(json!({}), Router::new()).await
    }

    /// With more members in its metadata, and with these routes before its own.
    pub(crate) async fn with(metadata: Value, routes: Router) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let parts = Parts::new(&url, metadata);
        let app = app(Arc::clone(&parts), routes);
        let serving = tokio::spawn(axum::serve(listener, app).into_future()).abort_handle();
        Ok(Self { url, parts, serving })
    }

    /// Before its own token endpoint, one that responds like this.
    pub(crate) async fn responding<F, R>(token: F) -> Result<Self>
    where
        F: Fn() -> R + Clone + Send + Sync + 'static,
        R: Future<Output = Response> + Send,
    {
        Self::with(json!({}), Router::new().route("/token", post(move || token.clone()()))).await
    }

    /// One that is served otherwise.
    pub(crate) fn served(url: String, parts: Arc<Parts>, serving: AbortHandle) -> Self {
        Self { url, parts, serving }
    }

    /// What reached this path.
    pub(crate) fn heard(&self, path: &str) -> Vec<Heard> {
        let heard = self.parts.heard.lock().unwrap();
        heard.iter().filter(|heard| heard.target.split('?').next() == Some(path)).cloned().collect()
    }
}

impl Parts {
    pub(crate) fn new(url: &str, metadata: Value) -> Arc<Self> {
        Arc::new(Self { url: url.to_owned(), metadata, ..Self::default() })
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

pub(crate) fn app(parts: Arc<Parts>, routes: Router) -> Router {
    let own = Router::new()
        .route("/authorize", get(authorize))
        .route("/token", post(token))
        .route("/revoke", post(revoke))
        .route("/.well-known/openid-configuration", get(metadata));
    routes
        .fallback_service(own.with_state(Arc::clone(&parts)))
        .layer(middleware::from_fn(move |request, next| listen(Arc::clone(&parts), request, next)))
}

async fn listen(parts: Arc<Parts>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    let body = String::from_utf8_lossy(&bytes).into_owned();
    parts.heard.lock().unwrap().push(Heard { target: head.uri.to_string(), headers: head.headers.clone(), body });
    next.run(Request::from_parts(head, Body::from(bytes))).await
}

async fn authorize(State(parts): State<Arc<Parts>>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let (redirect_uri, code) = (value(&query, "redirect_uri").unwrap(), name());
    assert_eq!(value(&query, "client_id").as_deref(), Some(CLIENT_ID));
    let response = if value(&query, "scope").as_deref() == Some("nothing") {
        form(&[("error", "access_denied"), ("error_description", "alice said no")])
    } else {
        format!("code={code}")
    };
    let state = value(&query, "state").unwrap();
    parts.codes.lock().unwrap().insert(code, query);
    let rest = form(&[("state", &state), ("iss", &parts.url)]);
    Redirect::to(&format!("{redirect_uri}?{response}&{rest}")).into_response()
}

async fn token(State(parts): State<Arc<Parts>>, headers: HeaderMap, body: String) -> Response {
    if !is_authentic(&headers, &body) {
        return error(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let text = |name| value(&body, name).unwrap_or_default();
    let granted = match text("grant_type").as_str() {
        "authorization_code" => {
            let request = parts.codes.lock().unwrap().remove(&text("code"));
            request.filter(|request| {
                value(request, "redirect_uri") == value(&body, "redirect_uri") && verified(request, &body)
            })
        }
        "refresh_token" => take(&parts.refresh_tokens, &text("refresh_token")),
        _ => None,
    };
    let Some(_) = granted else { return error(StatusCode::BAD_REQUEST, "invalid_grant") };
    let tokens = json!({
        "access_token": issue(&parts.access_tokens),
        "token_type": "Bearer",
        "expires_in": 600,
        "refresh_token": issue(&parts.refresh_tokens),
    });
    json_of(StatusCode::OK, &tokens)
}

async fn revoke(State(parts): State<Arc<Parts>>, headers: HeaderMap, body: String) -> Response {
    if !is_authentic(&headers, &body) {
        return error(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let token = value(&body, "token").unwrap();
    if token == "unsupported" {
        return error(StatusCode::BAD_REQUEST, "unsupported_token_type");
    }
    take(&parts.refresh_tokens, &token).or_else(|| take(&parts.access_tokens, &token));
    StatusCode::OK.into_response()
}

async fn metadata(State(parts): State<Arc<Parts>>) -> Response {
    let url = &parts.url;
    let mut document = json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
    });
    document.as_object_mut().unwrap().extend(parts.metadata.as_object().cloned().unwrap_or_default());
    json_of(StatusCode::OK, &document)
}

fn verified(request: &str, body: &str) -> bool {
    let Some(challenge) = value(request, "code_challenge") else { return true };
    let challenge = CodeChallenge::parse(&challenge, CodeChallengeMethod::S256).unwrap();
    challenge.verify(&value(body, "code_verifier").unwrap_or_default()).is_ok()
}

/// By HTTP Basic, or by a secret in the body, and not both.
fn is_authentic(headers: &HeaderMap, body: &str) -> bool {
    let basic = format!("Basic {}", STANDARD.encode("the-gateway:the-gateway%27s+secret"));
    let in_body: Vec<_> = pairs(body).into_iter().filter(|(name, _)| name.starts_with("client_")).collect();
    match headers.get(AUTHORIZATION) {
        Some(header) => header.as_bytes() == basic.as_bytes() && in_body.is_empty(),
        None => form(&[("client_id", CLIENT_ID), ("client_secret", SECRET)]) == form_of(&in_body),
    }
}

fn form_of(pairs: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn issue(tokens: &Mutex<Vec<String>>) -> String {
    tokens.lock().unwrap().push(name());
    tokens.lock().unwrap().last().cloned().unwrap()
}

fn take(tokens: &Mutex<Vec<String>>, token: &str) -> Option<String> {
    let mut tokens = tokens.lock().unwrap();
    tokens.iter().position(|issued| issued == token).map(|at| tokens.remove(at))
}

fn name() -> String {
    AuthorizationCode::generate().unwrap().as_str().to_owned()
}

fn error(status: StatusCode, error: &str) -> Response {
    json_of(status, &json!({ "error": error }))
}

pub(crate) fn json_of(status: StatusCode, body: &Value) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], Bytes::from(body.to_string())).into_response()
}
