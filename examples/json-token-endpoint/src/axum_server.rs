//! The server on axum.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use pkce_tower::{CaptureLayer, MemoryStore, Pkce, Policy, TokenEndpointLayer};

use super::records::{AuthorizationRequest, Records, TokenRequest};

/// The server.
pub fn app() -> Router {
    let pkce = Pkce::builder(MemoryStore::new()).policy(Policy::new().accept_json()).build();
    Router::new()
        .route("/authorize", get(authorize).layer(CaptureLayer::new(pkce.clone())))
        .route("/token", post(token).layer(TokenEndpointLayer::new(pkce)))
        .route("/", get(resource))
        .with_state(Arc::new(Records::default()))
}

/// The authorization request of a user who is signed in.
async fn authorize(State(records): State<Arc<Records>>, Query(request): Query<AuthorizationRequest>) -> Response {
    match records.authorize(&request, "alice") {
        Ok(location) => Redirect::to(&location).into_response(),
        Err(refusal) => (StatusCode::BAD_REQUEST, Json(refusal)).into_response(),
    }
}

/// The token request, as a JSON object.
async fn token(State(records): State<Arc<Records>>, Json(request): Json<TokenRequest>) -> Response {
    match records.token(&request) {
        Ok(tokens) => Json(tokens).into_response(),
        Err(refusal) => (StatusCode::BAD_REQUEST, Json(refusal)).into_response(),
    }
}

/// What the tokens are for.
async fn resource(State(records): State<Arc<Records>>, headers: HeaderMap) -> Result<String, StatusCode> {
    let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    authorization.and_then(|value| records.greet(value)).ok_or(StatusCode::UNAUTHORIZED)
}
