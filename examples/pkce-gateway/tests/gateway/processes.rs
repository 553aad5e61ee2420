//! The program itself: two of them that share a Redis and the keys, and the command line.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pkce_gateway::demo::{App, CONFIG, Flow, Result, UserAgent};
use pkce_gateway::provider;
use pkce_test_servers::Redis;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use crate::stage::{config, pairs};

const ISSUER: &str = "https://gateway.example";

/// A gateway as a process of its own; it ends when it is dropped.
struct Program {
    url: String,
    child: Child,
    config: PathBuf,
}

/// The small upstream without PKCE; it ends when it is dropped.
struct Upstream(String, AbortHandle);

impl Upstream {
    async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let app = provider::app(&url, &format!("{ISSUER}/callback"));
        Ok(Self(url, tokio::spawn(axum::serve(listener, app).into_future()).abort_handle()))
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.1.abort();
    }
}

/// A file with this configuration.
fn file(config: &str) -> Result<PathBuf> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("pkce-gateway-{}-{}.json", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let path = env::temp_dir().join(name);
    fs::write(&path, config)?;
    Ok(path)
}

impl Program {
    fn start(upstream: &Upstream, store: &str, keys: &[u8]) -> Result<Self> {
        let keys: Vec<String> = keys.iter().map(|key| STANDARD.encode([*key; 32])).collect();
        let config = file(&config("\"timeout_millis\": 2000,", &format!("\"keys\": {keys:?},")))?;
        let mut child = Command::new(env!("CARGO_BIN_EXE_pkce-gateway"))
            .args(["--listen", "127.0.0.1:0", "--issuer", ISSUER, "--upstream", &upstream.0, "--store", store])
            .arg("--config")
            .arg(&config)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no stdout")?).read_line(&mut line)?;
        let url = line.strip_prefix("listening on ").ok_or_else(|| format!("it says {line:?}"))?.trim_end().to_owned();
        Ok(Self { url, child, config })
    }

    /// Ends it: all that it wrote to stderr.
    fn stop(mut self) -> Result<String> {
        let mut stderr = String::new();
        self.child.kill()?;
        self.child.stderr.take().ok_or("no stderr")?.read_to_string(&mut stderr)?;
        Ok(stderr)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        fs::remove_file(&self.config).ok();
    }
}

/// Begins at one gateway and comes back to another: the code.
async fn code(flow: &Flow, begun: &Program, finished: &Program) -> Result<String> {
    let mut browser = UserAgent::new();
    let query = flow.sign_in(&mut browser, &begun.url, &[("scope", "photos")]).await?;
    assert!(browser.cookies[0].0.starts_with("__Host-"), "the issuer has https");
    let seen = browser.get(&format!("{}/callback?{query}", finished.url)).await?;
    Ok(seen.parameter("code").ok_or_else(|| format!("no code: {seen:?}"))?)
}

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
