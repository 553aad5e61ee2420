//! What both servers keep, in memory, and how they decide.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pkce_tower::RedirectUriMatcher;
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

/// The one client.
pub const CLIENT: &str = "app";
/// Where it gets its codes.
pub const CALLBACK: &str = "https://app.example/callback";

/// The parameters of an authorization request that these servers look at.
#[derive(Debug, Deserialize)]
#[non_exhaustive]
pub struct AuthorizationRequest {
    client_id: String,
    redirect_uri: String,
    #[serde(default)]
    state: String,
}

/// The members of a token request that these servers look at.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TokenRequest {
    grant_type: String,
    client_id: String,
    code: String,
    refresh_token: String,
}

/// The answer to a token request.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Tokens {
    access_token: String,
    refresh_token: String,
    token_type: &'static str,
}

/// A refusal (RFC 6749 §5.2).
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Refusal {
    error: &'static str,
}

/// Codes and tokens, each with its user.
#[derive(Debug, Default)]
pub struct Records(Mutex<Tables>);

#[derive(Debug, Default)]
struct Tables {
    codes: HashMap<String, String>,
    access_tokens: HashMap<String, String>,
    refresh_tokens: HashMap<String, String>,
}

impl Records {
    /// Issues a code to a user: where the redirect leads.
    ///
    /// # Errors
    ///
    /// For another client or redirect URI.
    pub fn authorize(&self, request: &AuthorizationRequest, user: &str) -> Result<String, Refusal> {
        let invalid = Refusal { error: "invalid_request" };
        let Ok(mut location) = Url::parse(CALLBACK) else { return Err(invalid) };
        if request.client_id != CLIENT || !RedirectUriMatcher::new().matches(CALLBACK, &request.redirect_uri) {
            return Err(invalid);
        }
        let code = name();
        location.query_pairs_mut().append_pair("code", &code).append_pair("state", &request.state);
        self.lock().codes.insert(code, user.to_owned());
        Ok(location.into())
    }

    /// Issues tokens. A code is forgotten only if they are issued.
    ///
    /// # Errors
    ///
    /// The refusal, to be answered with 400.
    pub fn token(&self, request: &TokenRequest) -> Result<Tokens, Refusal> {
        if request.client_id != CLIENT {
            return Err(Refusal { error: "invalid_client" });
        }
        let mut tables = self.lock();
        let user = match request.grant_type.as_str() {
            "authorization_code" => tables.codes.remove(&request.code),
            "refresh_token" => tables.refresh_tokens.remove(&request.refresh_token),
            _ => return Err(Refusal { error: "unsupported_grant_type" }),
        };
        let user = user.ok_or(Refusal { error: "invalid_grant" })?;
        let tokens = Tokens { access_token: name(), refresh_token: name(), token_type: "Bearer" };
        tables.access_tokens.insert(tokens.access_token.clone(), user.clone());
        tables.refresh_tokens.insert(tokens.refresh_token.clone(), user);
        Ok(tokens)
    }

    /// Whose token it is that stands in an `Authorization` header.
    pub fn greet(&self, authorization: &str) -> Option<String> {
        let tables = self.lock();
        Some(format!("hello, {}", tables.access_tokens.get(authorization.strip_prefix("Bearer ")?)?))
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn name() -> String {
    Uuid::new_v4().to_string()
}
