//! `GET /.well-known/oauth-authorization-server` (RFC 8414).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::gateway::Gateway;
use crate::respond::json;

/// The gateway's own: the upstream's would send the clients past it.
pub(crate) async fn metadata(State(gateway): State<Gateway>) -> Response {
    let issuer = &gateway.issuer;
    let body = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": gateway.pkce.code_challenge_methods_supported(),
        "authorization_response_iss_parameter_supported": true,
    });
    json(StatusCode::OK, body.to_string())
}
