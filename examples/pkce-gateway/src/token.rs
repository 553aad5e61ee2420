//! `POST /token`: runs only after the code verifier has matched, or for a refresh.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use pkce_tower::{Clearance, ClearanceKind, Settle};
use serde_json::json;

use crate::client::Client;
use crate::gateway::Gateway;
use crate::grant::{Grant, RefreshToken, digest};
use crate::parameters::Parameters;
use crate::reply::{Fault, OAuthError, Reply, Said, Tokens};
use crate::respond::{error, json};

/// What does not go to the upstream as it came. Everything else does: `scope`, `resource` …
const OURS: [&str; 9] = [
    "grant_type",
    "code",
    "code_verifier",
    "redirect_uri",
    "refresh_token",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
];

/// Checks the client, then what it presents, and asks the upstream.
///
/// No other grant type passes: by `client_credentials` a client would get tokens of the gateway itself.
pub(crate) async fn token(
    State(gateway): State<Gateway>,
    clearance: Clearance,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(form) = Parameters::parse(&body) else { return malformed() };
    if form.is_ambiguous(&gateway.upstream.token.fixed(&OURS)) {
        return malformed();
    }
    let clients = gateway.clients();
    let Some(client) = Client::authenticate(&clients, &headers, &form) else { return invalid_client() };
    match clearance.kind() {
        ClearanceKind::Verified(_) => redeem(&gateway, client, &clearance, &form).await,
        ClearanceKind::OtherGrant if form.one("grant_type") == Some("refresh_token") => {
            refresh(&gateway, client, &form).await
        }
        _ => error(StatusCode::BAD_REQUEST, "unsupported_grant_type", "the grant type is not supported"),
    }
}

/// Exchanges the upstream's code for tokens. The client's verifier stays here.
async fn redeem(gateway: &Gateway, client: &Client, clearance: &Clearance, form: &Parameters) -> Response {
    let grant = clearance.grant::<String>().ok().and_then(|sealed| gateway.seal.unseal::<Grant>(&sealed));
    // The layer has judged the bytes that were sent; this asks whether it has read the same code in them.
    let code = form.one("code").filter(|code| clearance.code() == Some(code)).map(digest);
    let Some(grant) = grant.filter(|grant| Some(&grant.code) == code.as_ref()) else { return invalid_grant() };
    let mut own = vec![
        ("grant_type", "authorization_code"),
        ("code", grant.upstream_code.as_str()),
        ("redirect_uri", gateway.callback.as_str()),
    ];
    own.extend(grant.upstream_verifier.as_deref().map(|verifier| ("code_verifier", verifier)));
    let said = ask(gateway, &own, form).await;
    // The upstream that was asked may have spent its code, whatever it says: then this one is spent too.
    let is_untouched = matches!(said, Err(Fault::Unreachable | Fault::Closing) | Ok(Said::Busy(_)));
    let mut response = respond(gateway, client, said);
    response.extensions_mut().insert(if is_untouched { Settle::Restore } else { Settle::Keep });
    response
}

async fn refresh(gateway: &Gateway, client: &Client, form: &Parameters) -> Response {
    let token = form.one("refresh_token").and_then(|sealed| gateway.seal.unseal::<RefreshToken>(sealed));
    let Some(token) = token.filter(|token| token.client_id == client.id) else { return invalid_grant() };
    let own = [("grant_type", "refresh_token"), ("refresh_token", token.upstream_token.as_str())];
    respond(gateway, client, ask(gateway, &own, form).await)
}

async fn ask(gateway: &Gateway, own: &[(&str, &str)], form: &Parameters) -> Result<Said, Fault> {
    let upstream = &gateway.upstream;
    upstream.post(&upstream.token, own, form, &OURS).await.and_then(|reply: Reply| reply.said(upstream.token_type()))
}

fn respond(gateway: &Gateway, client: &Client, said: Result<Said, Fault>) -> Response {
    match said {
        Ok(Said::Tokens(tokens)) => match own(gateway, client, tokens) {
            Some(body) => json(StatusCode::OK, body),
            None => error(StatusCode::BAD_GATEWAY, "server_error", "no tokens can be issued now"),
        },
        Ok(Said::Error(said)) => pass_on(said),
        Ok(Said::Busy(retry_after)) => {
            let mut response =
                error(StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable", "the upstream is too busy");
            response.headers_mut().extend(retry_after.map(|value| (RETRY_AFTER, value)));
            response
        }
        Err(fault) => unavailable(fault),
    }
}

/// Returns the upstream's tokens, with a refresh token that only this client can use, and only here.
fn own(gateway: &Gateway, client: &Client, mut tokens: Tokens) -> Option<Vec<u8>> {
    if let Some(upstream_token) = tokens.refresh_token() {
        let token = RefreshToken { client_id: client.id.clone(), upstream_token };
        // Without randomness nothing is sealed, and the client gets at least its access token.
        tokens.replace_refresh_token(gateway.seal.seal(&token).ok().as_deref());
    }
    tokens.to_json()
}

/// Passes on the upstream's error.
pub(crate) fn pass_on(said: OAuthError) -> Response {
    let mut body = serde_json::Map::from_iter([("error".to_owned(), json!(said.error))]);
    for (name, text) in [("error_description", said.description), ("error_uri", said.uri)] {
        body.extend(text.map(|text| (name.to_owned(), json!(text))));
    }
    json(StatusCode::BAD_REQUEST, json!(body).to_string())
}

pub(crate) fn unavailable(fault: Fault) -> Response {
    let (status, code, description) = match fault {
        Fault::Unreachable => (503, "temporarily_unavailable", "the upstream cannot be reached"),
        Fault::Closing => (503, "temporarily_unavailable", "the gateway is shutting down"),
        Fault::TimedOut => (504, "temporarily_unavailable", "the upstream does not respond"),
        Fault::Unusable => (502, "server_error", "the upstream's response is of no use"),
    };
    error(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY), code, description)
}

pub(crate) fn malformed() -> Response {
    error(StatusCode::BAD_REQUEST, "invalid_request", "a parameter is malformed or included more than once")
}

pub(crate) fn invalid_client() -> Response {
    let mut response = error(StatusCode::UNAUTHORIZED, "invalid_client", "client authentication failed");
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"token\""));
    response
}

/// One sentence for every reason.
pub(crate) fn invalid_grant() -> Response {
    error(StatusCode::BAD_REQUEST, "invalid_grant", "the grant is not valid for this request")
}
