//! Honest clients.

use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use pkce_gateway::demo::{App, Result, UserAgent};

use crate::stage::{Stage, config, pairs, value};

#[tokio::test]
async fn the_upstream_sees_one_confidential_client_and_no_pkce() -> Result<()> {
    let stage = Stage::new().await?;
    let (flow, mut browser) = (App::NATIVE.flow()?, UserAgent::new());
    let more = [("scope", "photos"), ("nonce", "n+1 &"), ("resource", "https://a/"), ("resource", "https://b/")];
    let query = flow.sign_in(&mut browser, &stage.gateway, &more).await?;
    let code = browser.get(&format!("{}/callback?{query}", stage.gateway)).await?.parameter("code").unwrap();
    assert_eq!(flow.redeem(&stage.gateway, &code).await?.status, 200);

    let request = stage.heard("/authorize").remove(0);
    let parameters = pairs(request.target.split_once('?').unwrap().1);
    let callback = format!("{}/callback", stage.gateway);
    let sealed = value(&query, "state").unwrap();
    let expected = [
        ("response_type", "code"),
        ("client_id", "the-gateway"),
        ("redirect_uri", &callback),
        ("state", &sealed),
        ("scope", "photos"),
        ("nonce", "n+1 &"),
        ("resource", "https://a/"),
        ("resource", "https://b/"),
    ];
    assert_eq!(parameters, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));

    let token = stage.heard("/token").remove(0);
    let upstream_code = value(&query, "code").unwrap();
    let expected = [("grant_type", "authorization_code"), ("code", &upstream_code), ("redirect_uri", &callback)];
    assert_eq!(pairs(&token.body), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert!(token.headers[AUTHORIZATION].to_str()?.starts_with("Basic "));
    assert_ne!(code, upstream_code, "the client never has a code of the upstream");
    Ok(())
}

#[tokio::test]
async fn the_secret_goes_into_the_body_for_an_upstream_that_wants_it_there() -> Result<()> {
    let config = config("\"client_authentication\": \"client_secret_post\",", "");
    let stage = Stage::with(&config, pkce_tower::MemoryStore::new()).await?;
    let flow = App::NATIVE.flow()?;
    let code = flow.code(&mut UserAgent::new(), &stage.gateway).await?;
    assert_eq!(flow.redeem(&stage.gateway, &code).await?.status, 200);
    let token = stage.heard("/token").remove(0);
    assert!(!token.headers.contains_key(AUTHORIZATION));
    assert_eq!(value(&token.body, "client_secret").as_deref(), Some("the-gateway's secret"));
    Ok(())
}

#[tokio::test]
async fn the_client_gets_back_its_own_state_exactly_and_the_gateways_iss() -> Result<()> {
    let stage = Stage::new().await?;
    let long = "s".repeat(2048);
    for state in ["x", "a b+c&d=e#f?g%20", "\r\nSet-Cookie: a=b\r\n\r\n", "é 漢字 \u{0}", "state=1&iss=evil", &long]
    {
        let flow = App::WEB.flow()?;
        let mut browser = UserAgent::new();
        let request = flow.request(&stage.gateway, &[])?.replace("state=", "ignored=");
        let request = format!("{request}&{}", playground::form(&[("state", state)]));
        let to_upstream = browser.get(&request).await?.location()?;
        let back = UserAgent::new().get(to_upstream.as_str()).await?.location()?;
        let seen = browser.get(back.as_str()).await?;
        assert_eq!(seen.parameter("state").as_deref(), Some(state));
        assert_eq!(seen.parameter("iss").as_ref(), Some(&stage.gateway));
        assert_eq!(seen.parameter("tenant").as_deref(), Some("7"));
        assert!(seen.location()?.as_str().starts_with("https://app.example/cb?tenant=7&code="));
        assert!(!seen.headers.contains_key("set-cookie") || seen.headers["set-cookie"].to_str()?.contains("Max-Age=0"));
    }
    Ok(())
}

#[tokio::test]
async fn a_client_without_a_state_gets_none() -> Result<()> {
    let stage = Stage::new().await?;
    let mut browser = UserAgent::new();
    let request = App::NATIVE.flow()?.request(&stage.gateway, &[])?.replace("state=", "ignored=");
    let to_upstream = browser.get(&request).await?.location()?;
    let back = UserAgent::new().get(to_upstream.as_str()).await?.location()?;
    let names: Vec<String> =
        browser.get(back.as_str()).await?.location()?.query_pairs().map(|(n, _)| n.into()).collect();
    assert_eq!(names, ["code", "iss"]);
    Ok(())
}

#[tokio::test]
async fn tabs_of_one_browser_finish_in_any_order() -> Result<()> {
    let stage = Stage::new().await?;
    let mut browser = UserAgent::new();
    let mut tabs = Vec::new();
    for app in [App::NATIVE, App::WEB, App::NATIVE] {
        let flow = app.flow()?;
        let query = flow.sign_in(&mut browser, &stage.gateway, &[]).await?;
        tabs.push((flow, query));
    }
    assert_eq!(browser.cookies.len(), 3);
    for (flow, query) in tabs.into_iter().rev() {
        let seen = browser.get(&format!("{}/callback?{query}", stage.gateway)).await?;
        assert!(seen.location()?.as_str().starts_with(flow.app.redirect_uri));
        assert_eq!(flow.redeem(&stage.gateway, &seen.parameter("code").unwrap()).await?.status, 200);
    }
    assert_eq!(browser.cookies.len(), 0);
    Ok(())
}

#[tokio::test]
async fn a_browser_that_begins_without_end_keeps_the_newest_flows() -> Result<()> {
    let stage = Stage::new().await?;
    let mut browser = UserAgent::new();
    let first = App::NATIVE.flow()?.sign_in(&mut browser, &stage.gateway, &[]).await?;
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await; // the age is counted in seconds
    for _ in 0..30 {
        App::NATIVE.flow()?.sign_in(&mut browser, &stage.gateway, &[]).await?;
    }
    assert_eq!(browser.cookies.len(), 16);
    let last = App::NATIVE.flow()?.sign_in(&mut browser, &stage.gateway, &[]).await?;
    for (query, status) in [(first, 400), (last, 303)] {
        assert_eq!(browser.get(&format!("{}/callback?{query}", stage.gateway)).await?.status, status);
    }
    Ok(())
}

#[tokio::test]
async fn an_app_in_a_browser_sees_tokens_errors_and_metadata() -> Result<()> {
    let stage = Stage::new().await?;
    let metadata = format!("{}/.well-known/oauth-authorization-server", stage.gateway);
    let metadata = UserAgent::new().get(&metadata).await?;
    let document: serde_json::Value = serde_json::from_str(&metadata.body)?;
    assert_eq!(document["issuer"], stage.gateway);
    assert_eq!(document["token_endpoint"], format!("{}/token", stage.gateway));
    assert_eq!(document["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    let flow = App::NATIVE.flow()?;
    let code = flow.code(&mut UserAgent::new(), &stage.gateway).await?;
    let tokens = flow.redeem(&stage.gateway, &code).await?;
    let refused = flow.redeem(&stage.gateway, &code).await?;
    assert_eq!((tokens.status, refused.status), (200, 400));
    for seen in [&tokens, &refused, &metadata] {
        assert_eq!(seen.headers["access-control-allow-origin"], "*");
        assert_eq!(seen.headers[CACHE_CONTROL], "no-store");
        assert_eq!(seen.headers[CONTENT_TYPE], "application/json");
    }
    let preflight = stage.wire().send("OPTIONS", "/token", &[], "").await?;
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (204, Some("*")));
    Ok(())
}
