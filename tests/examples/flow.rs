//! Honest clients, by the `oauth2` crate.

use oauth2::basic::BasicClient;
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse, PkceCodeChallenge,
    RedirectUrl, TokenResponse as _, TokenUrl,
};

use crate::browser::Browser;
use crate::program::Program;
use crate::token_client::whose;
use crate::{NATIVE_URI, Result, WEB_SECRET, WEB_URI};

#[tokio::test]
async fn a_public_client_gets_tokens_and_refreshes_them() -> Result {
    is_served("native", None, NATIVE_URI).await
}

#[tokio::test]
async fn a_confidential_client_gets_tokens_and_refreshes_them() -> Result {
    is_served("web", Some(WEB_SECRET), WEB_URI).await
}

async fn is_served(id: &str, secret: Option<&str>, redirect_uri: &str) -> Result {
    let (program, mut browser) = (Program::start(), Browser::new()?);
    let mut client = BasicClient::new(ClientId::new(id.to_owned()))
        .set_auth_uri(AuthUrl::new(program.url("/authorize"))?)
        .set_token_uri(TokenUrl::new(program.url("/token"))?)
        .set_redirect_uri(RedirectUrl::new(redirect_uri.to_owned())?);
    if let Some(secret) = secret {
        client = client.set_client_secret(ClientSecret::new(secret.to_owned()));
    }
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (url, state) = client.authorize_url(CsrfToken::new_random).set_pkce_challenge(challenge).url();
    let page = browser.visit(&url).await?;
    let redirect = browser.answer(&program, page.csrf(), "allow").await?;
    assert!(redirect.location().starts_with(&format!("{redirect_uri}?")), "{}", redirect.location());
    assert_eq!(redirect.parameter("state").as_ref(), Some(state.secret()));
    assert_eq!(redirect.parameter("iss").as_ref(), Some(&program.base));

    let code = AuthorizationCode::new(redirect.parameter("code").ok_or("there is no code")?);
    let tokens = client.exchange_code(code).set_pkce_verifier(verifier).request_async(&exchange).await?;
    assert_eq!(whose(&program, tokens.access_token().secret()).await?.as_deref(), Some("alice"));

    let refresh_token = tokens.refresh_token().ok_or("there is no refresh token")?;
    let renewed = client.exchange_refresh_token(refresh_token).request_async(&exchange).await?;
    assert_eq!(whose(&program, renewed.access_token().secret()).await?.as_deref(), Some("alice"));
    Ok(())
}

async fn exchange(request: HttpRequest) -> std::result::Result<HttpResponse, reqwest::Error> {
    let response = reqwest::Client::new().execute(request.try_into()?).await?;
    let mut copied = HttpResponse::default();
    *copied.status_mut() = response.status();
    *copied.headers_mut() = response.headers().clone();
    *copied.body_mut() = response.bytes().await?.to_vec();
    Ok(copied)
}

#[tokio::test]
async fn the_metadata_lists_what_is_enforced() -> Result {
    let program = Program::start();
    let url = program.url("/.well-known/oauth-authorization-server");
    let metadata: serde_json::Value = serde_json::from_str(&reqwest::get(url).await?.text().await?)?;
    assert_eq!(metadata.get("code_challenge_methods_supported"), Some(&serde_json::json!(["S256"])));
    assert_eq!(metadata.get("authorization_response_iss_parameter_supported"), Some(&true.into()));
    assert_eq!(metadata.get("issuer"), Some(&program.base.clone().into()));
    assert_eq!(metadata.get("token_endpoint"), Some(&program.url("/token").into()));
    Ok(())
}
