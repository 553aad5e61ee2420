//! Honest clients.

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use serde_json::json;

use crate::Result;
use crate::app::App;
use crate::program::Stage;
use crate::provider::Upstream;
use crate::user_agent::{UserAgent, form, get, http, pairs, value};

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_upstream_sees_one_confidential_client_and_no_pkce() -> Result {
    let stage = Stage::new().await?;
    let (flow, mut browser) = (App::NATIVE.flow(), UserAgent::default());
    let more = [("scope", "photos"), ("nonce", "n+1 &"), ("resource", "https://a/"), ("resource", "https://b/")];
    let query = flow.sign_in(&mut browser, &stage.gateway, &more).await?;
    let code = browser.get(&format!("{}/callback?{query}", stage.gateway)).await?.parameter("code").unwrap();
    assert_eq!(flow.redeem(&stage.gateway, &code).await?.status, 200);

    let request = stage.upstream.heard("/authorize").remove(0);
    let callback = format!("{}/callback", stage.gateway);
    let short = value(&query, "state").unwrap();
    let own = [("response_type", "code"), ("client_id", "the-gateway"), ("redirect_uri", &callback), ("state", &short)];
    assert_eq!(pairs(request.target.split_once('?').unwrap().1), owned(&[&own[..], &more].concat()));

    let token = stage.upstream.heard("/token").remove(0);
    let upstream_code = value(&query, "code").unwrap();
    let expected = [("grant_type", "authorization_code"), ("code", &upstream_code), ("redirect_uri", &callback)];
    assert_eq!(pairs(&token.body), owned(&expected));
    assert!(token.headers[AUTHORIZATION].to_str()?.starts_with("Basic "));
    assert_eq!(token.headers["accept-encoding"], "identity");
    assert_ne!(code, upstream_code, "the client never has a code of the upstream");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_goes_into_the_body_for_an_upstream_that_wants_it_there() -> Result {
    let stage = Stage::with(|config| config["upstream"]["client_authentication"] = json!("client_secret_post")).await?;
    let flow = App::NATIVE.flow();
    let code = flow.code(&stage.gateway).await?;
    assert_eq!(flow.redeem(&stage.gateway, &code).await?.status, 200);
    let token = stage.upstream.heard("/token").remove(0);
    assert!(!token.headers.contains_key(AUTHORIZATION));
    assert_eq!(value(&token.body, "client_secret").as_deref(), Some("the-gateway's secret"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_has_pkce_gets_a_challenge_and_a_verifier_of_the_gateways_own() -> Result {
    let has_pkce = json!({ "code_challenge_methods_supported": ["S256"] });
    let discovered = Stage::before(Upstream::with(has_pkce.clone(), axum::Router::new()).await?, |_| ())?;
    let configured = Stage::with(|config| config["upstream"]["pkce"] = json!(true)).await?;
    for stage in [&discovered, &configured] {
        let flow = App::NATIVE.flow();
        let code = flow.code(&stage.gateway).await?;
        assert_eq!(flow.redeem(&stage.gateway, &code).await?.status, 200);
        let challenge = value(&stage.upstream.heard("/authorize")[0].target, "code_challenge").unwrap();
        assert_ne!(challenge, flow.verifier.challenge().authorization_parameters()[0].1);
        let verifier = value(&stage.upstream.heard("/token")[0].body, "code_verifier").unwrap();
        assert_ne!(verifier, flow.verifier.as_str());
    }
    let off = Stage::before(Upstream::with(has_pkce, axum::Router::new()).await?, |config| {
        config["upstream"]["pkce"] = json!(false);
    })?;
    off.upstream.heard("/authorize");
    let flow = App::NATIVE.flow();
    let code = flow.code(&off.gateway).await?;
    assert_eq!(flow.redeem(&off.gateway, &code).await?.status, 200);
    assert_eq!(value(&off.upstream.heard("/authorize")[0].target, "code_challenge"), None);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_gets_back_its_own_state_exactly_and_the_upstream_a_short_one() -> Result {
    let stage = Stage::new().await?;
    let (long, escaped) = ("s".repeat(2048), "\u{1}".repeat(2048));
    let odd = ["x", "a b+c&d=e#f?g%20", "\r\nSet-Cookie: a=b\r\n\r\n", "é 漢字 \u{0}", "state=1&iss=evil"];
    for state in odd.into_iter().chain([long.as_str(), &escaped]) {
        let mut browser = UserAgent::default();
        let request = App::WEB.flow().request(&stage.gateway, &[]).replace("state=", "ignored=");
        let request = format!("{request}&{}", form(&[("state", state)]));
        let to_upstream = browser.get(&request).await?.location()?;
        let (_, short) = to_upstream.query_pairs().find(|(name, _)| name == "state").unwrap();
        assert!(short.len() < 256, "{short}");
        assert!(browser.cookies[0].1.len() <= 700, "{:?}", browser.cookies);
        let back = get(to_upstream.as_str()).await?.location()?;
        let seen = browser.get(back.as_str()).await?;
        assert_eq!(seen.parameter("state").as_deref(), Some(state));
        assert_eq!(seen.parameter("iss").as_ref(), Some(&stage.gateway));
        assert!(seen.location()?.as_str().starts_with("https://app.example/cb?tenant=7&code="));
        assert!(browser.cookies.is_empty());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_a_state_gets_none() -> Result {
    let stage = Stage::new().await?;
    let mut browser = UserAgent::default();
    let request = App::NATIVE.flow().request(&stage.gateway, &[]).replace("state=", "ignored=");
    let to_upstream = browser.get(&request).await?.location()?;
    let back = get(to_upstream.as_str()).await?.location()?;
    let location = browser.get(back.as_str()).await?.location()?;
    assert_eq!(location.query_pairs().map(|(name, _)| name).collect::<Vec<_>>(), ["code", "iss"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn tabs_of_one_browser_finish_in_any_order_and_the_newest_flows_are_kept() -> Result {
    let stage = Stage::new().await?;
    let mut browser = UserAgent::default();
    let first = App::NATIVE.flow().sign_in(&mut browser, &stage.gateway, &[]).await?;
    for _ in 0..12 {
        App::NATIVE.flow().sign_in(&mut browser, &stage.gateway, &[]).await?;
    }
    let mut tabs = Vec::new();
    for app in [App::NATIVE, App::WEB, App::NATIVE] {
        let flow = app.flow();
        tabs.push((flow.sign_in(&mut browser, &stage.gateway, &[]).await?, flow));
    }
    assert_eq!(browser.cookies.len(), 10);
    for (query, flow) in tabs.into_iter().rev() {
        let seen = browser.get(&format!("{}/callback?{query}", stage.gateway)).await?;
        assert!(seen.location()?.as_str().starts_with(flow.app.redirect_uri));
        assert_eq!(flow.redeem(&stage.gateway, &seen.parameter("code").unwrap()).await?.status, 200);
    }
    assert_eq!(browser.cookies.len(), 7);
    browser.get(&format!("{}/callback?{first}", stage.gateway)).await?.is_page();
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_in_a_browser_sees_tokens_errors_and_metadata() -> Result {
    let stage = Stage::new().await?;
    let flow = App::NATIVE.flow();
    let code = flow.code(&stage.gateway).await?;
    let (tokens, rejected) = (flow.redeem(&stage.gateway, &code).await?, flow.redeem(&stage.gateway, &code).await?);
    let metadata = get(&format!("{}/.well-known/oauth-authorization-server", stage.gateway)).await?;
    assert_eq!((tokens.status, rejected.status, metadata.status), (200, 400, 200));
    for seen in [&tokens, &rejected, &metadata] {
        assert_eq!(seen.headers["access-control-allow-origin"], "*");
        assert_eq!(seen.headers[CACHE_CONTROL], "no-store");
        assert_eq!(seen.headers[CONTENT_TYPE], "application/json");
    }
    for path in ["/token", "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
        let request = http()
            .request(Method::OPTIONS, format!("{}{path}", stage.gateway))
            .header("origin", "https://app.example")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type,mcp-protocol-version");
        let preflight = UserAgent::default().send(request).await?;
        assert!(preflight.status < 300 && preflight.headers["access-control-allow-origin"] == "*", "{path}");
        let allowed = preflight.headers["access-control-allow-headers"].to_str()?;
        assert!(["authorization", "content-type", "mcp-protocol-version"].iter().all(|name| allowed.contains(name)));
    }
    Ok(())
}
