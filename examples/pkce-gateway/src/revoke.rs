//! `POST /revoke` (RFC 7009), where the upstream has it.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};

use crate::client::Client;
use crate::gateway::Gateway;
use crate::grant::RefreshToken;
use crate::parameters::Parameters;
use crate::reply::Fault;
use crate::token::{invalid_client, invalid_grant, malformed, pass_on, unavailable};

const OURS: [&str; 6] =
    ["token", "token_type_hint", "client_id", "client_secret", "client_assertion", "client_assertion_type"];

/// Revokes the upstream's refresh token that the client's own one is sealed around: with it every other one that was
/// sealed around it ends. An access token is the upstream's own and goes there as it is.
pub(crate) async fn revoke(State(gateway): State<Gateway>, headers: HeaderMap, body: Bytes) -> Response {
    let upstream = &gateway.upstream;
    let Some(endpoint) = &upstream.revocation else { return StatusCode::NOT_FOUND.into_response() };
    let is_form = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
        let essence = value.split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
    });
    let form = Parameters::parse(&body).filter(|form| is_form && !form.is_ambiguous(&endpoint.fixed(&OURS)));
    let Some(form) = form else { return malformed() };
    let clients = gateway.clients();
    let Some(client) = Client::authenticate(&clients, &headers, &form) else { return invalid_client() };
    let Some(token) = form.one("token") else { return malformed() };
    let sealed = gateway.seal.unseal::<RefreshToken>(token);
    let own = match &sealed {
        Some(sealed) if sealed.client_id != client.id => return invalid_grant(),
        Some(sealed) => [("token", sealed.upstream_token.as_str()), ("token_type_hint", "refresh_token")],
        None => [("token", token), ("token_type_hint", "access_token")],
    };
    match upstream.post(endpoint, &own, &form, &OURS).await {
        Ok(reply) if reply.is_success() => StatusCode::OK.into_response(),
        Ok(reply) => match reply.oauth_error() {
            Ok(error) => pass_on(error),
            Err(_) if reply.status == StatusCode::SERVICE_UNAVAILABLE => unavailable(Fault::Unreachable),
            Err(fault) => unavailable(fault),
        },
        Err(fault) => unavailable(fault),
    }
}
