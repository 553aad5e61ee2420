//! The authorization server but for PKCE: its endpoints as functions from bytes to answers.

use std::fmt;

use pkce_core::{AuthorizationResponse, PendingChallenge, Rejection};
use serde_json::json;

use crate::answer::Answer;
use crate::client::Client;
use crate::form::Form;
use crate::pages;
use crate::pending::{Pending, PendingRequests};
use crate::tokens::Tokens;

/// The longest `state` and `scope`, in octets: they wait in memory while the user signs in.
const LONGEST: usize = 8192;

/// The authorization server but for PKCE.
pub struct Host {
    pub(crate) issuer: String,
    pub(crate) pending: PendingRequests,
    pub(crate) tokens: Tokens,
}

/// An authorization request whose client, redirect URI and response type are right. Its challenge is still to be looked at.
#[derive(Debug)]
pub struct Authorize<'a> {
    host: &'a Host,
    pending: Pending,
}

impl Host {
    /// A server that calls itself `issuer`.
    pub fn new(issuer: impl Into<String>) -> Self {
        Self { issuer: issuer.into(), pending: PendingRequests::default(), tokens: Tokens::default() }
    }

    /// `GET /authorize`, up to the challenge: client and redirect URI first (a page if one is unknown, never a
    /// redirect: RFC 9700 §4.11.2), then the response type.
    ///
    /// # Errors
    ///
    /// The answer, if something is wrong.
    pub fn authorize(&self, query: &str) -> Result<Authorize<'_>, Answer> {
        let form = Form::parse(query.as_bytes());
        let Some(client) = form.one("client_id").and_then(Client::find) else {
            return Err(pages::message(400, "The client is unknown."));
        };
        let Some(redirect_uri) = form.one("redirect_uri").filter(|uri| client.has_redirect_uri(uri)) else {
            return Err(pages::message(400, "The redirect URI is not registered for this client."));
        };
        let mut pending = Pending {
            client_id: client.id.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            state: form.one("state").map(str::to_owned),
            scope: form.one("scope").unwrap_or_default().to_owned(),
            challenge: None,
        };
        if form.is_repeated("state") || form.is_repeated("scope") {
            pending.state = None;
            return Err(self.redirect_error(&pending, "invalid_request"));
        }
        if [&pending.scope, pending.state.as_ref().unwrap_or(&pending.scope)].iter().any(|text| text.len() > LONGEST) {
            pending.state = None;
            return Err(self.redirect_error(&pending, "invalid_request"));
        }
        match form.one("response_type") {
            Some("code") => Ok(Authorize { host: self, pending }),
            _ => Err(self.redirect_error(&pending, "unsupported_response_type")),
        }
    }

    /// `GET /.well-known/oauth-authorization-server` (RFC 8414).
    pub fn metadata(&self, code_challenge_methods_supported: &[&str]) -> Answer {
        let (issuer, base) = (&self.issuer, self.issuer.trim_end_matches('/'));
        Answer::json(
            200,
            &json!({
                "issuer": issuer,
                "authorization_endpoint": format!("{base}/authorize"),
                "token_endpoint": format!("{base}/token"),
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": ["authorization_code", "refresh_token"],
                "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
                "code_challenge_methods_supported": code_challenge_methods_supported,
                "authorization_response_iss_parameter_supported": true,
            }),
        )
    }

    /// `GET /me`: whom a bearer token speaks for (RFC 6750).
    pub fn me(&self, authorization: Option<&str>) -> Answer {
        let bearer = authorization
            .and_then(|header| header.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim());
        match bearer.map(|token| self.tokens.introspect(token)) {
            Some(Some(grant)) => Answer::json(200, &json!({ "sub": grant.subject, "client_id": grant.client_id })),
            Some(None) => Answer::error(401, "invalid_token", "the access token is not valid")
                .header("www-authenticate", "Bearer error=\"invalid_token\""),
            None => {
                Answer::error(401, "invalid_token", "an access token is required").header("www-authenticate", "Bearer")
            }
        }
    }

    /// `OPTIONS` of an endpoint for browser-based apps; the CORS headers are added to every answer there.
    pub fn options(&self) -> Answer {
        Answer { status: 204, headers: vec![("access-control-max-age", "600".to_owned())], body: String::new() }
    }

    /// A method that an endpoint does not have.
    pub fn method_not_allowed(&self, allow: &'static str) -> Answer {
        pages::message(405, "This method is not allowed here.").header("allow", allow)
    }

    /// A path that does not exist.
    pub fn not_found(&self) -> Answer {
        pages::message(404, "There is nothing here.")
    }

    /// The authorization response (RFC 6749 §4.1.2), with `iss` (RFC 9207).
    pub(crate) fn redirect_with(&self, pending: &Pending, parameter: (&str, &str)) -> Answer {
        let Ok(mut location) = url::Url::parse(&pending.redirect_uri) else {
            return pages::message(500, "The registered redirect URI is not a URL.");
        };
        location.query_pairs_mut().append_pair(parameter.0, parameter.1);
        if let Some(state) = &pending.state {
            location.query_pairs_mut().append_pair("state", state);
        }
        location.query_pairs_mut().append_pair("iss", &self.issuer);
        Answer::see_other(location.into())
    }

    pub(crate) fn redirect_error(&self, pending: &Pending, error: &str) -> Answer {
        self.redirect_with(pending, ("error", error))
    }
}

/// Shows nothing of its tokens.
impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl Authorize<'_> {
    /// Its challenge is refused: the standard error redirect, because the redirect URI is validated.
    pub fn refuse(self, rejection: &Rejection) -> Answer {
        let redirect = ErrorRedirect::new(&self.pending.redirect_uri, rejection)
            .state(self.pending.state.as_deref())
            .issuer(&self.host.issuer);
        Answer::see_other(redirect.location())
    }

    /// Its challenge is right: the sign-in page.
    pub fn sign_in(mut self, challenge: Option<PendingChallenge>) -> Answer {
        self.pending.challenge = challenge;
        match self.host.pending.add(self.pending.clone()) {
            Some(transaction) => pages::sign_in(200, &transaction, &self.pending),
            None => self.host.redirect_error(&self.pending, "server_error"),
        }
    }
}
