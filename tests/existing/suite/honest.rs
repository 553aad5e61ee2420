//! The `oauth2` crate through the whole flow.

use oauth2::basic::BasicClient;
use oauth2::http::HeaderValue;
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, CsrfToken, HttpRequest, HttpResponse, PkceCodeChallenge, RedirectUrl,
    TokenResponse as _, TokenUrl,
};
use playground::Result;
use url::{Url, form_urlencoded};

use crate::client::{allow, json, parameter};
use crate::host::{Host, Server, base, on_each_server};

on_each_server! {
    before_a_client_that_does_pkce_gets_its_tokens_as_well,
    a_client_that_does_pkce_gets_its_tokens_and_refreshes_them,
}

async fn before_a_client_that_does_pkce_gets_its_tokens_as_well(host: Host) -> Result<()> {
    serves(&host.start_before()?).await
}

async fn a_client_that_does_pkce_gets_its_tokens_and_refreshes_them(host: Host) -> Result<()> {
    serves(&host.start()?).await
}

/// The whole flow, a refresh, and the resource.
async fn serves(server: &Server) -> Result<()> {
    let host = server.host;
    let base = base(server.wire);
    let client = BasicClient::new(ClientId::new(server.client.clone()))
        .set_auth_uri(AuthUrl::new(format!("{base}/authorize"))?)
        .set_token_uri(TokenUrl::new(format!("{base}/token"))?)
        .set_redirect_uri(RedirectUrl::new(host.redirect_uri().to_owned())?);
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (url, state) = client.authorize_url(CsrfToken::new_random).set_pkce_challenge(challenge).url();

    let page = server.wire.get(&format!("{}?{}", url.path(), url.query().unwrap_or_default())).await?;
    let said = allow(server.wire, &page).await?;
    let location = Url::parse(said.header("location").ok_or("no redirect")?)?;
    assert_eq!(parameter(&location, "state").as_ref(), Some(state.secret()));
    let code = AuthorizationCode::new(parameter(&location, "code").ok_or("no code")?);

    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    let send = |request| exchange(http.clone(), if host.takes_json() { as_json(request) } else { request });
    let first = client.exchange_code(code).set_pkce_verifier(verifier).request_async(&send).await?;
    let refresh = first.refresh_token().ok_or("no refresh token")?;
    let second = client.exchange_refresh_token(refresh).request_async(&send).await?;
    assert!(server.accepts(second.access_token().secret()).await?);
    assert!(!server.accepts("no token").await?);
    Ok(())
}

/// The crate writes forms; here is what an app with `JSON.stringify` would send.
fn as_json(request: HttpRequest) -> HttpRequest {
    let (mut parts, form) = request.into_parts();
    let json = json(form_urlencoded::parse(&form)).into_bytes();
    parts.headers.insert("content-type", HeaderValue::from_static("application/json"));
    HttpRequest::from_parts(parts, json)
}

/// The client's HTTP, by reqwest.
async fn exchange(http: reqwest::Client, request: HttpRequest) -> std::result::Result<HttpResponse, reqwest::Error> {
    let response = http.execute(request.try_into()?).await?;
    let mut answer = HttpResponse::default();
    *answer.status_mut() = response.status();
    *answer.headers_mut() = response.headers().clone();
    *answer.body_mut() = response.bytes().await?.to_vec();
    Ok(answer)
}
