//! Codes, redeemed by whoever should and should not.

use reqwest::StatusCode;

use crate::browser::Browser;
use crate::program::Program;
use crate::token_client::{changed, member, of_native, refresh, send, token, whose};
use crate::{CHALLENGE, NATIVE_URI, Result, VERIFIER, WEB_SECRET, WEB_URI};

#[tokio::test]
async fn a_stolen_code_is_worthless_and_stays_its_owners() -> Result {
    let (program, mut browser) = (Program::start(), Browser::new()?);
    let code = browser.code(&program, "native", NATIVE_URI).await?;
    for verifier in ["", CHALLENGE, "a-guess-0123456789-0123456789-0123456789-012"] {
        let stolen = token(&program, &changed(&of_native(&code), "code_verifier", verifier)).await?;
        assert_eq!((stolen.status, member(&stolen, "error").as_str()), (StatusCode::BAD_REQUEST, "invalid_grant"));
    }
    let tokens = token(&program, &of_native(&code)).await?;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.body);
    assert_eq!(tokens.header("cache-control"), "no-store");
    assert_eq!(whose(&program, &member(&tokens, "access_token")).await?.as_deref(), Some("alice"));
    Ok(())
}

#[tokio::test]
async fn a_replay_revokes_what_the_code_has_produced() -> Result {
    let (program, mut browser) = (Program::start(), Browser::new()?);
    let code = browser.code(&program, "native", NATIVE_URI).await?;
    let tokens = token(&program, &of_native(&code)).await?;
    let (access, renew) = (member(&tokens, "access_token"), member(&tokens, "refresh_token"));

    let guess = "a-guess-0123456789-0123456789-0123456789-012";
    let stolen = token(&program, &changed(&of_native(&code), "code_verifier", guess)).await?;
    assert_eq!(member(&stolen, "error"), "invalid_grant");
    assert_eq!(whose(&program, &access).await?.as_deref(), Some("alice"), "a wrong verifier revokes nothing");

    let replayed = token(&program, &of_native(&code)).await?;
    assert_eq!((replayed.status, member(&replayed, "error").as_str()), (StatusCode::BAD_REQUEST, "invalid_grant"));
    assert_eq!(whose(&program, &access).await?, None);
    assert_eq!(member(&token(&program, &refresh(&renew)).await?, "error"), "invalid_grant");
    Ok(())
}

#[tokio::test]
async fn another_client_cannot_redeem_the_code() -> Result {
    let (program, mut browser) = (Program::start(), Browser::new()?);
    let code = browser.code(&program, "native", NATIVE_URI).await?;
    let honest = of_native(&code);

    let of_web = changed(&honest, "client_id", "");
    let wrong = send(&program, &of_web, Some(("web", &WEB_SECRET.replace(' ', "+")))).await?;
    assert_eq!((wrong.status, member(&wrong, "error").as_str()), (StatusCode::BAD_REQUEST, "invalid_grant"));
    let nobody = token(&program, &changed(&honest, "client_id", "nobody")).await?;
    assert_eq!((nobody.status, member(&nobody, "error").as_str()), (StatusCode::BAD_REQUEST, "invalid_grant"));
    assert_eq!(token(&program, &changed(&honest, "client_id", "")).await?.status, StatusCode::UNAUTHORIZED);

    assert_eq!(token(&program, &honest).await?.status, StatusCode::OK);
    Ok(())
}

#[tokio::test]
async fn a_confidential_client_needs_its_secret() -> Result {
    let (program, mut browser) = (Program::start(), Browser::new()?);
    let code = browser.code(&program, "web", WEB_URI).await?;
    let form = [("grant_type", "authorization_code"), ("code", &code), ("code_verifier", VERIFIER)];
    for basic in [("web", "guess"), ("web", ""), ("", WEB_SECRET)] {
        let wrong = send(&program, &form, Some(basic)).await?;
        assert_eq!((wrong.status, member(&wrong, "error").as_str()), (StatusCode::UNAUTHORIZED, "invalid_client"));
        assert_eq!(wrong.header("www-authenticate"), "Basic");
    }
    let wrong = send(&program, &form, Some(("native", WEB_SECRET))).await?;
    assert_eq!((wrong.status, member(&wrong, "error").as_str()), (StatusCode::BAD_REQUEST, "invalid_grant"));
    for client_id in ["web", "native"] {
        let without = [form.as_slice(), &[("client_id", client_id)]].concat();
        assert!(token(&program, &without).await?.status.is_client_error());
    }
    let of_two = [form.as_slice(), &[("client_id", "native")]].concat();
    assert_eq!(send(&program, &of_two, Some(("web", WEB_SECRET))).await?.status, StatusCode::BAD_REQUEST);

    assert_eq!(send(&program, &form, Some(("web", WEB_SECRET))).await?.status, StatusCode::OK);
    Ok(())
}

#[tokio::test]
async fn another_redirect_uri_is_rejected_and_none_is_served() -> Result {
    let (program, mut browser) = (Program::start(), Browser::new()?);
    let code = browser.code(&program, "native", NATIVE_URI).await?;
    for uri in ["http://127.0.0.1:49153/callback", "http://127.0.0.1/callback", WEB_URI] {
        let wrong = token(&program, &changed(&of_native(&code), "redirect_uri", uri)).await?;
        assert_eq!(
            (wrong.status, member(&wrong, "error").as_str()),
            (StatusCode::BAD_REQUEST, "invalid_grant"),
            "{uri}"
        );
    }
    assert_eq!(token(&program, &changed(&of_native(&code), "redirect_uri", "")).await?.status, StatusCode::OK);
    Ok(())
}

#[tokio::test]
async fn another_grant_type_is_unsupported() -> Result {
    let program = Program::start();
    let password = token(&program, &[("grant_type", "password"), ("client_id", "native")]).await?;
    let expected = (StatusCode::BAD_REQUEST, "unsupported_grant_type".to_owned());
    assert_eq!((password.status, member(&password, "error")), expected);
    Ok(())
}
