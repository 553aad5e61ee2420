//! An honest client with PKCE.

use serde_json::json;

use crate::site::{Said, Site};
use crate::user::User;
use crate::{CALLBACK, CHALLENGE, Result, VERIFIER};

pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

pub(crate) async fn register(site: &Site) -> Result<String> {
    let said = site.post_json("/oauth/register", &json!({ "redirect_uris": [CALLBACK] }).to_string()).await?;
    assert_eq!(said.status, 201, "{said:?}");
    Ok(said.text("client_id"))
}

/// The parameters of the authorization request.
pub(crate) fn request(client: &str) -> Vec<(&str, &str)> {
    vec![
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", CALLBACK),
        ("state", "a state & more"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]
}

/// The parameters with one changed, or left out.
pub(crate) fn changed<'a>(
    mut form: Vec<(&'a str, &'a str)>,
    name: &'a str,
    value: impl Into<Option<&'a str>>,
) -> Vec<(&'a str, &'a str)> {
    form.retain(|(found, _)| *found != name);
    form.extend(value.into().map(|value| (name, value)));
    form
}

/// The code, once the user has approved.
pub(crate) async fn code(site: &Site, client: &str) -> Result<String> {
    let said = User::default().approve(site, &request(client)).await?;
    assert_eq!(said.parameter("state").as_deref(), Some("a state & more"));
    assert_eq!(said.parameter("iss").as_deref(), Some(crate::ISSUER));
    Ok(said.parameter("code").ok_or("no code")?)
}

/// The parameters of the token request.
pub(crate) fn redemption<'a>(client: &'a str, code: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("code_verifier", VERIFIER),
        ("client_id", client),
        ("redirect_uri", CALLBACK),
    ]
}

pub(crate) async fn redeem(site: &Site, client: &str, code: &str) -> Result<Said> {
    site.post_form("/oauth/token", &redemption(client, code)).await
}

pub(crate) async fn tokens(site: &Site, client: &str) -> Result<Tokens> {
    let code = code(site, client).await?;
    Ok(Tokens::of(&redeem(site, client, &code).await?))
}

impl Tokens {
    pub(crate) fn of(said: &Said) -> Self {
        assert_eq!((said.status, said.header("cache-control")), (200, "no-store"), "{said:?}");
        Self { access: said.text("access_token"), refresh: said.text("refresh_token") }
    }

    pub(crate) async fn refresh(&self, site: &Site, client: &str) -> Result<Said> {
        site.post_form("/oauth/token", &refresh(client, &self.refresh)).await
    }
}

pub(crate) fn refresh<'a>(client: &'a str, token: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", client)]
}
