//! `GET /authorize`: the client's request, judged, and sent on to the upstream as one of the gateway's own.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use pkce_tower::{AuthorizationRedirect, AuthorizationResponse, Challenge, CodeVerifier, ErrorCode, Rejection};

use crate::cookies;
use crate::gateway::Gateway;
use crate::parameters::Parameters;
use crate::redirect::Redirect;
use crate::respond::{page, see_other};
use crate::transaction::{Transaction, now};

/// What does not go to the upstream as it came. Everything else does: `scope`, `nonce`, `prompt`, `resource` …
const OURS: [&str; 9] = [
    "client_id",
    "redirect_uri",
    "state",
    "response_type",
    "response_mode",
    "code_challenge",
    "code_challenge_method",
    "request",
    "request_uri",
];

/// The longest query, `state` and redirect URI, in bytes.
const LONGEST_QUERY: usize = 16 * 1024;
const LONGEST_STATE: usize = 2048;
const LONGEST_URI: usize = 1024;

/// Checks client and redirect URI first: if one is unknown there is a page and no redirect (RFC 9700 §4.11.2). Every later
/// error goes to the client.
pub(crate) async fn authorize(
    State(gateway): State<Gateway>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    challenge: Result<Challenge, Rejection>,
) -> Result<Response, AuthorizationRedirect> {
    let query = query.unwrap_or_default();
    if query.len() > LONGEST_QUERY {
        return Ok(page(StatusCode::URI_TOO_LONG, "The request is too long."));
    }
    let Some(parameters) = Parameters::parse(query.as_bytes()) else {
        return Ok(page(StatusCode::BAD_REQUEST, "The request is not UTF-8."));
    };
    let clients = gateway.clients();
    let Some(client) = clients.iter().find(|client| parameters.one("client_id") == Some(&client.id)) else {
        return Ok(page(StatusCode::BAD_REQUEST, "The client is unknown."));
    };
    let redirect_uri = parameters.one("redirect_uri").filter(|uri| uri.len() <= LONGEST_URI);
    let Some(redirect_uri) = redirect_uri.filter(|uri| client.has_redirect_uri(uri)) else {
        return Ok(page(StatusCode::BAD_REQUEST, "The redirect URI is not registered for this client."));
    };
    let state = parameters.one("state").map(str::to_owned);
    let reply = AuthorizationResponse::new(&gateway.pkce, redirect_uri).state(state.clone());
    let reject = |error, description| Ok(reply.error((error, description)).into_response());
    let endpoint = &gateway.upstream.authorization;
    let fixed = endpoint.fixed(&OURS);
    if parameters.is_ambiguous(&fixed) {
        return reject(ErrorCode::InvalidRequest, "a parameter is included more than once");
    }
    if parameters.one("response_type") != Some("code") {
        return reject(ErrorCode::UnsupportedResponseType, "the response type is code");
    }
    if parameters.one("response_mode").is_some_and(|mode| mode != "query") {
        return reject(ErrorCode::InvalidRequest, "the response mode is query");
    }
    if state.as_ref().is_some_and(|state| state.len() > LONGEST_STATE) {
        return reject(ErrorCode::InvalidRequest, "the state is too long");
    }
    let Challenge(challenge) = challenge.map_err(|rejected| reply.error(&rejected))?;
    let id = cookies::id(now().as_millis()).map_err(|error| reply.error(&error))?;
    let verifier = CodeVerifier::generate().map_err(|error| reply.error(&error))?;
    let verifier = gateway.upstream.has_pkce.then_some(verifier);
    let transaction = Transaction {
        id,
        client_id: client.id.clone(),
        redirect_uri: redirect_uri.to_owned(),
        state,
        challenge,
        verifier: verifier.as_ref().map(|verifier| verifier.as_str().to_owned()),
        expires_at: now().as_secs().saturating_add(gateway.transaction_seconds),
    };
    let cookies = gateway.keep(&transaction, &headers).await.map_err(|rejected| reply.error(&rejected))?;
    let mut redirect = Redirect::to(endpoint.url.as_str())
        .with("response_type", "code")
        .with("client_id", gateway.upstream.client_id())
        .with("redirect_uri", &gateway.callback)
        .with("state", &transaction.id);
    for (name, value) in verifier.iter().flat_map(|verifier| verifier.challenge().authorization_parameters()) {
        redirect = redirect.with(name, &value);
    }
    for (name, value) in endpoint.passed_on(&parameters, &fixed) {
        redirect = redirect.with(name, value);
    }
    Ok(see_other(redirect, &cookies))
}
