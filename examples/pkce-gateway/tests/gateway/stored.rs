//! What stands in the store, and what becomes of it all without one.

use std::collections::HashMap;

use pkce_gateway::demo::{App, Result, UserAgent};
use pkce_test_servers::Redis;

use crate::program::{Program, Upstream, code};
use crate::stage::pairs;

#[tokio::test(flavor = "multi_thread")]
async fn neither_the_store_nor_the_log_shows_a_code() -> Result<()> {
    let Some(redis) = Redis::start() else { return Ok(()) };
    let upstream = Upstream::start().await?;
    let gateway = Program::start(&upstream, &redis.url(), &[1])?;
    let flow = App::NATIVE.flow()?;
    let mut browser = UserAgent::new();
    let query = flow.sign_in(&mut browser, &gateway.url, &[("scope", "photos")]).await?;
    let seen = browser.get(&format!("{}/callback?{query}", gateway.url)).await?;
    let code = seen.parameter("code").unwrap();
    let all = "local all = {} for _, key in ipairs(redis.call('KEYS', '*')) do table.insert(all, key)
        if redis.call('TYPE', key).ok == 'string' then table.insert(all, redis.call('GET', key))
        else for _, value in ipairs(redis.call('HGETALL', key)) do table.insert(all, value) end end end
        return table.concat(all, ' ')";
    let kept = redis.ask(&["EVAL", all, "0"])?;
    let tokens = flow.redeem(&gateway.url, &code).await?;
    flow.redeem(&gateway.url, &code).await?;
    let log = gateway.stop()?;
    assert!(kept.len() > 500 && log.contains("status=200"), "{kept}\n{log}");
    let query: HashMap<String, String> = pairs(&query).into_iter().collect();
    let challenge = flow.verifier.challenge().authorization_parameters()[0].1.clone();
    let access_token = tokens.member("access_token").unwrap();
    let secrets = [&query["code"], &query["state"], &code, &access_token, flow.verifier.as_str()];
    for secret in secrets.into_iter().chain(["the-gateway's secret", "client's own state"]) {
        assert!(!kept.contains(secret), "{secret} in {kept}");
        assert!(!log.contains(secret), "{secret} in {log}");
    }
    assert!(!log.contains(&challenge), "{log}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_store_a_gateway_lets_nothing_through() -> Result<()> {
    let Some(mut redis) = Redis::start_with(&["--appendonly", "yes", "--appendfsync", "always"]) else { return Ok(()) };
    let upstream = Upstream::start().await?;
    let gateway = Program::start(&upstream, &redis.url(), &[1])?;
    let flow = App::NATIVE.flow()?;
    let code = code(&flow, &gateway, &gateway).await?;
    redis.kill();
    let seen = flow.redeem(&gateway.url, &code).await?;
    assert_eq!((seen.status, seen.error().as_deref()), (503, Some("temporarily_unavailable")));
    let mut browser = UserAgent::new();
    let query = App::NATIVE.flow()?.sign_in(&mut browser, &gateway.url, &[]).await?;
    let seen = browser.get(&format!("{}/callback?{query}", gateway.url)).await?;
    assert_eq!((seen.error().as_deref(), seen.parameter("code")), (Some("temporarily_unavailable"), None));
    assert_eq!(seen.parameter("state").as_deref(), Some("the client's own state"));
    redis.restart();
    let mut status = 503;
    for _ in 0..50 {
        status = flow.redeem(&gateway.url, &code).await?.status;
        if status != 503 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(status, 200, "the code was not used up");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_hangs_is_not_waited_for() -> Result<()> {
    let Some(redis) = Redis::start() else { return Ok(()) };
    let upstream = Upstream::start().await?;
    let gateway = Program::start(&upstream, &redis.url(), &[1])?;
    let flow = App::NATIVE.flow()?;
    let code = code(&flow, &gateway, &gateway).await?;
    redis.pause();
    let seen = tokio::time::timeout(std::time::Duration::from_secs(8), flow.redeem(&gateway.url, &code)).await;
    redis.resume();
    let seen = seen??;
    assert_eq!((seen.status, seen.error().as_deref()), (503, Some("temporarily_unavailable")));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_is_of_no_use_under_another_code() -> Result<()> {
    let Some(redis) = Redis::start() else { return Ok(()) };
    let upstream = Upstream::start().await?;
    let gateway = Program::start(&upstream, &redis.url(), &[1])?;
    let (victims, attackers) = (App::NATIVE.flow()?, App::NATIVE.flow()?);
    let of_victim = code(&victims, &gateway, &gateway).await?;
    let of_attacker = code(&attackers, &gateway, &gateway).await?;
    // Whoever can write to the store swaps what stands behind the headers of the two; what is shorter marks what came through.
    let swap = "local found = {} for _, key in ipairs(redis.call('KEYS', '*')) do
        if redis.call('STRLEN', key) > 200 then table.insert(found, key) end end
        local one, other = redis.call('GET', found[1]), redis.call('GET', found[2])
        redis.call('SET', found[1], one:sub(1, 149) .. other:sub(150), 'KEEPTTL')
        redis.call('SET', found[2], other:sub(1, 149) .. one:sub(150), 'KEEPTTL') return tostring(#found)";
    assert_eq!(redis.ask(&["EVAL", swap, "0"])?, "2");
    for (flow, code) in [(&attackers, &of_attacker), (&victims, &of_victim)] {
        let seen = flow.redeem(&gateway.url, code).await?;
        assert_eq!((seen.status, seen.error().as_deref()), (400, Some("invalid_grant")));
    }
    redis.ask(&["EVAL", swap, "0"])?;
    for (flow, code) in [(&attackers, &of_attacker), (&victims, &of_victim)] {
        assert_eq!(flow.redeem(&gateway.url, code).await?.status, 200, "it was not used up");
    }
    Ok(())
}
