//! `GET /authorize`: the client's request, judged, and sent on to the upstream as one of the gateway's own.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use pkce_tower::{AuthorizationResponse, Challenge, ChallengeRejection};

use crate::browser::Begun;
use crate::clock;
use crate::gateway::Gateway;
use crate::page::page;
use crate::parameters::Parameters;
use crate::redirect::Redirect;
use crate::respond::{see_other, with_cookies};
use crate::seal::NotSealed;
use crate::transaction::Transaction;

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

/// The longest query, and the longest `state` and redirect URI, in octets: they go to the upstream in its `state`, and
/// come back.
const LONGEST_QUERY: usize = 16 * 1024;
const LONGEST_STATE: usize = 2048;
const LONGEST_URI: usize = 1024;

/// Client and redirect URI come first: if one is unknown there is a page and no redirect (RFC 9700 §4.11.2). Then what
/// is wrong is said to the client.
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
        return page(StatusCode::BAD_REQUEST, "The request cannot be read.");
    };
    let Some(client) = parameters.one("client_id").and_then(|id| gateway.client(id)) else {
        return page(StatusCode::BAD_REQUEST, "The client is unknown.");
    };
    let redirect_uri = parameters.one("redirect_uri").filter(|uri| uri.len() <= LONGEST_URI);
    let Some(redirect_uri) = redirect_uri.filter(|uri| client.has_redirect_uri(uri)) else {
        return page(StatusCode::BAD_REQUEST, "The redirect URI is not registered for this client.");
    };
    let state = parameters.one("state");
    let refuse = |error, description| {
        let redirect = Redirect::to(redirect_uri).with("error", error).with("error_description", description);
        see_other(redirect.with_optional("state", state).with("iss", &gateway.issuer))
    };
    let ours = gateway.upstream.fixed(&OURS);
    if parameters.is_ambiguous(&ours) {
        return refuse("invalid_request", "a parameter is included more than once");
    }
    if parameters.one("response_type") != Some("code") {
        return refuse("unsupported_response_type", "the response type is code");
    }
    if parameters.one("response_mode").is_some_and(|mode| mode != "query") {
        return refuse("invalid_request", "the response mode is query");
    }
    if state.is_some_and(|state| state.len() > LONGEST_STATE) {
        return refuse("invalid_request", "the state is too long");
    }
    let challenge = match challenge {
        Ok(Challenge(challenge)) => challenge,
        Err(refused) => {
            let redirect = ErrorRedirect::new(redirect_uri, refused.rejection()).state(state).issuer(&gateway.issuer);
            return see_other(Redirect::to(&redirect.location()));
        }
    };

    let Ok(begun) = Begun::at(clock::now()) else { return refuse("server_error", "there is no randomness") };
    let transaction = Transaction {
        client_id: client.client_id.clone(),
        redirect_uri: redirect_uri.to_owned(),
        state: state.map(str::to_owned),
        challenge,
        id: begun.id.clone(),
        browser: begun.digest.clone(),
        expires_at: clock::now().saturating_add(gateway.transaction_seconds),
    };
    let sealed = match gateway.seal.seal(&transaction) {
        Ok(sealed) => sealed,
        Err(NotSealed::TooLong) => return refuse("invalid_request", "the state is too long"),
        Err(NotSealed::Failed) => return refuse("server_error", "there is no randomness"),
    };
    let mut cookies = vec![gateway.cookies.set(&begun, gateway.transaction_seconds)];
    cookies.extend(gateway.cookies.oldest(&headers).iter().map(|id| gateway.cookies.remove(id)));
    let mut redirect = Redirect::to(gateway.upstream.authorization_endpoint().as_str())
        .with("response_type", "code")
        .with("client_id", gateway.upstream.client_id())
        .with("redirect_uri", &gateway.callback)
        .with("state", &sealed);
    for (name, value) in parameters.others(&ours) {
        redirect = redirect.with(name, value);
    }
    with_cookies(see_other(redirect), &cookies)
}
