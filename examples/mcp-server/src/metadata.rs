//! What clients read first: the protected resource (RFC 9728) and the authorization server (RFC 8414).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::{SCOPE, Server};

pub(crate) async fn resource(State(server): State<Arc<Server>>) -> Json<Value> {
    Json(json!({
        "resource": server.resource,
        "authorization_servers": [server.issuer.to_string()],
        "bearer_methods_supported": ["header"],
        "scopes_supported": [SCOPE],
    }))
}

/// The layer adds what `pkce` decides: the issuer, `iss` in the responses, and the code challenge methods.
pub(crate) async fn server(State(server): State<Arc<Server>>) -> Json<Value> {
    Json(json!({
        "authorization_endpoint": server.issuer.url("/oauth/authorize"),
        "token_endpoint": server.issuer.url("/oauth/token"),
        "registration_endpoint": server.issuer.url("/oauth/register"),
        "client_id_metadata_document_supported": true,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none"],
        "scopes_supported": [SCOPE],
    }))
}
