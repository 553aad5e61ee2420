//! What the README files of the `oxide-auth` servers say of them.

use playground::{FORM, Result, form};

use crate::host::{Host, Server};

macro_rules! on_both_servers {
    ($($sentence:ident),+ $(,)?) => {
        mod axum { $(on_both_servers! { @ OxideAuthAxum $sentence })+ }
        mod actix { $(on_both_servers! { @ OxideAuthActix $sentence })+ }
    };
    (@ $host:ident $sentence:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $sentence() -> playground::Result<()> {
            super::$sentence(crate::host::Host::$host).await
        }
    };
}

on_both_servers! {
    a_confidential_client_with_a_wrong_secret_may_try_again,
    a_wrong_redirect_uri_leaves_the_code_live_because_the_capture_bound_it,
    a_redirect_uri_that_is_left_out_is_filled_in_by_the_consent_page,
}

async fn a_confidential_client_with_a_wrong_secret_may_try_again(host: Host) -> Result<()> {
    let server = Server { client: "LocalClient".to_owned(), ..host.start()? };
    let issued = server.issue().await?;
    let body = form(&[
        ("grant_type", "authorization_code"),
        ("code", &issued.code),
        ("redirect_uri", host.redirect_uri()),
        ("code_verifier", issued.verifier.as_str()),
    ]);
    // LocalClient:wrong, then LocalClient:SecretSecret.
    let basic = ["Basic TG9jYWxDbGllbnQ6d3Jvbmc=", "Basic TG9jYWxDbGllbnQ6U2VjcmV0U2VjcmV0"];
    for (credentials, status) in basic.into_iter().zip([401, 200]) {
        let headers = [FORM, ("authorization", credentials)];
        assert_eq!(server.wire.send("POST", "/token", &headers, &body).await?.status, status);
    }
    Ok(())
}

async fn a_wrong_redirect_uri_leaves_the_code_live_because_the_capture_bound_it(host: Host) -> Result<()> {
    let issued = host.start()?.issue().await?;
    let other = [("redirect_uri", "http://localhost:8021/other")];
    let wrong = issued.server.redeem(&issued.code, Some(issued.verifier.as_str()), &other).await?;
    // The layer rejects it, before the server would use up the code.
    assert_eq!((wrong.status, wrong.error().as_deref()), (400, Some("invalid_grant")));
    assert!(wrong.member("error_description").is_some(), "{wrong:?}");
    assert_eq!(issued.redeem().await?.status, 200);
    Ok(())
}

async fn a_redirect_uri_that_is_left_out_is_filled_in_by_the_consent_page(host: Host) -> Result<()> {
    let server = host.start()?;
    let verifier = pkce_core::CodeVerifier::generate()?;
    let challenge = playground::challenge(&verifier);
    let asked =
        [("response_type", "code"), ("client_id", &server.client), ("code_challenge", &challenge), playground::S256];
    let page = server.wire.get(&format!("/authorize?{}", form(&asked))).await?;
    let redirect = crate::client::allow(server.wire, &page).await?;
    let location = url::Url::parse(redirect.header("location").ok_or("no redirect")?)?;
    let code = crate::client::parameter(&location, "code").ok_or_else(|| format!("no code: {location}"))?;
    assert_eq!(server.redeem(&code, Some(verifier.as_str()), &[]).await?.status, 200);
    Ok(())
}
