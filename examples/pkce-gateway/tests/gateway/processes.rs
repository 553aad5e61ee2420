//! Two processes that share a Redis and the keys.

use std::sync::Arc;

use pkce_test_servers::Redis;
use tokio::task::JoinSet;

use crate::Result;
use crate::app::{App, Flow};
use crate::program::{Program, config, keys};
use crate::provider::Upstream;
use crate::user_agent::UserAgent;

const ISSUER: &str = "https://gateway.example";

/// A gateway on a Redis, with a public https URL.
pub(crate) fn start(upstream: &Upstream, redis: &Redis, of: &[u8]) -> Result<Program> {
    let mut config = config(upstream);
    config["keys"] = keys(of);
    Program::start(&config, &["--issuer", ISSUER, "--store", &redis.url()])
}

/// Begins at one gateway and comes back to another: the code.
pub(crate) async fn code(flow: &Flow, begun: &Program, finished: &Program) -> Result<String> {
    let mut browser = UserAgent::default();
    let query = flow.sign_in(&mut browser, &begun.url, &[("scope", "photos")]).await?;
    assert!(browser.cookies[0].0.starts_with("__Host-"), "the issuer has https");
    let seen = browser.get(&format!("{}/callback?{query}", finished.url)).await?;
    Ok(seen.parameter("code").ok_or_else(|| format!("no code: {seen:?}"))?)
}

#[tokio::test(flavor = "multi_thread")]
async fn gateways_that_share_a_store_and_a_key_share_the_work() -> Result {
    let Some(redis) = Redis::start() else { return Ok(()) };
    let upstream = Upstream::new().await?;
    let (one, other) = (start(&upstream, &redis, &[1])?, start(&upstream, &redis, &[1])?);
    for app in [App::NATIVE, App::WEB] {
        let flow = app.flow();
        let code = code(&flow, &one, &other).await?;
        let tokens = flow.redeem(&one.url, &code).await?;
        assert_eq!(tokens.status, 200, "{}", tokens.body);
        flow.redeem(&other.url, &code).await?.is(400, "invalid_grant");
        assert_eq!(app.refresh(&other.url, &tokens.member("refresh_token").unwrap()).await?.status, 200);
    }
    let long = "s".repeat(2000);
    for more in [&[][..], &[("state", long.as_str())]] {
        for _ in 0..6 {
            let (flow, mut browser) = (App::NATIVE.flow(), UserAgent::default());
            let request = flow.request(&one.url, more);
            let request = if more.is_empty() { request } else { request.replacen("state=", "other=", 1) };
            let to_upstream = browser.get(&request).await?.location()?;
            let back = UserAgent::default().get(to_upstream.as_str()).await?.location()?;
            let mut tasks = JoinSet::new();
            for url in [&one.url, &other.url, &one.url, &other.url] {
                let mut again = UserAgent { cookies: browser.cookies.clone() };
                let callback = format!("{url}/callback?{}", back.query().unwrap());
                tasks.spawn(async move { again.get(&callback).await.map(|seen| seen.parameter("code")) });
            }
            let codes: Vec<Option<String>> = tasks.join_all().await.into_iter().collect::<Result<_>>()?;
            assert_eq!(codes.iter().flatten().count(), 1, "a transaction came through more than once");
        }
    }
    for _ in 0..10 {
        let flow = Arc::new(App::NATIVE.flow());
        let code = code(&flow, &other, &one).await?;
        let mut tasks = JoinSet::new();
        for url in [&one.url, &other.url].repeat(5) {
            let (flow, code, url) = (Arc::clone(&flow), code.clone(), url.clone());
            tasks.spawn(async move { flow.redeem(&url, &code).await.map(|seen| seen.status) });
        }
        let statuses: Vec<u16> = tasks.join_all().await.into_iter().collect::<Result<_>>()?;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| matches!(status, 200 | 400)), "{statuses:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_changed_while_flows_are_on_their_way() -> Result {
    let Some(redis) = Redis::start() else { return Ok(()) };
    let upstream = Upstream::new().await?;
    let start = |keys: &[u8]| start(&upstream, &redis, keys);
    let (old, changing, new) = (start(&[1])?, start(&[2, 1])?, start(&[2])?);
    let flow = App::NATIVE.flow();
    let code_of_old = code(&flow, &old, &changing).await?;
    assert_eq!(flow.redeem(&changing.url, &code_of_old).await?.status, 200);
    // What the one in between has sealed is for the new one, and what the old one has sealed is not.
    let flow = App::NATIVE.flow();
    let code_of_new = code(&flow, &changing, &new).await?;
    assert_eq!(flow.redeem(&new.url, &code_of_new).await?.status, 200);
    assert!(code(&App::NATIVE.flow(), &old, &new).await.is_err());
    let flow = App::NATIVE.flow();
    let code_of_old = code(&flow, &old, &old).await?;
    flow.redeem(&new.url, &code_of_old).await?.is(400, "invalid_grant");
    assert_eq!(flow.redeem(&changing.url, &code_of_old).await?.status, 200, "it was not used up");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_a_gateway_is_alone_and_logs_that() -> Result {
    let Some(redis) = Redis::start() else { return Ok(()) };
    let upstream = Upstream::new().await?;
    let (one, other) = (start(&upstream, &redis, &[])?, start(&upstream, &redis, &[])?);
    let flow = App::NATIVE.flow();
    let of_one = code(&flow, &one, &one).await?;
    assert!(code(&App::NATIVE.flow(), &one, &other).await.is_err());
    flow.redeem(&other.url, &of_one).await?.is(400, "invalid_grant");
    assert_eq!(flow.redeem(&one.url, &of_one).await?.status, 200);
    one.says("there is no key in the configuration").await;
    Ok(())
}
