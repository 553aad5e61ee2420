//! A small authorization server on axum, with PKCE by `pkce-tower`.
//!
//! What concerns PKCE is all here: the challenge at `/authorize`, the binding when the code is issued, the layer on
//! `/token`, the methods in the metadata. The rest of the server is in `example-host`.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, FromRef, RawQuery, Request, State};
use axum::http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use example_host::{Answer, CORS, Consent, Host, Options};
use pkce_tower::pkce_core::store::ChallengeStore;
use pkce_tower::{AuthorizationCode, ChallengeRejection, Clearance, OptionalChallenge, Pkce, TokenEndpointLayer};

/// What the handlers share.
#[derive(Clone)]
struct Server {
    host: Arc<Host>,
    pkce: Pkce,
}

/// The extractors find the policy by this.
impl FromRef<Server> for Pkce {
    fn from_ref(server: &Server) -> Self {
        server.pkce.clone()
    }
}

/// The server with the options of a command line, on the store that they name, under the name `issuer`.
pub fn app(options: &Options, store: impl ChallengeStore, issuer: &str) -> Router {
    let host = Arc::new(Host::new(issuer));
    let revoking = Arc::clone(&host);
    let pkce = options.pkce(store, move |replay| revoking.revoke(replay));
    app_with(host, pkce)
}

/// The server with PKCE of one's own.
pub fn app_with(host: Arc<Host>, pkce: Pkce) -> Router {
    let token = post(token).options(options).layer(TokenEndpointLayer::new(pkce.clone()));
    let for_browsers = Router::new()
        .route("/token", token)
        .route("/me", get(me).options(options).fallback(get_only))
        .route("/.well-known/oauth-authorization-server", get(metadata).options(options).fallback(get_only))
        .layer(middleware::map_response(with_cors));
    Router::new()
        .route("/authorize", get(authorize).fallback(get_only))
        .route("/sign-in", post(sign_in).fallback(post_only))
        .merge(for_browsers)
        .fallback(not_found)
        .layer(DefaultBodyLimit::max(16 * 1024))
        .layer(middleware::from_fn(log))
        .with_state(Server { host, pkce })
}

/// Client and redirect URI come first, so the challenge is taken as a `Result` and looked at last.
async fn authorize(
    State(server): State<Server>,
    RawQuery(query): RawQuery,
    challenge: Result<OptionalChallenge, ChallengeRejection>,
) -> Response {
    respond(match (server.host.authorize(&query.unwrap_or_default()), challenge) {
        (Err(answer), _) => answer,
        (Ok(request), Err(refused)) => request.refuse(refused.rejection()),
        (Ok(request), Ok(OptionalChallenge(challenge))) => request.sign_in(challenge),
    })
}

/// The code is bound before it leaves.
async fn sign_in(State(server): State<Server>, body: Result<Bytes, BytesRejection>) -> Response {
    let approved = match body.map(|body| server.host.decide(&body)) {
        Err(refused) => return respond(server.host.unreadable(refused.status().as_u16())),
        Ok(Consent::Answered(answer)) => return respond(answer),
        Ok(Consent::Approved(approved)) => approved,
    };
    let Ok(code) = AuthorizationCode::generate() else { return respond(approved.redirect_without_code()) };
    let bind = match approved.request().challenge.clone() {
        Some(challenge) => server.pkce.bind(&code, challenge),
        // Only with --allow-missing-challenge: that there is none is bound too.
        None => server.pkce.bind_without_challenge(&code),
    };
    respond(match bind.grant(approved.grant()).await {
        Ok(()) => approved.redirect(code.as_str()),
        Err(error) => approved.redirect_unbound(&error),
    })
}

/// Runs only once the code verifier has matched, or for another grant type.
async fn token(State(server): State<Server>, clearance: Clearance, headers: HeaderMap, body: Bytes) -> Response {
    respond(server.host.token(&clearance, authorization(&headers), &body))
}

async fn me(State(server): State<Server>, headers: HeaderMap) -> Response {
    respond(server.host.me(authorization(&headers)))
}

async fn metadata(State(server): State<Server>) -> Response {
    respond(server.host.metadata(server.pkce.code_challenge_methods_supported()))
}

async fn options(State(server): State<Server>) -> Response {
    respond(server.host.options())
}

async fn get_only(State(server): State<Server>) -> Response {
    respond(server.host.method_not_allowed("GET"))
}

async fn post_only(State(server): State<Server>) -> Response {
    respond(server.host.method_not_allowed("POST"))
}

async fn not_found(State(server): State<Server>) -> Response {
    respond(server.host.not_found())
}

/// Errors carry the headers too: a browser-based app has to see them.
async fn with_cors(mut response: Response) -> Response {
    for (name, value) in CORS {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

/// Names the path without its query: a query holds the challenge.
async fn log(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    tracing::info!(%method, path, status = response.status().as_u16());
    response
}

fn authorization(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION)?.to_str().ok()
}

fn respond(answer: Answer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
