//! Several programs that share a Redis and the keys, and the command line.

use std::fs;
use std::process::Command;
use std::sync::Arc;

use pkce_gateway::demo::{App, CONFIG, Result, UserAgent};
use pkce_test_servers::Redis;

use crate::program::{Program, Upstream, code, file};
use crate::stage::config;

#[tokio::test(flavor = "multi_thread")]
async fn gateways_that_share_a_store_and_a_key_share_the_work() -> Result<()> {
    let Some(redis) = Redis::start() else { return Ok(()) };
    let upstream = Upstream::start().await?;
    let one = Program::start(&upstream, &redis.url(), &[1])?;
    let other = Program::start(&upstream, &redis.url(), &[1])?;
    for app in [App::NATIVE, App::WEB] {
        let flow = app.flow()?;
        let code = code(&flow, &one, &other).await?;
        let tokens = flow.redeem(&one.url, &code).await?;
        assert_eq!(tokens.status, 200, "{}", tokens.body);
        assert_eq!(flow.redeem(&other.url, &code).await?.status, 400);
        let refresh_token = tokens.member("refresh_token").unwrap();
        let refresh = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.as_str())];
        let tokens = app.token(&other.url, &refresh).await?;
        let user = format!("{}/userinfo", one.url);
        let user = UserAgent::new().get_with_token(&user, &tokens.member("access_token").unwrap()).await?;
        assert_eq!((user.status, user.member("scope").as_deref()), (200, Some("photos")));
    }
    for _ in 0..10 {
        let (flow, mut browser) = (App::NATIVE.flow()?, UserAgent::new());
        let query = flow.sign_in(&mut browser, &one.url, &[]).await?;
        let mut tasks = tokio::task::JoinSet::new();
        for url in [&one.url, &other.url, &one.url, &other.url] {
            let (callback, mut browser_too) = (format!("{url}/callback?{query}"), UserAgent::new());
            browser_too.cookies.clone_from(&browser.cookies);
            tasks.spawn(async move { browser_too.get(&callback).await.map(|seen| seen.parameter("code")) });
        }
        let codes: Vec<Option<String>> = tasks.join_all().await.into_iter().collect::<Result<_>>()?;
        assert_eq!(codes.iter().flatten().count(), 1, "a code of the upstream came through more than once");
    }
    for _ in 0..10 {
        let flow = Arc::new(App::NATIVE.flow()?);
        let code = code(&flow, &other, &one).await?;
        let mut tasks = tokio::task::JoinSet::new();
        for nth in 0..10 {
            let url = if nth % 2 == 0 { one.url.clone() } else { other.url.clone() };
            let (flow, code) = (Arc::clone(&flow), code.clone());
            tasks.spawn(async move { flow.redeem(&url, &code).await.map(|seen| seen.status) });
        }
        let statuses: Vec<u16> = tasks.join_all().await.into_iter().collect::<Result<_>>()?;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| matches!(status, 200 | 400)), "{statuses:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_changed_while_flows_are_on_their_way() -> Result<()> {
    let Some(redis) = Redis::start() else { return Ok(()) };
    let upstream = Upstream::start().await?;
    let start = |keys: &[u8]| Program::start(&upstream, &redis.url(), keys);
    let (old, changing, new) = (start(&[1])?, start(&[2, 1])?, start(&[2])?);
    let flow = App::NATIVE.flow()?;
    let code_of_old = code(&flow, &old, &changing).await?;
    let tokens = flow.redeem(&changing.url, &code_of_old).await?;
    assert_eq!(tokens.status, 200);
    // What the one in between has sealed is for the new one, and what the old one has sealed is not.
    let flow = App::NATIVE.flow()?;
    let code_of_new = code(&flow, &changing, &new).await?;
    assert_eq!(flow.redeem(&new.url, &code_of_new).await?.status, 200);
    assert!(code(&App::NATIVE.flow()?, &old, &new).await.is_err());
    let flow = App::NATIVE.flow()?;
    let code_of_old = code(&flow, &old, &old).await?;
    let seen = flow.redeem(&new.url, &code_of_old).await?;
    assert_eq!((seen.status, seen.error().as_deref()), (400, Some("invalid_grant")));
    assert_eq!(flow.redeem(&changing.url, &code_of_old).await?.status, 200, "it was not used up");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_a_gateway_is_alone_and_says_so() -> Result<()> {
    let Some(redis) = Redis::start() else { return Ok(()) };
    let upstream = Upstream::start().await?;
    let (one, other) = (Program::start(&upstream, &redis.url(), &[])?, Program::start(&upstream, &redis.url(), &[])?);
    let flow = App::NATIVE.flow()?;
    let of_one = code(&flow, &one, &one).await?;
    assert!(code(&App::NATIVE.flow()?, &one, &other).await.is_err());
    let seen = flow.redeem(&other.url, &of_one).await?;
    assert_eq!((seen.status, seen.error().as_deref()), (400, Some("invalid_grant")));
    assert_eq!(flow.redeem(&one.url, &of_one).await?.status, 200);
    assert!(one.stop()?.contains("there is no key in the configuration"));
    Ok(())
}

#[test]
fn the_demonstration_ends_well() -> Result<()> {
    let said = Command::new(env!("CARGO_BIN_EXE_pkce-gateway")).arg("--demo").output()?;
    let stdout = String::from_utf8(said.stdout)?;
    assert!(said.status.success() && stdout.lines().count() > 15, "{stdout}");
    assert!(stdout.lines().all(|line| line.starts_with("  ok ")), "{stdout}");
    Ok(())
}

#[test]
fn what_is_wrong_with_the_command_line_is_one_line() -> Result<()> {
    let good = file(CONFIG)?;
    let secretive =
        file(&CONFIG.replace("\"client_id\": \"native\"", "\"client_id\": 7, \"client_secret\": \"hush\""))?;
    let bad_key = file(&config("", "\"keys\": [\"hush\"],"))?;
    let [good, secretive, bad_key] = [&good, &secretive, &bad_key].map(|path| path.to_str().unwrap());
    let upstream = ["--listen", "127.0.0.1:0", "--upstream", "http://127.0.0.1:1"];
    for (arguments, status, expected) in [
        (&[][..], 2, "--upstream is missing"),
        (&["--what"], 2, "--what"),
        (&["--upstream", "nowhere", "--config", good], 2, "nowhere"),
        (&upstream[..], 2, "--config is missing"),
        (&[&upstream[..], &["--config", "/nowhere.json"]].concat(), 1, "/nowhere.json"),
        (&[&upstream[..], &["--config", secretive]].concat(), 1, "a member is unknown, missing or of the wrong type"),
        (&[&upstream[..], &["--config", bad_key]].concat(), 1, "a key is not 32 octets in base64"),
        (
            &[&upstream[..], &["--config", good, "--issuer", "https://a.example/path"]].concat(),
            1,
            "https://a.example/path",
        ),
        (
            &[&upstream[..], &["--config", good, "--store", "redis://:hush@127.0.0.1:1"]].concat(),
            1,
            "the store cannot be used",
        ),
        (&["--upstream", "ftp://a.example", "--config", good, "--listen", "127.0.0.1:0"], 1, "http or https"),
        (&["--upstream", "https://u:hush@a.example", "--config", good, "--listen", "127.0.0.1:0"], 1, "credentials"),
    ] {
        let said =
            Command::new(env!("CARGO_BIN_EXE_pkce-gateway")).args(arguments).env("RUST_BACKTRACE", "0").output()?;
        let stderr = String::from_utf8(said.stderr)?;
        assert_eq!(said.status.code(), Some(status), "{stderr}");
        let last = stderr.lines().last().unwrap_or_default();
        assert!(last.starts_with("pkce-gateway: ") && last.contains(expected), "{stderr}");
        assert!(!stderr.contains("hush"), "{stderr}");
    }
    for path in [good, secretive, bad_key] {
        fs::remove_file(path)?;
    }
    Ok(())
}
