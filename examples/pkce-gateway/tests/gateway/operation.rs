//! What an operator does: a configuration is checked, its secrets are elsewhere, clients come and go.

use std::time::Duration;
use std::{env, fs};

use serde_json::{Value, json};

use crate::Result;
use crate::app::{App, Flow, Returned};
use crate::program::{Program, Stage, command, config, keys, path};
use crate::provider::{SECRET, Upstream};
use crate::user_agent::get;

/// Status and stderr of the program with this configuration and these arguments.
fn said(config: &str, arguments: &[&str]) -> Result<(Option<i32>, String, String)> {
    let (mut command, path) = command(config)?;
    let said = command.args(arguments).args(["--listen", "127.0.0.1:0"]).env("RUST_BACKTRACE", "0").output()?;
    fs::remove_file(path)?;
    Ok((said.status.code(), String::from_utf8(said.stdout)?, String::from_utf8(said.stderr)?))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_is_checked_without_a_connection() -> Result {
    let upstream = Upstream::new().await?;
    let good = config(&upstream);
    let (status, stdout, stderr) = said(&good.to_string(), &["--check"])?;
    assert!(status == Some(0) && stdout.ends_with("is good\n"), "{stdout} {stderr}");
    let (secret, key) = (path("secret"), path("key"));
    fs::write(&secret, SECRET)?;
    fs::write(&key, format!("{}\n", keys(&[1])[0].as_str().unwrap()))?;
    let example = include_str!("../../gateway.json").replace("/run/secrets/upstream", secret.to_str().unwrap());
    let example = example.replace("/run/secrets/key", key.to_str().unwrap()).replace("WEB_SECRET", "PATH");
    let (status, _, stderr) = said(&example, &["--check", "--issuer", "https://gateway.example"])?;
    assert_eq!(status, Some(0), "{stderr}");
    fs::remove_file(secret)?;
    fs::remove_file(key)?;
    let with = |pointer: &str, value: Value| {
        let (mut changed, (parent, member)) = (good.clone(), pointer.rsplit_once('/').unwrap());
        changed.pointer_mut(parent).unwrap()[member] = value;
        changed.to_string()
    };
    let uri = |uri: &str| with("/clients", json!([{ "client_id": "a", "redirect_uris": [uri] }]));
    for (config, expected) in [
        (String::new(), "no JSON"),
        (with("/client", json!([])), "unknown field `client`"),
        (with("/upstream/secret", json!("hush")), "unknown field `secret`"),
        (with("/upstream/client_id", json!(["hush"])), "a member has the wrong type"),
        (with("/upstream/client_secret", json!("")), "a secret is empty"),
        (with("/upstream/client_secret", json!({ "file": "/nowhere" })), "/nowhere"),
        (with("/upstream/client_secret", json!({ "env": "PKCE_NOWHERE" })), "PKCE_NOWHERE is not set"),
        (with("/upstream/issuer", json!("https://u:hush@a.example")), "without credentials"),
        (with("/upstream/issuer", json!("ftp://a.example")), "http or https"),
        (with("/upstream/timeout_millis", json!(0)), "timeout_millis"),
        (with("/upstream/ca_file", json!("/nowhere")), "ca_file /nowhere"),
        (with("/upstream/token", json!({ "drop": ["code"] })), "\"code\" can be neither added nor dropped"),
        (with("/upstream/authorization", json!({ "add": { "a b": "c" } })), "\"a b\" can be neither"),
        (with("/keys", json!(["hush"])), "a key is not 32 bytes in base64"),
        (with("/transaction_seconds", json!(601)), "transaction_seconds"),
        (with("/custom_schemes", json!(["javascript"])), "\"javascript\" cannot be one of custom_schemes"),
        (uri("cursor://anysphere/callback"), "cannot be a redirect URI"),
        (uri("http://app.example/callback"), "cannot be a redirect URI"),
        (with("/clients/1/client_id", json!("native")), "\"native\" is registered twice"),
    ] {
        let (status, _, stderr) = said(&config, &["--check"])?;
        assert!(status == Some(1) && stderr.contains(expected) && !stderr.contains("hush"), "{expected}: {stderr}");
    }
    let good = good.to_string();
    for (arguments, status, expected) in [
        (&["--what"][..], 2, "--what"),
        (&["--check", "--issuer", "https://a.example/path"], 1, "https://a.example/path"),
        (&["--store", "redis://:hush@127.0.0.1:1"], 1, "the store cannot be used"),
        (&["--store", "mongodb://hush"], 1, "the store's URL begins with none of"),
    ] {
        let (code, _, stderr) = said(&good, arguments)?;
        assert!(code == Some(status) && stderr.contains(expected) && !stderr.contains("hush"), "{stderr}");
    }
    assert!(upstream.heard("/.well-known/openid-configuration").len() <= 2, "--check asked the upstream");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_in_files_or_in_the_environment() -> Result {
    let (upstream, secret) = (Upstream::new().await?, path("secret"));
    fs::write(&secret, "web-secret\n")?;
    let mut config = config(&upstream);
    config["upstream"]["client_secret"] = json!({ "env": "PKCE_TEST_SECRET" });
    config["keys"] = json!([{ "env": "PKCE_TEST_KEY" }]);
    config["store"] = json!({ "env": "PKCE_TEST_STORE" });
    config["clients"][1]["client_secret"] = json!({ "file": secret });
    let (mut command, path) = command(&config.to_string())?;
    command.env("PKCE_TEST_SECRET", SECRET).env("PKCE_TEST_STORE", "memory:");
    command.env("PKCE_TEST_KEY", keys(&[1])[0].as_str().unwrap()).args(["--listen", "127.0.0.1:0"]);
    let gateway = Program::spawn(command, path)?;
    let flow = App::WEB.flow();
    let code = flow.code(&gateway.url).await?;
    assert_eq!(flow.redeem(&gateway.url, &code).await?.status, 200);
    Ok(fs::remove_file(secret)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_come_and_go_without_a_restart() -> Result {
    let stage = Stage::new().await?;
    let config: Value = serde_json::from_str(&fs::read_to_string(&stage.program.config)?)?;
    let reload = async |clients: Value, says: &str| {
        let mut config = config.clone();
        config["clients"] = clients;
        fs::write(&stage.program.config, config.to_string()).unwrap();
        stage.program.signal("HUP");
        stage.program.says(says).await;
    };
    let mut returned = Returned::new(&stage.gateway).await?;
    let (query, flow) = (returned.query.clone(), App::NATIVE.flow());
    let code = flow.code(&stage.gateway).await?;
    let request = flow.request(&stage.gateway, &[]);
    // A configuration that is wrong changes nothing.
    reload(json!([{ "client_id": "native" }]), "the clients of before stay").await;
    assert_eq!(get(&request).await?.status, 303);
    // A client that is gone gets nothing more.
    reload(json!([config["clients"][1]]), "read the clients again clients=1").await;
    get(&request).await?.is_page();
    returned.call(&query).await?.is_page();
    flow.redeem(&stage.gateway, &code).await?.is(401, "invalid_client");
    reload(config["clients"].clone(), "read the clients again clients=2").await;
    assert_eq!(flow.redeem(&stage.gateway, &code).await?.status, 200);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn apps_of_editors_are_sent_to_by_their_schemes() -> Result {
    let uri = "cursor://anysphere.cursor-mcp/oauth/callback";
    let stage = Stage::with(|config| {
        config["custom_schemes"] = json!(["cursor"]);
        config["clients"] = json!([{ "client_id": "native", "redirect_uris": [uri] }]);
    })
    .await?;
    let flow = Flow { app: App { redirect_uri: uri, ..App::NATIVE }, ..App::NATIVE.flow() };
    let code = flow.code(&stage.gateway).await?;
    assert_eq!(flow.redeem(&stage.gateway, &code).await?.status, 200);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn health_readiness_metrics_and_the_log_are_there() -> Result {
    let upstream = Upstream::new().await?;
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let (mut command, path) = command(&config(&upstream).to_string())?;
    command
        .args(["--listen", "127.0.0.1:0", "--metrics", &port.to_string()])
        .env("RUST_LOG", "pkce=debug,pkce_gateway=warn");
    let gateway = Program::spawn(command, path)?;
    let (health, ready) =
        (get(&format!("{}/healthz", gateway.url)).await?, get(&format!("{}/readyz", gateway.url)).await?);
    assert_eq!((health.status, ready.status, ready.body.as_str()), (200, 200, r#"{"store":"ok"}"#));
    Returned::new(&gateway.url).await?.finishes().await?;
    let metrics = get(&format!("http://{port}/metrics")).await?.body;
    for metric in ["pkce_events_total{", "outcome=\"cleared\"", "pkce_store_call_duration_seconds_bucket"] {
        assert!(metrics.contains(metric), "{metric}: {metrics}");
    }
    assert_eq!(get(&format!("{}/metrics", gateway.url)).await?.status, 404);
    gateway.says("outcome=\"cleared\"").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!gateway.log().contains("path=\"/token\""), "RUST_LOG is not heard: {}", gateway.log());
    assert!(env::var("PKCE_NOWHERE").is_err());
    Ok(())
}
