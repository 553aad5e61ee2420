//! The `oauth2` crate. The playground plays its flow; here is what it is refused.

use oauth2::basic::{BasicClient, BasicErrorResponseType};
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, TokenUrl,
};
use pkce_tests::Result;
use playground::{CALLBACK, CLIENT, Wire, exchange, honest_clients};

use super::{another_verifier, code, visit};

pub(super) async fn is_served(wire: Wire) -> Result<()> {
    for row in honest_clients(wire).await? {
        assert!(row.is_right(), "{row}");
    }
    Ok(())
}

pub(super) async fn is_refused(wire: Wire) -> Result<()> {
    let base = format!("http://{}", wire.0);
    let client = BasicClient::new(ClientId::new(CLIENT.to_owned()))
        .set_auth_uri(AuthUrl::new(format!("{base}/authorize"))?)
        .set_token_uri(TokenUrl::new(format!("{base}/token"))?)
        .set_redirect_uri(RedirectUrl::new(CALLBACK.to_owned())?);
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    let send = |request| exchange(http.clone(), request);

    let (without, _) = client.authorize_url(CsrfToken::new_random).url();
    assert_eq!(visit(wire, &without).await?.error().as_deref(), Some("invalid_request"));

    for wrong in [None, Some(another_verifier()?)] {
        let (challenge, _) = PkceCodeChallenge::new_random_sha256();
        let (url, state) = client.authorize_url(CsrfToken::new_random).set_pkce_challenge(challenge).url();
        let code = AuthorizationCode::new(code(wire, &url, state.secret()).await?);
        let mut request = client.exchange_code(code);
        if let Some(verifier) = wrong {
            request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier));
        }
        let Err(RequestTokenError::ServerResponse(refused)) = request.request_async(&send).await else {
            return Err("it was not refused".into());
        };
        assert_eq!(refused.error(), &BasicErrorResponseType::InvalidGrant);
    }
    Ok(())
}
