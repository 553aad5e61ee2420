//! Tokens are for one resource (RFC 8707).

use crate::Result;
use crate::client::{Tokens, changed, code, redemption, refresh, register, request, tokens};
use crate::site::Site;
use crate::user::User;

const OURS: [&str; 3] = ["https://mcp.example/mcp", "HTTPS://MCP.example/mcp", "https://mcp.example:443/mcp"];
const OTHERS: [&str; 11] = [
    "https://other.example/mcp",
    "https://mcp.example",
    "https://mcp.example/",
    "https://mcp.example/mcp/",
    "https://mcp.example/MCP",
    "https://mcp.example/mcp?x",
    "https://mcp.example/mcp#x",
    "https://mcp.example@other.example/mcp",
    "http://mcp.example/mcp",
    "mcp.example",
    "",
];

#[tokio::test]
async fn another_resource_is_refused_in_the_authorization_request() -> Result {
    let site = Site::start().await?;
    let client = register(&site).await?;
    for resource in OURS {
        let said = User::default().approve(&site, &changed(request(&client), "resource", resource)).await?;
        assert!(said.parameter("code").is_some(), "{resource}");
    }
    for resource in OTHERS {
        let said = User::default().approve(&site, &changed(request(&client), "resource", resource)).await?;
        assert_eq!(said.parameter("error").as_deref(), Some("invalid_target"), "{resource}");
    }
    let both = [OURS[0], OTHERS[0]].map(|resource| ("resource", resource));
    for (resources, code) in [([both[0], both[0]], true), (both, false), ([both[1], both[0]], false)] {
        let said = User::default().approve(&site, &[request(&client), resources.to_vec()].concat()).await?;
        assert_eq!(said.parameter("code").is_some(), code, "{resources:?}");
        assert_eq!(said.parameter("error").as_deref(), (!code).then_some("invalid_target"), "{resources:?}");
    }
    Ok(())
}

#[tokio::test]
async fn another_resource_is_refused_in_the_token_request_and_changes_nothing() -> Result {
    let site = Site::start().await?;
    let client = register(&site).await?;
    let code = code(&site, &client).await?;
    let twice =
        |form: Vec<_>, resources: [&'static str; 2]| [form, resources.map(|it| ("resource", it)).to_vec()].concat();
    for resource in OTHERS {
        let form = changed(redemption(&client, &code), "resource", resource);
        site.post_form("/oauth/token", &form).await?.assert_is_error("invalid_target");
    }
    let form = twice(redemption(&client, &code), [OURS[0], OTHERS[0]]);
    site.post_form("/oauth/token", &form).await?.assert_is_error("invalid_target");
    let form = twice(redemption(&client, &code), [OURS[0], OURS[0]]);
    let tokens = Tokens::of(&site.post_form("/oauth/token", &form).await?);

    for resource in OTHERS {
        let form = changed(refresh(&client, &tokens.refresh), "resource", resource);
        site.post_form("/oauth/token", &form).await?.assert_is_error("invalid_target");
    }
    assert!(site.opens(&tokens.access).await?);
    let form = changed(refresh(&client, &tokens.refresh), "resource", OURS[0]);
    let tokens = Tokens::of(&site.post_form("/oauth/token", &form).await?);
    assert!(site.opens(&tokens.access).await?);
    Ok(())
}

#[tokio::test]
async fn a_token_of_another_server_opens_nothing() -> Result {
    let (site, other) = (Site::start().await?, Site::start().await?);
    let access = tokens(&other, &register(&other).await?).await?.access;
    assert!(other.opens(&access).await?);
    assert!(!site.opens(&access).await?);
    Ok(())
}
