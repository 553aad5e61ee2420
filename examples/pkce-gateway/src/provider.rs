//! A small authorization server without PKCE: what the gateway is for.
//!
//! It has one client, confidential, and one user, who always consents. It knows no `code_challenge` and no
//! `code_verifier`: like every server without PKCE it ignores them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::page::page;
use crate::parameters::Parameters;
use crate::random;
use crate::redirect::Redirect;
use crate::respond::{error, json, see_other};

/// Its only client.
pub const CLIENT_ID: &str = "the-gateway";
/// The secret of its only client.
pub const CLIENT_SECRET: &str = "the-gateway's secret";

#[derive(Clone)]
struct Provider(Arc<Parts>);

struct Parts {
    issuer: String,
    redirect_uri: String,
    issued: Mutex<Issued>,
}

/// What is good for one use, by its own text; and the access tokens. Each with its scope.
#[derive(Default)]
struct Issued {
    codes: HashMap<String, String>,
    refresh_tokens: HashMap<String, String>,
    access_tokens: HashMap<String, String>,
}

/// The server; `redirect_uri` is registered for its client.
pub fn app(issuer: &str, redirect_uri: &str) -> Router {
    let (issuer, redirect_uri) = (issuer.to_owned(), redirect_uri.to_owned());
    Router::new()
        .route("/authorize", get(authorize))
        .route("/token", post(token))
        .route("/userinfo", get(userinfo))
        .route("/.well-known/oauth-authorization-server", get(metadata))
        .with_state(Provider(Arc::new(Parts { issuer, redirect_uri, issued: Mutex::default() })))
}

/// Login and consent would come here. With the scope `nothing` the user refuses.
async fn authorize(State(Provider(provider)): State<Provider>, RawQuery(query): RawQuery) -> Response {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes());
    let is_known = |parameters: &Parameters| {
        parameters.one("client_id") == Some(CLIENT_ID)
            && parameters.one("redirect_uri") == Some(&provider.redirect_uri)
            && parameters.one("response_type") == Some("code")
    };
    let (Some(parameters), Ok(code)) = (parameters.filter(is_known), random::name::<16>()) else {
        return page(StatusCode::BAD_REQUEST, "The upstream does not know this client.");
    };
    let scope = parameters.one("scope").unwrap_or_default();
    let redirect = Redirect::to(&provider.redirect_uri);
    let redirect = if scope == "nothing" {
        redirect.with("error", "access_denied").with("error_description", "alice said no")
    } else {
        provider.issued().codes.insert(code.clone(), scope.to_owned());
        redirect.with("code", &code)
    };
    see_other(redirect.with_optional("state", parameters.one("state")).with("iss", &provider.issuer))
}

async fn token(State(Provider(provider)): State<Provider>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(form) = Parameters::parse(&body) else {
        return error(StatusCode::BAD_REQUEST, "invalid_request", "the form cannot be read");
    };
    if !is_authentic(&headers, &form) {
        return error(StatusCode::UNAUTHORIZED, "invalid_client", "client authentication failed");
    }
    let (Ok(access_token), Ok(refresh_token)) = (random::name::<16>(), random::name::<16>()) else {
        return error(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "no tokens can be issued now");
    };
    let mut issued = provider.issued();
    let scope = match (form.one("grant_type"), form.one("code"), form.one("refresh_token")) {
        (Some("authorization_code"), Some(code), _) if form.one("redirect_uri") == Some(&provider.redirect_uri) => {
            issued.codes.remove(code)
        }
        (Some("refresh_token"), _, Some(refresh_token)) => issued.refresh_tokens.remove(refresh_token),
        _ => None,
    };
    let Some(scope) = scope else {
        return error(StatusCode::BAD_REQUEST, "invalid_grant", "the upstream knows no such grant");
    };
    issued.access_tokens.insert(access_token.clone(), scope.clone());
    issued.refresh_tokens.insert(refresh_token.clone(), scope.clone());
    let tokens = json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": 600,
        "refresh_token": refresh_token,
        "scope": scope,
    });
    json(StatusCode::OK, tokens.to_string())
}

async fn userinfo(State(Provider(provider)): State<Provider>, headers: HeaderMap) -> Response {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    match bearer.and_then(|token| provider.issued().access_tokens.get(token).cloned()) {
        Some(scope) => json(StatusCode::OK, json!({ "sub": "alice", "scope": scope }).to_string()),
        None => error(StatusCode::UNAUTHORIZED, "invalid_token", "the access token is not valid"),
    }
}

async fn metadata(State(Provider(provider)): State<Provider>) -> Response {
    let issuer = &provider.issuer;
    let body = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "response_types_supported": ["code"],
        "authorization_response_iss_parameter_supported": true,
    });
    json(StatusCode::OK, body.to_string())
}

/// By HTTP Basic, or by a secret in the body.
fn is_authentic(headers: &HeaderMap, form: &Parameters) -> bool {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let basic = format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(CLIENT_ID), encode(CLIENT_SECRET))));
    match headers.get(AUTHORIZATION) {
        Some(header) => header.as_bytes() == basic.as_bytes(),
        None => form.one("client_id") == Some(CLIENT_ID) && form.one("client_secret") == Some(CLIENT_SECRET),
    }
}

impl Parts {
    fn issued(&self) -> MutexGuard<'_, Issued> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
