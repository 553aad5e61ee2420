//! The token endpoint: codes.

use std::sync::Arc;

use crate::client::{Tokens, changed, code, redeem, redemption, register};
use crate::site::Site;
use crate::{Result, VERIFIER};

#[tokio::test]
async fn the_tokens_name_type_scope_and_lifetime() -> Result {
    let site = Site::start().await?;
    let client = register(&site).await?;
    let said = redeem(&site, &client, &code(&site, &client).await?).await?;
    assert_eq!((said.text("token_type").as_str(), said.text("scope").as_str()), ("Bearer", "tools"));
    assert_eq!(said.member("expires_in"), 3600);
    assert!(site.opens(&Tokens::of(&said).access).await?);
    Ok(())
}

#[tokio::test]
async fn a_token_request_without_a_redirect_uri_is_served() -> Result {
    let site = Site::start().await?;
    let client = register(&site).await?;
    let code = code(&site, &client).await?;
    let said = site.post_form("/oauth/token", &changed(redemption(&client, &code), "redirect_uri", None)).await?;
    assert!(site.opens(&Tokens::of(&said).access).await?);
    Ok(())
}

#[tokio::test]
async fn a_wrong_token_request_changes_nothing() -> Result {
    let site = Site::start().await?;
    let (client, other) = (register(&site).await?, register(&site).await?);
    let code = code(&site, &client).await?;
    for (name, value, error) in [
        ("code_verifier", None, "invalid_grant"),
        ("code_verifier", Some("short"), "invalid_grant"),
        ("code_verifier", Some(VERIFIER.to_uppercase().as_str()), "invalid_grant"),
        ("client_id", None, "invalid_client"),
        ("client_id", Some(other.as_str()), "invalid_grant"),
        ("client_id", Some("nobody"), "invalid_grant"),
        ("redirect_uri", Some("http://127.0.0.1:8081/callback"), "invalid_grant"),
        ("redirect_uri", Some("https://attacker.example/"), "invalid_grant"),
        ("code", Some("unknown"), "invalid_grant"),
        ("scope", Some("root"), "invalid_scope"),
        ("grant_type", None, "invalid_request"),
        ("grant_type", Some("client_credentials"), "invalid_request"), // with a code
    ] {
        let said = site.post_form("/oauth/token", &changed(redemption(&client, &code), name, value)).await?;
        said.assert_is_error(error);
    }
    site.post_form("/oauth/token", &[("grant_type", "client_credentials")])
        .await?
        .assert_is_error("unsupported_grant_type");
    let said =
        site.post_form("/oauth/token", &[redemption(&client, &code), vec![("client_id", &other)]].concat()).await?;
    assert_eq!(said.status, 400, "{said:?}");
    Tokens::of(&redeem(&site, &client, &code).await?);
    Ok(())
}

#[tokio::test]
async fn a_replay_revokes_the_tokens_those_of_a_refresh_included() -> Result {
    let site = Site::start().await?;
    let client = register(&site).await?;
    let code = code(&site, &client).await?;
    let first = Tokens::of(&redeem(&site, &client, &code).await?);
    let second = Tokens::of(&first.refresh(&site, &client).await?);
    assert!(site.opens(&second.access).await?);
    // Without the right verifier or by another client it is no replay.
    let form = changed(redemption(&client, &code), "code_verifier", &*"x".repeat(43).leak());
    site.post_form("/oauth/token", &form).await?.assert_is_error("invalid_grant");
    redeem(&site, "nobody", &code).await?.assert_is_error("invalid_grant");
    assert!(site.opens(&second.access).await?);
    redeem(&site, &client, &code).await?.assert_is_error("invalid_grant");
    assert!(!site.opens(&second.access).await?);
    second.refresh(&site, &client).await?.assert_is_error("invalid_grant");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_that_overtakes_the_tokens_revokes_them() -> Result {
    let site = Arc::new(Site::start().await?);
    let client = register(&site).await?;
    for _ in 0..20 {
        let code = code(&site, &client).await?;
        let attempts: Vec<_> = (0..2)
            .map(|_| {
                let (site, client, code) = (Arc::clone(&site), client.clone(), code.clone());
                tokio::spawn(async move { redeem(&site, &client, &code).await.ok() })
            })
            .collect();
        for attempt in attempts {
            let said = attempt.await?.ok_or("no response")?;
            if said.status == 200 {
                // The other one was, or will have been, a replay.
                let access = Tokens::of(&said).access;
                redeem(&site, &client, &code).await?.assert_is_error("invalid_grant");
                assert!(!site.opens(&access).await?);
            } else {
                said.assert_is_error("invalid_grant");
            }
        }
    }
    Ok(())
}
