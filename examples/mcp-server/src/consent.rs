//! The consent page, and what the user decides on it.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use axum_extra::extract::{Form, FormRejection};
use constant_time_eq::constant_time_eq;
use maud::html;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use pkce_tower::{AuthorizationCode, AuthorizationRedirect, AuthorizationResponse, ErrorCode, PendingChallenge};
use serde::Deserialize;
use url::Url;

use crate::client::Client;
use crate::issuer::is_loopback;
use crate::page::{page, refused};
use crate::{SCOPE, Server, random};

/// An authorization request that waits for the user. Nothing of it is in the form: whoever sends the form would choose it.
#[derive(Clone)]
pub(crate) struct Pending {
    pub(crate) client: Arc<Client>,
    pub(crate) redirect_uri: String,
    pub(crate) response: AuthorizationResponse,
    pub(crate) challenge: PendingChallenge,
}

/// By session and CSRF token: each tab has a token of its own, and none is good in another browser.
pub(crate) type PendingRequests = Cache<(String, String), Pending>;

pub(crate) fn pending_requests() -> PendingRequests {
    let builder = Cache::builder().max_capacity(10_000).eviction_policy(EvictionPolicy::lru());
    builder.time_to_live(Duration::from_secs(600)).build()
}

pub(crate) fn ask(server: &Server, cookies: CookieJar, pending: Pending) -> (CookieJar, Response) {
    let name = session_cookie(server);
    let session = cookies.get(name).map(Cookie::value).filter(|id| id.len() == 32).map_or_else(random, str::to_owned);
    let cookie = Cookie::build((name, session.clone())).path("/").http_only(true).same_site(SameSite::Lax);
    let csrf = random();
    let response = consent_page(server, &pending, &csrf);
    server.pending.insert((session, csrf), pending);
    (cookies.add(cookie.secure(server.issuer.is_https())), response)
}

/// With the prefix no other host of the domain can set it.
fn session_cookie(server: &Server) -> &'static str {
    if server.issuer.is_https() { "__Host-session" } else { "session" }
}

fn consent_page(server: &Server, Pending { client, redirect_uri, .. }: &Pending, csrf: &str) -> Response {
    let target = Url::parse(redirect_uri).ok();
    let content = html! {
        p { b { (client.name.as_deref().unwrap_or("A client without a name")) } " asks for access to " (server.resource) "." }
        dl {
            dt { "Client" } dd { (client.id) }
            dt { "Sends you back to" } dd { b { (target.as_ref().and_then(Url::host_str).unwrap_or_default()) } " (" (redirect_uri) ")" }
            dt { "Access" } dd { (SCOPE) }
        }
        @if target.as_ref().is_some_and(is_loopback) {
            p { "That is a program on this computer. Approve only if you have just started it." }
        }
        form method="post" action="/oauth/approve" {
            input type="hidden" name="csrf" value=(csrf);
            @if server.password.is_some() {
                p { label { "Password " input type="password" name="password" autocomplete="current-password"; } }
            }
            button name="approved" value="true" { "Approve" } " "
            button name="approved" value="false" { "Deny" }
        }
    };
    page(StatusCode::OK, "Approve access", &content)
}

#[derive(Deserialize)]
pub(crate) struct Decision {
    csrf: String,
    approved: bool,
    #[serde(default)]
    password: String,
}

pub(crate) async fn decide(
    State(server): State<Arc<Server>>,
    cookies: CookieJar,
    decision: Result<Form<Decision>, FormRejection>,
) -> Result<Response, AuthorizationRedirect> {
    let Ok(Form(decision)) = decision else {
        return Ok(refused(StatusCode::BAD_REQUEST, "This is not a decision."));
    };
    let is_wrong = |password: &String| !constant_time_eq(password.as_bytes(), decision.password.as_bytes());
    if decision.approved && server.password.as_ref().is_some_and(is_wrong) {
        return Ok(refused(StatusCode::FORBIDDEN, "The password is wrong. Please go back."));
    }
    let session = cookies.get(session_cookie(&server)).map_or("", Cookie::value).to_owned();
    let Some(Pending { client, redirect_uri, response, challenge }) = server.pending.remove(&(session, decision.csrf))
    else {
        return Ok(refused(
            StatusCode::FORBIDDEN,
            "The request is too old, or began in another browser. Please start again.",
        ));
    };
    if !decision.approved {
        return Err(response.error(ErrorCode::AccessDenied));
    }
    let code = AuthorizationCode::generate().map_err(|error| response.error(&error))?;
    let grant = server.grants.insert(client.id.clone(), server.resource.clone());
    // Before the code leaves. The layer compares client and redirect URI with those of the token request.
    let bind = server.pkce.bind(&code, challenge).client_id(client.id.clone()).redirect_uri(redirect_uri);
    bind.grant(&grant).await.map_err(|error| response.error(&error))?;
    Ok(response.code(&code).into_response())
}
