//! The token endpoint. The layer before it has judged the code, its verifier, client and redirect URI.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum_extra::extract::{Form, FormRejection};
use pkce_tower::Clearance;
use serde::Deserialize;
use serde_json::json;

use crate::authorize::{has_our_scope, is_for};
use crate::grants::LIFETIME;
use crate::{SCOPE, Server};

#[derive(Deserialize)]
pub(crate) struct TokenRequest {
    grant_type: Option<String>,
    client_id: Option<String>,
    refresh_token: Option<String>,
    scope: Option<String>,
    #[serde(default)]
    resource: Vec<String>,
}

/// Runs once the code verifier has matched, and for other grant types. After an error a code can be redeemed again.
pub(crate) async fn token(
    State(server): State<Arc<Server>>,
    clearance: Clearance,
    request: Result<Form<TokenRequest>, FormRejection>,
) -> Response {
    let Ok(Form(request)) = request else { return error("invalid_request") };
    let refresh = request.refresh_token.as_deref().filter(|token| !token.is_empty());
    let (id, refresh) = match (request.grant_type.as_deref(), refresh) {
        (Some("authorization_code"), _) => (clearance.grant::<String>().unwrap_or_default(), None),
        (Some("refresh_token"), Some(token)) => (token.split('.').next().unwrap_or_default().to_owned(), Some(token)),
        (Some("refresh_token") | None, _) => return error("invalid_request"),
        (Some(_), _) => return error("unsupported_grant_type"),
    };
    // Before anything changes: who asks, and for what. The id of a public client is no secret, but another is a mistake.
    let Some(client_id) = request.client_id else { return error("invalid_client") };
    let Some(grant) = server.grants.get(&id).filter(|grant| grant.client_id == client_id) else {
        return error("invalid_grant");
    };
    if !is_for(&request.resource, &server.resource) {
        return error("invalid_target");
    }
    if !has_our_scope(request.scope.as_deref()) {
        return error("invalid_scope");
    }
    let Some(tokens) = server.grants.issue(&id, &grant, refresh) else { return error("invalid_grant") };
    let body = json!({
        "access_token": tokens.access,
        "token_type": "Bearer",
        "expires_in": LIFETIME.as_secs(),
        "refresh_token": tokens.refresh,
        "scope": SCOPE,
    });
    Json(body).into_response()
}

fn error(error: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response()
}
