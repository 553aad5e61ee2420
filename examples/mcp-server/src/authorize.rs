//! The authorization endpoint: judges the request, and shows the consent page.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum_extra::extract::cookie::CookieJar;
use axum_extra::extract::{Query, QueryRejection};
use pkce_tower::{AuthorizationRedirect, AuthorizationResponse, Challenge, ErrorCode, Rejection};
use serde::Deserialize;
use url::Url;

use crate::consent::{self, Pending};
use crate::page::refused;
use crate::{SCOPE, Server};

/// It is kept until the user has decided.
const LONGEST_STATE: usize = 4096;

#[derive(Deserialize)]
pub(crate) struct AuthorizationRequest {
    client_id: String,
    redirect_uri: String,
    response_type: Option<String>,
    state: Option<String>,
    scope: Option<String>,
    #[serde(default)]
    resource: Vec<String>,
}

pub(crate) async fn authorize(
    State(server): State<Arc<Server>>,
    cookies: CookieJar,
    request: Result<Query<AuthorizationRequest>, QueryRejection>,
    challenge: Result<Challenge, Rejection>,
) -> Result<Response, AuthorizationRedirect> {
    // Until client and redirect URI are known to be right: a page, never a redirect.
    let is_short = |state: &String| state.len() <= LONGEST_STATE;
    let Some(Query(request)) = request.ok().filter(|request| request.state.as_ref().is_none_or(is_short)) else {
        return Ok(refused(StatusCode::BAD_REQUEST, "This is not an authorization request."));
    };
    let Some(client) = server.clients.find(&request.client_id).await else {
        return Ok(refused(StatusCode::BAD_REQUEST, "This client is not known here."));
    };
    if !client.has_redirect_uri(&request.redirect_uri) {
        return Ok(refused(StatusCode::BAD_REQUEST, "The client has not registered this redirect URI."));
    }
    let response = AuthorizationResponse::new(&server.pkce, &request.redirect_uri).state(request.state);
    match request.response_type.as_deref() {
        Some("code") => {}
        None | Some("") => return Err(response.error(ErrorCode::InvalidRequest)),
        Some(_) => return Err(response.error(ErrorCode::UnsupportedResponseType)),
    }
    let Challenge(challenge) = challenge.map_err(|rejection| response.error(&rejection))?;
    if !is_for(&request.resource, &server.resource) {
        return Err(response.error(ErrorCode::InvalidTarget));
    }
    if !has_our_scope(request.scope.as_deref()) {
        return Err(response.error(ErrorCode::InvalidScope));
    }
    let pending = Pending { client, redirect_uri: request.redirect_uri, response, challenge };
    let (cookies, page) = consent::ask(&server, cookies, pending);
    Ok((cookies, page).into_response())
}

/// Whether what is asked for is our resource, once or several times (RFC 8707 §2). A client that names none means us.
pub(crate) fn is_for(asked: &[String], resource: &str) -> bool {
    let ours = Url::parse(resource);
    asked.iter().all(|asked| Url::parse(asked) == ours)
}

/// Whether our scope is among those that are asked for. Others are not granted (RFC 6749 §3.3).
pub(crate) fn has_our_scope(asked: Option<&str>) -> bool {
    let mut scopes = asked.unwrap_or_default().split(' ').filter(|scope| !scope.is_empty()).peekable();
    scopes.peek().is_none() || scopes.any(|scope| scope == SCOPE)
}
