//! Refresh tokens.

use reqwest::StatusCode;

use crate::browser::Browser;
use crate::program::Program;
use crate::token_client::{changed, member, of_native, refresh, send, token, whose};
use crate::{NATIVE_URI, Result, WEB_SECRET};

#[tokio::test]
async fn a_refresh_token_that_is_used_twice_revokes_the_grant() -> Result {
    let (program, mut browser) = (Program::start(), Browser::new()?);
    let code = browser.code(&program, "native", NATIVE_URI).await?;
    let first = member(&token(&program, &of_native(&code)).await?, "refresh_token");
    let renewed = token(&program, &refresh(&first)).await?;
    assert_eq!(renewed.header("cache-control"), "no-store");
    let (access, second) = (member(&renewed, "access_token"), member(&renewed, "refresh_token"));
    assert_ne!(first, second);
    assert_eq!(whose(&program, &access).await?.as_deref(), Some("alice"));

    assert_eq!(member(&token(&program, &refresh(&first)).await?, "error"), "invalid_grant");
    assert_eq!(whose(&program, &access).await?, None);
    assert_eq!(member(&token(&program, &refresh(&second)).await?, "error"), "invalid_grant");
    Ok(())
}

#[tokio::test]
async fn a_refresh_by_another_client_destroys_nothing() -> Result {
    let (program, mut browser) = (Program::start(), Browser::new()?);
    let code = browser.code(&program, "native", NATIVE_URI).await?;
    let renew = member(&token(&program, &of_native(&code)).await?, "refresh_token");

    let honest = refresh(&renew);
    let by_web = send(&program, &changed(&honest, "client_id", ""), Some(("web", WEB_SECRET))).await?;
    assert_eq!(member(&by_web, "error"), "invalid_grant");
    for client_id in ["nobody", "web", ""] {
        let other = token(&program, &changed(&honest, "client_id", client_id)).await?;
        assert_eq!(other.status, StatusCode::UNAUTHORIZED);
    }
    for forged in ["", ".", "guess"] {
        let forged = token(&program, &changed(&honest, "refresh_token", forged)).await?;
        assert_eq!(member(&forged, "error"), "invalid_grant");
    }
    assert_eq!(token(&program, &honest).await?.status, StatusCode::OK);
    Ok(())
}
