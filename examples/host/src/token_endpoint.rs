//! `POST /token`, behind the PKCE layer.

use pkce_core::{Clearance, ClearanceKind, Replay};
use serde_json::json;

use crate::answer::Answer;
use crate::client::Client;
use crate::form::Form;
use crate::grant::Grant;
use crate::host::Host;
use crate::tokens::{ACCESS_LIFETIME, Issued};

impl Host {
    /// `POST /token`: the client, the redirect URI, the tokens. That the code verifier matched, and that the code is
    /// redeemed once, is what the clearance says.
    pub fn token(&self, clearance: &Clearance, authorization: Option<&str>, body: &[u8]) -> Answer {
        let form = Form::parse(body);
        if ["client_secret", "refresh_token", "scope"].iter().any(|name| form.is_repeated(name)) {
            return Answer::error(400, "invalid_request", "a parameter is included more than once");
        }
        let Ok(client) = Client::authenticate(authorization, &form) else {
            return Answer::error(401, "invalid_client", "client authentication failed")
                .header("www-authenticate", "Basic realm=\"token\"");
        };
        let grant = match clearance.kind() {
            ClearanceKind::OtherGrant if form.one("grant_type") == Some("refresh_token") => {
                let Some(refresh_token) = form.one("refresh_token") else {
                    return Answer::error(400, "invalid_request", "the refresh token is missing");
                };
                self.tokens.refresh(refresh_token, client.id)
            }
            ClearanceKind::OtherGrant => {
                return Answer::error(400, "unsupported_grant_type", "the grant type is not supported");
            }
            _ => clearance.grant().ok().filter(|grant| is_of(grant, client, &form)),
        };
        let Some(grant) = grant else {
            return Answer::error(400, "invalid_grant", "the grant is not valid for this request");
        };
        match self.tokens.issue(grant) {
            Some(issued) => tokens(&issued),
            None => Answer::error(500, "server_error", "no tokens can be issued now"),
        }
    }

    /// Revokes what a replayed code has produced, or is about to (RFC 6749 §4.1.2).
    pub fn revoke(&self, replay: &Replay) {
        if let Ok(grant) = replay.grant::<Grant>() {
            self.tokens.revoke(grant.id);
        }
    }
}

/// The code was issued to this client, and a redirect URI that is sent is the one it was issued for (RFC 6749 §4.1.3;
/// OAuth 2.1 leaves it out).
fn is_of(grant: &Grant, client: &Client, form: &Form) -> bool {
    grant.client_id == client.id && form.one("redirect_uri").is_none_or(|sent| sent == grant.redirect_uri)
}

fn tokens(issued: &Issued) -> Answer {
    Answer::json(
        200,
        &json!({
            "access_token": issued.access_token,
            "token_type": "Bearer",
            "expires_in": ACCESS_LIFETIME.as_secs(),
            "refresh_token": issued.refresh_token,
            "scope": issued.scope,
        }),
    )
}
