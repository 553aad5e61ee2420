//! `POST /token`: runs only once the code verifier has matched, or for a refresh.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use pkce_tower::{Clearance, ClearanceKind, Settle};
use serde_json::json;

use crate::answer::{Answer, Fault, Tokens};
use crate::client::Client;
use crate::gateway::Gateway;
use crate::grant::{Grant, RefreshToken, digest};
use crate::parameters::Parameters;
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

/// The client, then what it presents, then the upstream.
///
/// No other grant type passes: by `client_credentials` a client would get tokens of the gateway itself.
pub(crate) async fn token(
    State(gateway): State<Gateway>,
    clearance: Clearance,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let ours = gateway.upstream.fixed(&OURS);
    let Some(form) = Parameters::parse(&body).filter(|form| !form.is_ambiguous(&ours)) else {
        return error(StatusCode::BAD_REQUEST, "invalid_request", "a parameter is malformed or stands more than once");
    };
    let Some(client) = authenticate(&gateway, &headers, &form) else {
        let mut response = error(StatusCode::UNAUTHORIZED, "invalid_client", "client authentication failed");
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"token\""));
        return response;
    };
    match clearance.kind() {
        ClearanceKind::Verified(_) => redeem(&gateway, client, &clearance, &form).await,
        ClearanceKind::OtherGrant if form.one("grant_type") == Some("refresh_token") => {
            refresh(&gateway, client, &form).await
        }
        _ => error(StatusCode::BAD_REQUEST, "unsupported_grant_type", "the grant type is not supported"),
    }
}

/// A header that stands twice, or is no text, is no authentication.
fn authenticate<'a>(gateway: &'a Gateway, headers: &HeaderMap, form: &Parameters) -> Option<&'a Client> {
    let mut lines = headers.get_all(AUTHORIZATION).into_iter().map(|line| line.to_str().unwrap_or_default());
    match (lines.next(), lines.next()) {
        (authorization, None) => Client::authenticate(&gateway.clients, authorization, form).ok(),
        _ => None,
    }
}

/// The gateway's code becomes the upstream's. The verifier stays here.
async fn redeem(gateway: &Gateway, client: &Client, clearance: &Clearance, form: &Parameters) -> Response {
    let grant = clearance.grant::<String>().ok().and_then(|sealed| gateway.seal.unseal::<Grant>(&sealed));
    // The layer has judged the octets that were sent; this asks whether it has read the same code in them.
    let code = form.one("code").filter(|code| clearance.is_for(code)).map(digest);
    // OAuth 2.1 leaves the redirect URI out of the token request; one that is sent must be right (RFC 6749 §4.1.3).
    let is_of = |grant: &Grant| {
        Some(&grant.code) == code.as_ref()
            && grant.client_id == client.client_id
            && form.one("redirect_uri").is_none_or(|sent| sent == grant.redirect_uri)
    };
    let Some(grant) = grant.filter(is_of) else { return invalid_grant() };
    let own = [
        ("grant_type", "authorization_code"),
        ("code", grant.upstream_code.as_str()),
        ("redirect_uri", gateway.callback.as_str()),
    ];
    let answer =
        gateway.upstream.token(own.into_iter().chain(form.others(&gateway.upstream.fixed(&OURS))).collect()).await;
    // The upstream that was asked may have used its code up, whatever it answers: then this one is used up too. It can
    // be tried again only if the upstream has not looked at it.
    let untouched = matches!(answer, Err(Fault::Unreachable) | Ok(Answer::Busy(_)));
    let mut response = pass_on(gateway, client, answer);
    response.extensions_mut().insert(if untouched { Settle::Restore } else { Settle::Keep });
    response
}

async fn refresh(gateway: &Gateway, client: &Client, form: &Parameters) -> Response {
    let token = form.one("refresh_token").and_then(|sealed| gateway.seal.unseal::<RefreshToken>(sealed));
    let Some(token) = token.filter(|token| token.client_id == client.client_id) else { return invalid_grant() };
    let own = [("grant_type", "refresh_token"), ("refresh_token", token.upstream_token.as_str())];
    let answer =
        gateway.upstream.token(own.into_iter().chain(form.others(&gateway.upstream.fixed(&OURS))).collect()).await;
    pass_on(gateway, client, answer)
}

fn pass_on(gateway: &Gateway, client: &Client, answer: Result<Answer, Fault>) -> Response {
    match answer {
        Ok(Answer::Tokens(tokens)) => match own(gateway, client, tokens) {
            Some(body) => json(StatusCode::OK, body),
            None => error(StatusCode::BAD_GATEWAY, "server_error", "no tokens can be issued now"),
        },
        Ok(Answer::Refused(refusal)) => {
            let mut body = json!({ "error": refusal.error });
            for (name, text) in [("error_description", refusal.error_description), ("error_uri", refusal.error_uri)] {
                if let (Some(text), Some(members)) = (text, body.as_object_mut()) {
                    members.insert(name.to_owned(), text.into());
                }
            }
            json(StatusCode::BAD_REQUEST, body.to_string())
        }
        Ok(Answer::Busy(retry_after)) => {
            let mut response =
                error(StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable", "the upstream has too much to do");
            if let Some(value) = retry_after {
                response.headers_mut().insert(RETRY_AFTER, value);
            }
            response
        }
        Err(Fault::Unreachable) => {
            error(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", "the upstream cannot be reached")
        }
        Err(Fault::TimedOut) => {
            error(StatusCode::GATEWAY_TIMEOUT, "temporarily_unavailable", "the upstream does not answer")
        }
        Err(Fault::Unusable) => error(StatusCode::BAD_GATEWAY, "server_error", "the upstream's answer is of no use"),
    }
}

/// The upstream's answer, with a refresh token that only this client can use, and only here.
fn own(gateway: &Gateway, client: &Client, mut tokens: Tokens) -> Option<Vec<u8>> {
    if let Some(upstream_token) = tokens.refresh_token() {
        let token = RefreshToken { client_id: client.client_id.clone(), upstream_token };
        tokens.replace_refresh_token(&gateway.seal.seal(&token).ok()?).ok()?;
    }
    tokens.to_json().ok()
}

/// Nothing tells which of the reasons it was.
fn invalid_grant() -> Response {
    error(StatusCode::BAD_REQUEST, "invalid_grant", "the grant is not valid for this request")
}
