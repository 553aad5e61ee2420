//! What is in the store, and what a gateway does without one.

use std::time::Duration;

use pkce_test_servers::{Redis, RedisCluster};

use crate::Result;
use crate::app::{App, STATE};
use crate::processes::{code, start};
use crate::program::{Program, config};
use crate::provider::{SECRET, Upstream};
use crate::user_agent::{UserAgent, form, get, value};

#[tokio::test(flavor = "multi_thread")]
async fn neither_the_store_nor_the_log_shows_a_code() -> Result {
    let Some(redis) = Redis::start() else { return Ok(()) };
    let upstream = Upstream::new().await?;
    let gateway = start(&upstream, &redis, &[1])?;
    let (flow, mut browser) = (App::NATIVE.flow(), UserAgent::default());
    let padded = format!("{STATE}{}", "s".repeat(2000));
    let request = flow.request(&gateway.url, &[]).replace("state=", "other=");
    let location = browser.get(&format!("{request}&{}", form(&[("state", &padded)]))).await?.location()?;
    let back = get(location.as_str()).await?.location()?;
    let query = back.query().unwrap().to_owned();
    let code = browser.get(&format!("{}/callback?{query}", gateway.url)).await?.parameter("code").unwrap();
    let all = "local all = {} for _, key in ipairs(redis.call('KEYS', '*')) do table.insert(all, key)
        table.insert(all, redis.call('GET', key)) end return table.concat(all, ' ')";
    let kept = redis.ask(&["EVAL", all, "0"])?;
    let tokens = flow.redeem(&gateway.url, &code).await?;
    flow.redeem(&gateway.url, &code).await?;
    gateway.says("status=200").await;
    let log = gateway.log();
    assert!(kept.len() > 4000, "{kept}");
    let (upstream_code, id) = (value(&query, "code").unwrap(), value(&query, "state").unwrap());
    let access_token = tokens.member("access_token").unwrap();
    let secrets = [&upstream_code, &id, &code, &access_token, flow.verifier.as_str(), SECRET, STATE];
    for secret in secrets {
        assert!(!kept.contains(secret), "{secret} in {kept}");
        assert!(!log.contains(secret), "{secret} in {log}");
    }
    assert!(!log.contains(&flow.verifier.challenge().authorization_parameters()[0].1), "{log}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_store_a_gateway_lets_nothing_through_and_is_not_ready() -> Result {
    let Some(mut redis) = Redis::start_with(&["--appendonly", "yes", "--appendfsync", "always"]) else { return Ok(()) };
    let upstream = Upstream::new().await?;
    let gateway = start(&upstream, &redis, &[1])?;
    let ready = format!("{}/readyz", gateway.url);
    assert_eq!(get(&ready).await?.status, 200);
    let flow = App::NATIVE.flow();
    let code = code(&flow, &gateway, &gateway).await?;
    redis.kill();
    flow.redeem(&gateway.url, &code).await?.is(503, "temporarily_unavailable");
    assert_eq!((get(&ready).await?.status, get(&format!("{}/healthz", gateway.url)).await?.status), (503, 200));
    let mut browser = UserAgent::default();
    let query = App::NATIVE.flow().sign_in(&mut browser, &gateway.url, &[]).await?;
    let seen = browser.get(&format!("{}/callback?{query}", gateway.url)).await?;
    seen.is(303, "temporarily_unavailable");
    assert_eq!((seen.parameter("code"), seen.parameter("state").as_deref()), (None, Some(STATE)));
    let long = App::NATIVE.flow().request(&gateway.url, &[]).replace("client%27s", &"s".repeat(1000));
    get(&long).await?.is(303, "temporarily_unavailable");
    redis.restart();
    let mut status = 503;
    for _ in 0..50 {
        status = flow.redeem(&gateway.url, &code).await?.status;
        if status != 503 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!((status, get(&ready).await?.status), (200, 200), "the code was not used up");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_hangs_is_not_waited_for() -> Result {
    let Some(redis) = Redis::start() else { return Ok(()) };
    let upstream = Upstream::new().await?;
    let gateway = start(&upstream, &redis, &[1])?;
    let flow = App::NATIVE.flow();
    let code = code(&flow, &gateway, &gateway).await?;
    redis.pause();
    let seen = tokio::time::timeout(Duration::from_secs(8), flow.redeem(&gateway.url, &code)).await;
    let ready = tokio::time::timeout(Duration::from_secs(8), get(&format!("{}/readyz", gateway.url))).await;
    redis.resume();
    seen??.is(503, "temporarily_unavailable");
    assert_eq!(ready??.status, 503);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_is_of_no_use_under_another_code() -> Result {
    let Some(redis) = Redis::start() else { return Ok(()) };
    let upstream = Upstream::new().await?;
    let gateway = start(&upstream, &redis, &[1])?;
    let (victims, attackers) = (App::NATIVE.flow(), App::NATIVE.flow());
    let of_victim = code(&victims, &gateway, &gateway).await?;
    let of_attacker = code(&attackers, &gateway, &gateway).await?;
    // A writer to the store swaps the grants of the two; the shorter records are marks.
    let swap = "local found = {} for _, key in ipairs(redis.call('KEYS', '*')) do
        if redis.call('STRLEN', key) > 200 then table.insert(found, key) end end
        local one, other = redis.call('GET', found[1]), redis.call('GET', found[2])
        redis.call('SET', found[1], one:sub(1, 149) .. other:sub(150), 'KEEPTTL')
        redis.call('SET', found[2], other:sub(1, 149) .. one:sub(150), 'KEEPTTL') return tostring(#found)";
    assert_eq!(redis.ask(&["EVAL", swap, "0"])?, "2");
    for (flow, code) in [(&attackers, &of_attacker), (&victims, &of_victim)] {
        flow.redeem(&gateway.url, code).await?.is(400, "invalid_grant");
    }
    redis.ask(&["EVAL", swap, "0"])?;
    for (flow, code) in [(&attackers, &of_attacker), (&victims, &of_victim)] {
        assert_eq!(flow.redeem(&gateway.url, code).await?.status, 200, "it was not used up");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_keeps_codes_as_well() -> Result {
    let Some(cluster) = RedisCluster::start() else { return Ok(()) };
    let upstream = Upstream::new().await?;
    let nodes: Vec<String> = cluster.urls().iter().map(|url| url.replace("redis://", "")).collect();
    let gateway = Program::start(&config(&upstream), &["--store", &format!("redis+cluster://{}", nodes.join(","))])?;
    for _ in 0..3 {
        let flow = App::NATIVE.flow();
        let code = flow.code(&gateway.url).await?;
        assert_eq!(flow.redeem(&gateway.url, &code).await?.status, 200);
        flow.redeem(&gateway.url, &code).await?.is(400, "invalid_grant");
    }
    Ok(())
}
