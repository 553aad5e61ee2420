//! `GET /authorize`: the client's request, judged, and sent on to the upstream as one of the gateway's own.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use pkce_tower::{Challenge, ChallengeRejection, CodeVerifier};

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
    challenge: Result<Challenge, ChallengeRejection>,
) -> Response {
    let query = query.unwrap_or_default();
    if query.len() > LONGEST_QUERY {
        return page(StatusCode::URI_TOO_LONG, "The request is too long.");
    }
    let Some(parameters) = Parameters::parse(query.as_bytes()) else {
        return page(StatusCode::BAD_REQUEST, "The request is not UTF-8.");
    };
    let clients = gateway.clients();
    let Some(client) = clients.iter().find(|client| parameters.one("client_id") == Some(&client.id)) else {
        return page(StatusCode::BAD_REQUEST, "The client is unknown.");
    };
    let redirect_uri = parameters.one("redirect_uri").filter(|uri| uri.len() <= LONGEST_URI);
    let Some(redirect_uri) = redirect_uri.filter(|uri| client.has_redirect_uri(uri)) else {
        return page(StatusCode::BAD_REQUEST, "The redirect URI is not registered for this client.");
    };
    let state = parameters.one("state");
    let reject = |error: &str, description: &str| {
        let redirect = Redirect::to(redirect_uri).with("error", error).with("error_description", description);
        see_other(redirect.with_optional("state", state).with("iss", &gateway.issuer), &[])
    };
    let endpoint = &gateway.upstream.authorization;
    let fixed = endpoint.fixed(&OURS);
    if parameters.is_ambiguous(&fixed) {
        return reject("invalid_request", "a parameter is included more than once");
    }
    if parameters.one("response_type") != Some("code") {
        return reject("unsupported_response_type", "the response type is code");
    }
    if parameters.one("response_mode").is_some_and(|mode| mode != "query") {
        return reject("invalid_request", "the response mode is query");
    }
    if state.is_some_and(|state| state.len() > LONGEST_STATE) {
        return reject("invalid_request", "the state is too long");
    }
    let challenge = match challenge {
        Ok(Challenge(challenge)) => challenge,
        Err(rejected) => return reject(rejected.rejection().error().as_str(), rejected.rejection().description()),
    };

    let no_randomness = || reject("server_error", "the operating system has no randomness");
    let (Ok(id), Ok(verifier)) = (cookies::id(now().as_millis()), CodeVerifier::generate()) else {
        return no_randomness();
    };
    let verifier = gateway.upstream.has_pkce.then_some(verifier);
    let transaction = Transaction {
        id,
        client_id: client.id.clone(),
        redirect_uri: redirect_uri.to_owned(),
        state: state.map(str::to_owned),
        challenge,
        verifier: verifier.as_ref().map(|verifier| verifier.as_str().to_owned()),
        expires_at: now().as_secs().saturating_add(gateway.transaction_seconds),
    };
    let cookies = match gateway.keep(&transaction, &headers).await {
        Ok(cookies) => cookies,
        Err(Some(error)) => return reject(error.reason().error().as_str(), "the request cannot be kept now"),
        Err(None) => return no_randomness(),
    };
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
    see_other(redirect, &cookies)
}
