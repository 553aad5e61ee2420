//! Dynamic client registration (RFC 7591). Every client is public.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use crate::client::{Client, ClientMetadata};
use crate::{SCOPE, Server};

pub(crate) async fn register(
    State(server): State<Arc<Server>>,
    metadata: Result<Json<ClientMetadata>, JsonRejection>,
) -> Response {
    let registered = match metadata {
        Ok(Json(metadata)) => server.clients.register(metadata),
        Err(_) => Err(("invalid_client_metadata", "it is not client metadata in JSON of at most 16 KiB")),
    };
    match registered {
        Ok(client) => created(&client),
        Err((error, description)) => {
            let body = json!({ "error": error, "error_description": description });
            (StatusCode::BAD_REQUEST, Json(body)).into_response()
        }
    }
}

/// The metadata as it was registered, which may be other than what was asked for (RFC 7591 §3.2.1).
fn created(client: &Client) -> Response {
    let mut body = json!({
        "client_id": client.id,
        "client_id_issued_at": SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs()),
        "redirect_uris": client.redirect_uris,
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "scope": SCOPE,
    });
    if let (Some(members), Some(name)) = (body.as_object_mut(), &client.name) {
        members.insert("client_name".to_owned(), json!(name));
    }
    (StatusCode::CREATED, Json(body)).into_response()
}
