//! The token endpoint: refresh tokens.

use crate::Result;
use crate::client::{Tokens, changed, refresh, register, tokens};
use crate::site::Site;

#[tokio::test]
async fn a_refresh_token_is_replaced_and_the_new_tokens_are_good() -> Result {
    let site = Site::start().await?;
    let client = register(&site).await?;
    let first = tokens(&site, &client).await?;
    let second = Tokens::of(&first.refresh(&site, &client).await?);
    assert!(first.access != second.access && first.refresh != second.refresh);
    assert!(site.opens(&second.access).await?);
    assert!(!site.opens(&first.access).await?);
    Tokens::of(&second.refresh(&site, &client).await?);
    Ok(())
}

#[tokio::test]
async fn a_refresh_by_another_client_or_by_none_destroys_nothing() -> Result {
    let site = Site::start().await?;
    let (client, other) = (register(&site).await?, register(&site).await?);
    let first = tokens(&site, &client).await?;
    let rotated = Tokens::of(&first.refresh(&site, &client).await?);
    for token in [&first.refresh, &rotated.refresh] {
        for (client_id, error) in
            [(Some(other.as_str()), "invalid_grant"), (Some(""), "invalid_grant"), (None, "invalid_client")]
        {
            let form = changed(refresh(&client, token), "client_id", client_id);
            let said = site.post_form("/oauth/token", &form).await?;
            assert_eq!(said.status, 400, "{said:?}");
            assert!([error, "invalid_client"].contains(&said.text("error").as_str()), "{said:?}");
        }
    }
    assert!(site.opens(&rotated.access).await?);
    Tokens::of(&rotated.refresh(&site, &client).await?);
    Ok(())
}

#[tokio::test]
async fn a_refresh_token_that_comes_twice_revokes_the_grant_and_no_other() -> Result {
    let site = Site::start().await?;
    let client = register(&site).await?;
    let (first, bystander) = (tokens(&site, &client).await?, tokens(&site, &client).await?);
    let second = Tokens::of(&first.refresh(&site, &client).await?);
    first.refresh(&site, &client).await?.assert_is_error("invalid_grant");
    assert!(!site.opens(&second.access).await?);
    second.refresh(&site, &client).await?.assert_is_error("invalid_grant");
    assert!(site.opens(&bystander.access).await?);
    Tokens::of(&bystander.refresh(&site, &client).await?);
    Ok(())
}

#[tokio::test]
async fn of_two_refreshes_at_once_one_is_served_and_its_tokens_are_dead() -> Result {
    let site = Site::start().await?;
    let client = register(&site).await?;
    let first = tokens(&site, &client).await?;
    let (one, other) = tokio::join!(first.refresh(&site, &client), first.refresh(&site, &client));
    let (one, other) = (one?, other?);
    let (served, refused) = if one.status == 200 { (one, other) } else { (other, one) };
    refused.assert_is_error("invalid_grant");
    assert!(!site.opens(&Tokens::of(&served).access).await?);
    Ok(())
}

#[tokio::test]
async fn a_wrong_refresh_changes_nothing() -> Result {
    let site = Site::start().await?;
    let client = register(&site).await?;
    let tokens = tokens(&site, &client).await?;
    for (name, value, error) in [
        ("refresh_token", None, "invalid_request"),
        ("refresh_token", Some(""), "invalid_request"),
        ("refresh_token", Some("unknown"), "invalid_grant"),
        ("refresh_token", Some("."), "invalid_grant"),
        ("scope", Some("root"), "invalid_scope"),
        ("scope", Some("tools admin"), ""), // what is not granted is left out
    ] {
        let form = changed(refresh(&client, &tokens.refresh), name, value);
        let said = site.post_form("/oauth/token", &form).await?;
        if error.is_empty() {
            Tokens::of(&said);
            assert_eq!(said.text("scope"), "tools");
        } else {
            said.assert_is_error(error);
        }
    }
    Ok(())
}
