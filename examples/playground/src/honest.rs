//! The honest flows: the `oauth2` crate as a real client.

use oauth2::basic::{BasicClient, BasicTokenType};
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EmptyExtraTokenFields, HttpRequest, HttpResponse,
    PkceCodeChallenge, RedirectUrl, Scope, StandardTokenResponse, TokenResponse as _, TokenUrl,
};

use crate::table::Row;
use crate::user::{self, CALLBACK, Result};
use crate::wire::Wire;

/// A client, by its name, its secret and its redirect URI.
struct Client(&'static str, Option<&'static str>, &'static str);

pub(crate) async fn play(wire: Wire) -> Result<Vec<Row>> {
    let spa = Client("spa", None, CALLBACK);
    let web = Client("web", Some("web-secret"), "https://app.example/cb?tenant=7");
    let metadata = wire.get("/.well-known/oauth-authorization-server").await?;
    let advertised = metadata.body.contains(r#""code_challenge_methods_supported":["S256"]"#);
    Ok(vec![
        Row::new("the metadata says which methods are accepted", &metadata, advertised),
        flow("a public client", wire, &spa).await?,
        flow("a confidential client", wire, &web).await?,
    ])
}

/// The whole flow: authorize, sign in, exchange the code, use the token, refresh it, use the new one.
async fn flow(who: &str, wire: Wire, Client(id, secret, redirect_uri): &Client) -> Result<Row> {
    let base = format!("http://{}", wire.0);
    let client = BasicClient::new(ClientId::new((*id).to_owned()))
        .set_auth_uri(AuthUrl::new(format!("{base}/authorize"))?)
        .set_token_uri(TokenUrl::new(format!("{base}/token"))?)
        .set_redirect_uri(RedirectUrl::new((*redirect_uri).to_owned())?);
    let client = match secret {
        Some(secret) => client.set_client_secret(ClientSecret::new((*secret).to_owned())),
        None => client,
    };
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (url, _state) = client
        .authorize_url(CsrfToken::new_random)
        .add_scope(Scope::new("profile".to_owned()))
        .set_pkce_challenge(challenge)
        .url();
    let page = wire.get(&format!("{}?{}", url.path(), url.query().unwrap_or_default())).await?;
    let code = user::sign_in(wire, &page).await?;

    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    let send = |request| exchange(http.clone(), request);
    let first: Tokens =
        client.exchange_code(AuthorizationCode::new(code)).set_pkce_verifier(verifier).request_async(&send).await?;
    let refresh = first.refresh_token().ok_or("no refresh token")?;
    let second: Tokens = client.exchange_refresh_token(refresh).request_async(&send).await?;
    for tokens in [&first, &second] {
        let bearer = format!("Bearer {}", tokens.access_token().secret());
        let me = wire.send("GET", "/me", &[("authorization", &bearer)], "").await?;
        if me.status != 200 {
            return Ok(Row::new(&format!("{who}: its token is good"), &me, false));
        }
    }
    Ok(Row::said(&format!("{who}: code, token, refresh, both tokens used"), "200, 200, 200, 200", true))
}

type Tokens = StandardTokenResponse<EmptyExtraTokenFields, BasicTokenType>;

/// The HTTP of a client that leaves it to the application, as `oauth2` does: by reqwest.
///
/// # Errors
///
/// When the request fails.
pub async fn exchange(
    http: reqwest::Client,
    request: HttpRequest,
) -> std::result::Result<HttpResponse, reqwest::Error> {
    let response = http.execute(request.try_into()?).await?;
    let mut answer = HttpResponse::default();
    *answer.status_mut() = response.status();
    *answer.headers_mut() = response.headers().clone();
    *answer.body_mut() = response.bytes().await?.to_vec();
    Ok(answer)
}
