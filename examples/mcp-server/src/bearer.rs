//! The guard of the tools (RFC 6750).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::WWW_AUTHENTICATE;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use axum_extra::headers::HeaderMapExt as _;
use axum_extra::headers::authorization::{Authorization, Bearer};

use crate::{SCOPE, Server};

pub(crate) async fn guard(State(server): State<Arc<Server>>, request: Request, next: Next) -> Response {
    let bearer = request.headers().typed_get::<Authorization<Bearer>>();
    if bearer.as_ref().is_some_and(|bearer| server.grants.opens(bearer.token(), &server.resource)) {
        return next.run(request).await;
    }
    // Without a token no error: the client has not done anything wrong yet (RFC 6750 §3.1).
    let error = if bearer.is_some() { "error=\"invalid_token\", " } else { "" };
    let metadata = server.issuer.url("/.well-known/oauth-protected-resource/mcp");
    let challenge = format!("Bearer {error}scope=\"{SCOPE}\", resource_metadata=\"{metadata}\"");
    (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, challenge)]).into_response()
}
