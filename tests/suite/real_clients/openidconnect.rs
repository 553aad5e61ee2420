//! The `openidconnect` crate against a server that knows no OpenID Connect: without discovery, the `openid` scope and
//! an ID token, and with `/me` as the user-info endpoint.

use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreErrorResponseType, CoreProviderMetadata};
use openidconnect::core::{CoreJsonWebKeySet, CoreUserInfoClaims};
use openidconnect::{
    AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet, IssuerUrl, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope,
    TokenResponse as _, TokenUrl, UserInfoUrl,
};
use pkce_tests::{Client, Result, Secret};
use playground::{Wire, exchange};

use super::{another_verifier, code, visit};

/// With the endpoints for authorization requests, token requests and user info.
type Ready = CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet, EndpointSet>;

pub(super) async fn is_served(wire: Wire) -> Result<()> {
    let http = http()?;
    let send = |request| exchange(http.clone(), request);
    // It asks for .well-known/openid-configuration, which a server without OpenID Connect does not have.
    assert!(CoreProviderMetadata::discover_async(issuer(wire)?, &send).await.is_err());

    for who in [Client::SPA, Client::WEB] {
        let client = client(wire, who)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, state, _nonce) = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
            .add_scope(Scope::new("profile".to_owned()))
            .set_pkce_challenge(challenge)
            .url();
        let code = AuthorizationCode::new(code(wire, &url, state.secret()).await?);
        let first = client.exchange_code(code).set_pkce_verifier(verifier).request_async(&send).await?;
        let refresh = first.refresh_token().ok_or("no refresh token")?;
        let second = client.exchange_refresh_token(refresh).request_async(&send).await?;
        for tokens in [first, second] {
            assert!(tokens.id_token().is_none());
            let info = client.user_info(tokens.access_token().clone(), None);
            let me: CoreUserInfoClaims = info.request_async(&send).await?;
            assert_eq!(me.subject().as_str(), "alice");
        }
    }
    Ok(())
}

pub(super) async fn is_refused(wire: Wire) -> Result<()> {
    let (client, http) = (client(wire, Client::SPA)?, http()?);
    let send = |request| exchange(http.clone(), request);
    let start = || {
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
    };

    let (without, ..) = start().url();
    assert_eq!(visit(wire, &without).await?.error().as_deref(), Some("invalid_request"));

    for wrong in [None, Some(another_verifier()?)] {
        let (url, state, _) = start().set_pkce_challenge(PkceCodeChallenge::new_random_sha256().0).url();
        let code = AuthorizationCode::new(code(wire, &url, state.secret()).await?);
        let mut request = client.exchange_code(code);
        if let Some(verifier) = wrong {
            request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier));
        }
        let Err(RequestTokenError::ServerResponse(refused)) = request.request_async(&send).await else {
            return Err("it was not refused".into());
        };
        assert_eq!(refused.error(), &CoreErrorResponseType::InvalidGrant);
    }
    Ok(())
}

fn client(wire: Wire, who: Client) -> Result<Ready> {
    let base = format!("http://{}", wire.0);
    let client = CoreClient::new(ClientId::new(who.id.to_owned()), issuer(wire)?, CoreJsonWebKeySet::default())
        .set_auth_uri(AuthUrl::new(format!("{base}/authorize"))?)
        .set_token_uri(TokenUrl::new(format!("{base}/token"))?)
        .set_user_info_url(UserInfoUrl::new(format!("{base}/me"))?)
        .set_redirect_uri(RedirectUrl::new(who.redirect_uri.to_owned())?)
        .disable_openid_scope();
    Ok(match who.secret {
        Secret::None => client,
        Secret::Basic | Secret::Body => client.set_client_secret(ClientSecret::new("web-secret".to_owned())),
    })
}

fn issuer(wire: Wire) -> Result<IssuerUrl> {
    Ok(IssuerUrl::new(format!("http://{}", wire.0))?)
}

fn http() -> Result<reqwest::Client> {
    Ok(reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?)
}
