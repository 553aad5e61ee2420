//! Signals in the middle of exchanges, while tokens are counted.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::Result;
use crate::app::App;
use crate::program::{Program, config};
use crate::provider::{Parts, Upstream, app};

/// An upstream whose token endpoint issues its tokens at once, and takes its time to say so.
async fn slow() -> Result<Upstream> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let parts = Parts::new(&url, json!({}));
    let delay = async |request: Request, next: Next| {
        let is_token = request.uri().path() == "/token";
        let response = next.run(request).await;
        if is_token {
            tokio::time::sleep(Duration::from_millis(1500)).await;
        }
        response
    };
    let app = app(Arc::clone(&parts), Router::new()).layer(middleware::from_fn(delay));
    let serving = tokio::spawn(axum::serve(listener, app).into_future()).abort_handle();
    Ok(Upstream::served(url, parts, serving))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_that_is_under_way_at_a_signal_is_finished() -> Result {
    for signal in ["TERM", "INT"] {
        let upstream = slow().await?;
        let mut gateway = Program::start(&config(&upstream), &[])?;
        let mut exchanges = JoinSet::new();
        for _ in 0..8 {
            let flow = App::NATIVE.flow();
            let code = flow.code(&gateway.url).await?;
            let url = gateway.url.clone();
            exchanges.spawn(async move { flow.redeem(&url, &code).await });
        }
        while upstream.heard("/token").len() < 8 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        gateway.signal(signal);
        let mut received: Vec<String> = Vec::new();
        for seen in exchanges.join_all().await {
            received.extend(seen?.member("access_token"));
        }
        let mut issued = upstream.parts.access_tokens.lock().unwrap().clone();
        issued.sort();
        received.sort();
        assert_eq!((received.len(), &received), (8, &issued), "{signal}: {}", gateway.log());
        let status = gateway.ended(Duration::from_secs(10)).await.ok_or("it does not end")?;
        assert!(status.success(), "{signal}: {}", gateway.log());
        gateway.says("drained").await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_body_is_not_waited_for_without_end_and_finishes_nothing_late() -> Result {
    let upstream = slow().await?;
    let mut gateway = Program::start(&config(&upstream), &[])?;
    let flow = App::NATIVE.flow();
    let code = flow.code(&gateway.url).await?;
    let form = crate::user_agent::form(&[
        ("grant_type", "authorization_code"),
        ("client_id", "native"),
        ("code", &code),
        ("code_verifier", flow.verifier.as_str()),
    ]);
    let head = format!(
        "POST /token HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
        form.len()
    );
    let mut stream = TcpStream::connect(gateway.address()).await?;
    stream.write_all(format!("{head}{}", &form[..40]).as_bytes()).await?;
    let mut idle = TcpStream::connect(gateway.address()).await?;
    idle.write_all(b"GET /healthz HT").await?;
    tokio::time::sleep(Duration::from_millis(200)).await;
    gateway.signal("INT");
    // The rest comes when there is no time left for an exchange: the code is not spent at the upstream.
    tokio::time::sleep(Duration::from_millis(5500)).await;
    stream.write_all(&form.as_bytes()[40..]).await?;
    let mut response = String::new();
    stream.read_to_string(&mut response).await?;
    assert!(response.starts_with("HTTP/1.1 503") && response.contains("temporarily_unavailable"), "{response}");
    assert!(upstream.heard("/token").is_empty());
    gateway.ended(Duration::from_secs(20)).await.ok_or("it does not end")?;
    gateway.says("drained but for clients").await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_does_not_wait() -> Result {
    let upstream = Upstream::new().await?;
    let mut gateway = Program::start(&config(&upstream), &[])?;
    let mut stream = TcpStream::connect(gateway.address()).await?;
    stream.write_all(b"POST /token HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 9\r\n\r\n").await?;
    tokio::time::sleep(Duration::from_millis(200)).await;
    gateway.signal("TERM");
    gateway.says("draining").await;
    gateway.signal("TERM");
    gateway.ended(Duration::from_secs(4)).await.ok_or("it does not end")?;
    gateway.says("a second signal").await;
    Ok(())
}
