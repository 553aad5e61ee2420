//! Upstreams that fail, and what becomes of the code.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::{LOCATION, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http_body::Frame;
use pkce_gateway::demo::{App, CONFIG, Flow, Result, Seen, UserAgent};
use pkce_gateway::provider;
use pkce_tower::MemoryStore;
use tokio::net::TcpListener;

use crate::stage::{Stage, config};

/// A flow up to the code, before an upstream whose token endpoint answers like this.
async fn before<F, R>(token: F) -> Result<(Stage, Flow, String)>
where
    F: Fn() -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Response> + Send,
{
    let config = config("\"timeout_millis\": 400,", "");
    let upstream = |issuer: &str, callback: &str| {
        let good = provider::app(issuer, callback);
        Router::new().route("/token", post(move || token.clone()())).fallback_service(good)
    };
    let stage = Stage::before(&config, MemoryStore::new(), upstream).await?;
    let flow = App::NATIVE.flow()?;
    let code = flow.code(&mut UserAgent::new(), &stage.gateway).await?;
    Ok((stage, flow, code))
}

fn is_answer(seen: &Seen, status: u16, error: &str) -> bool {
    (seen.status, seen.error().as_deref()) == (status, Some(error)) && seen.headers["cache-control"] == "no-store"
}

#[tokio::test]
async fn a_code_survives_an_upstream_that_was_not_reached() -> Result<()> {
    let stage = Stage::new().await?;
    let flow = App::NATIVE.flow()?;
    let code = flow.code(&mut UserAgent::new(), &stage.gateway).await?;
    stage.stop_upstream();
    let address = stage.upstream.strip_prefix("http://").unwrap().to_owned();
    while tokio::net::TcpStream::connect(&address).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for _ in 0..2 {
        let seen = flow.redeem(&stage.gateway, &code).await?;
        assert!(is_answer(&seen, 503, "temporarily_unavailable"), "{seen:?}");
    }
    let tokens = r#"{"access_token":"a","token_type":"Bearer"}"#;
    let back = Router::new().route("/token", post(move || async move { tokens }));
    let serving = tokio::spawn(axum::serve(TcpListener::bind(&address).await?, back).into_future());
    let seen = flow.redeem(&stage.gateway, &code).await?;
    assert_eq!((seen.status, seen.body.as_str()), (200, tokens));
    assert!(is_answer(&flow.redeem(&stage.gateway, &code).await?, 400, "invalid_grant"));
    serving.abort();
    Ok(())
}

#[tokio::test]
async fn a_code_survives_an_upstream_that_has_too_much_to_do() -> Result<()> {
    let (stage, flow, code) =
        before(|| async { (axum::http::StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "7")]).into_response() }).await?;
    for _ in 0..2 {
        let seen = flow.redeem(&stage.gateway, &code).await?;
        assert!(is_answer(&seen, 429, "temporarily_unavailable"));
        assert_eq!(seen.headers[RETRY_AFTER], "7");
    }
    assert_eq!(stage.heard("/token").len(), 2);
    Ok(())
}

#[tokio::test]
async fn an_upstream_that_hangs_is_not_waited_for() -> Result<()> {
    async fn hangs() -> Response {
        std::future::pending().await
    }
    async fn stalls() -> Response {
        ([("content-type", "application/json")], Body::new(Stalling)).into_response()
    }
    let (one, other) = (before(hangs).await?, before(stalls).await?);
    for (stage, flow, code) in [one, other] {
        let seen = tokio::time::timeout(Duration::from_secs(5), flow.redeem(&stage.gateway, &code)).await??;
        assert!(is_answer(&seen, 504, "temporarily_unavailable"));
        // It may have used its code up.
        assert!(is_answer(&flow.redeem(&stage.gateway, &code).await?, 400, "invalid_grant"));
        assert_eq!(stage.heard("/token").len(), 1);
    }
    Ok(())
}

/// The beginning of an answer, and nothing more.
struct Stalling;

impl HttpBody for Stalling {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<std::result::Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

#[tokio::test]
async fn rubbish_is_not_passed_on_and_uses_the_code_up() -> Result<()> {
    let rubbish: [fn() -> Response; 8] = [
        || "<html>sign in</html>".into_response(),
        || r#"{"access_token":""}"#.into_response(),
        || r#"["access_token"]"#.into_response(),
        || "access_token=a&token_type=bearer".into_response(),
        || (axum::http::StatusCode::FOUND, [(LOCATION, "https://evil.example/")]).into_response(),
        || (axum::http::StatusCode::INTERNAL_SERVER_ERROR, "stack trace").into_response(),
        || (axum::http::StatusCode::BAD_REQUEST, "not today").into_response(),
        || Bytes::from(vec![b' '; 300 * 1024]).into_response(),
    ];
    for (nth, answer) in rubbish.into_iter().enumerate() {
        let (stage, flow, code) = before(move || std::future::ready(answer())).await?;
        let seen = flow.redeem(&stage.gateway, &code).await?;
        assert!(is_answer(&seen, 502, "server_error"), "{nth}: {seen:?}");
        assert_eq!(seen.body, r#"{"error":"server_error","error_description":"the upstream's answer is of no use"}"#);
        assert!(!seen.headers.contains_key("location"));
        assert!(is_answer(&flow.redeem(&stage.gateway, &code).await?, 400, "invalid_grant"));
        assert_eq!(stage.heard("/token").len(), 1);
    }
    Ok(())
}

#[tokio::test]
async fn what_the_upstream_refuses_is_refused_and_the_code_used_up() -> Result<()> {
    async fn refuses() -> Response {
        let body = r#"{"error":"invalid_target","error_description":"no such resource","secret":"x"}"#;
        (axum::http::StatusCode::BAD_REQUEST, [("set-cookie", "a=b")], body).into_response()
    }
    let (stage, flow, code) = before(refuses).await?;
    let seen = flow.redeem(&stage.gateway, &code).await?;
    assert!(is_answer(&seen, 400, "invalid_target"));
    assert_eq!(seen.member("error_description").as_deref(), Some("no such resource"));
    assert!(!seen.body.contains("secret") && !seen.headers.contains_key("set-cookie"));
    assert!(is_answer(&flow.redeem(&stage.gateway, &code).await?, 400, "invalid_grant"));
    assert_eq!(stage.heard("/token").len(), 1);
    Ok(())
}

#[tokio::test]
async fn that_the_gateway_is_registered_wrongly_is_no_fault_of_the_client() -> Result<()> {
    let stage = Stage::with(&CONFIG.replace("the-gateway's secret", "another secret"), MemoryStore::new()).await?;
    let flow = App::NATIVE.flow()?;
    let code = flow.code(&mut UserAgent::new(), &stage.gateway).await?;
    assert!(is_answer(&flow.redeem(&stage.gateway, &code).await?, 502, "server_error"));
    Ok(())
}
