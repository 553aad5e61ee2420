//! A host that compares the address of the authorization request with that of the token request. For the attacks that PKCE
//! does not see; its user is signed in already and allows everything.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use pkce_tower::{
    AuthorizationCode, AuthorizationRedirect, AuthorizationResponse, Challenge, Clearance, MemoryStore, Pkce,
    Rejection, Settle, TokenEndpointLayer,
};
use serde::Deserialize;
use serde_json::json;

use crate::user::{CALLBACK, CLIENT};

/// The routes of this host: beside those of the fixture server they are what the [`LIMITS`](crate::LIMITS) are played on.
///
/// It is served with `into_make_service_with_connect_info`, which tells it the address.
pub fn app() -> Router {
    let pkce = Pkce::new(MemoryStore::new());
    Router::new()
        .route("/same-address/authorize", get(authorize))
        .route("/same-address/token", post(token).layer(TokenEndpointLayer::new(pkce.clone())))
        .with_state(pkce)
}

#[derive(Deserialize)]
struct AuthorizationRequest {
    state: String,
}

/// The address is bound with the code, as its grant.
async fn authorize(
    State(pkce): State<Pkce>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Query(request): Query<AuthorizationRequest>,
    challenge: Result<Challenge, Rejection>,
) -> Result<AuthorizationRedirect, AuthorizationRedirect> {
    let response = AuthorizationResponse::new(&pkce, CALLBACK).state(request.state);
    let Challenge(challenge) = challenge.map_err(|rejection| response.error(&rejection))?;
    let code = AuthorizationCode::generate().map_err(|error| response.error(&error))?;
    let bind = pkce.bind(&code, challenge).client_id(CLIENT).redirect_uri(CALLBACK).grant(&peer.ip());
    bind.await.map_err(|error| response.error(&error))?;
    Ok(response.code(&code))
}

/// `Settle::Keep`: whoever was refused here does not come again from another address.
async fn token(ConnectInfo(peer): ConnectInfo<SocketAddr>, clearance: Clearance) -> Response {
    match clearance.grant::<IpAddr>() {
        Ok(address) if address == peer.ip() => {
            Json(json!({ "access_token": "for alice", "token_type": "Bearer" })).into_response()
        }
        _ => (StatusCode::BAD_REQUEST, Extension(Settle::Keep), Json(json!({ "error": "invalid_grant" })))
            .into_response(),
    }
}
