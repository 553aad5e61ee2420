//! Revocation (RFC 7009).

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post as route;
use reqwest::header::AUTHORIZATION;
use serde_json::json;

use crate::Result;
use crate::app::App;
use crate::program::Stage;
use crate::provider::Upstream;
use crate::user_agent::{UserAgent, get, http, pairs, post};

async fn stage() -> Result<Stage> {
    let stage = Stage::with(|config| {
        config["upstream"]["revocation_endpoint"] = json!("/revoke");
        config["upstream"]["revocation"] = json!({ "add": { "tenant": "7" } });
    });
    stage.await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_upstreams_token_is_revoked_and_with_it_all_that_was_sealed_around_it() -> Result {
    let stage = stage().await?;
    let revoke = format!("{}/revoke", stage.gateway);
    for app in [App::WEB, App::NATIVE] {
        let flow = app.flow();
        let code = flow.code(&stage.gateway).await?;
        let tokens = flow.redeem(&stage.gateway, &code).await?;
        let sealed = tokens.member("refresh_token").unwrap();
        let upstreams = stage.upstream.parts.refresh_tokens.lock().unwrap().last().cloned().unwrap();
        let seen = app.post(&revoke, &[("token", &sealed), ("token_type_hint", "refresh_token")]).await?;
        assert_eq!((seen.status, seen.body.as_str()), (200, ""));
        let heard = stage.upstream.heard("/revoke").pop().unwrap();
        let own = [("token", upstreams.as_str()), ("token_type_hint", "refresh_token"), ("tenant", "7")];
        assert_eq!(pairs(&heard.body), own.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert!(!format!("{heard:?}").contains("web-secret") && heard.headers.contains_key(AUTHORIZATION));
        assert!(stage.upstream.parts.refresh_tokens.lock().unwrap().is_empty());
        app.refresh(&stage.gateway, &sealed).await?.is(400, "invalid_grant");
        // Once more is no error (§2.2), and an access token goes there as it is.
        assert_eq!(app.post(&revoke, &[("token", &sealed)]).await?.status, 200);
        assert_eq!(app.post(&revoke, &[("token", &tokens.member("access_token").unwrap())]).await?.status, 200);
        assert!(stage.upstream.parts.access_tokens.lock().unwrap().is_empty());
    }
    let document = get(&format!("{}/.well-known/oauth-authorization-server", stage.gateway)).await?;
    assert_eq!(document.member("revocation_endpoint"), Some(revoke));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_client_that_has_a_token_revokes_it() -> Result {
    let stage = stage().await?;
    let revoke = format!("{}/revoke", stage.gateway);
    let flow = App::WEB.flow();
    let code = flow.code(&stage.gateway).await?;
    let sealed = flow.redeem(&stage.gateway, &code).await?.member("refresh_token").unwrap();
    App::NATIVE.post(&revoke, &[("token", &sealed)]).await?.is(400, "invalid_grant");
    App { secret: None, ..App::WEB }.post(&revoke, &[("token", &sealed)]).await?.is(401, "invalid_client");
    App { secret: Some("x"), ..App::WEB }.post(&revoke, &[("token", &sealed)]).await?.is(401, "invalid_client");
    App::WEB.post(&revoke, &[]).await?.is(400, "invalid_request");
    App::WEB.post(&revoke, &[("token", &sealed), ("Token", "x")]).await?.is(400, "invalid_request");
    post(&revoke, &[], &format!("token={sealed}")).await?.is(401, "invalid_client");
    let json =
        http().post(&revoke).header("content-type", "application/json").body(json!({ "token": sealed }).to_string());
    UserAgent::default().send(json).await?.is(400, "invalid_request");
    assert!(stage.upstream.heard("/revoke").is_empty());
    App::WEB.post(&revoke, &[("token", "unsupported")]).await?.is(400, "unsupported_token_type");
    assert_eq!(App::WEB.refresh(&stage.gateway, &sealed).await?.status, 200);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_that_failed_is_not_said_to_have_been_done() -> Result {
    for (status, expected) in [(503, 503), (500, 502), (302, 502), (401, 502)] {
        let status = StatusCode::from_u16(status)?;
        let routes = Router::new().route("/revoke", route(move || async move { status }));
        let upstream = Upstream::with(json!({}), routes).await?;
        let endpoint = format!("{}/revoke", upstream.url);
        let stage = Stage::before(upstream, |config| config["upstream"]["revocation_endpoint"] = json!(endpoint))?;
        let seen = App::WEB.post(&format!("{}/revoke", stage.gateway), &[("token", "x")]).await?;
        assert_eq!(seen.status, expected);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_upstream_has_no_revocation_the_gateway_has_none() -> Result {
    let stage = Stage::new().await?;
    assert_eq!(App::WEB.post(&format!("{}/revoke", stage.gateway), &[("token", "x")]).await?.status, 404);
    let document = get(&format!("{}/.well-known/oauth-authorization-server", stage.gateway)).await?;
    assert_eq!(document.member("revocation_endpoint"), None);
    assert!(stage.upstream.heard("/revoke").is_empty());
    Ok(())
}
