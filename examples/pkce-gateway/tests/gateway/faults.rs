//! Upstreams that fail, and what becomes of the code.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::http::header::{LOCATION, RETRY_AFTER};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};

use crate::Result;
use crate::app::{App, Flow};
use crate::program::Stage;
use crate::provider::Upstream;

/// A flow up to the code, before an upstream whose token endpoint responds like this.
async fn before<F, R>(token: F) -> Result<(Stage, Flow, String)>
where
    F: Fn() -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Response> + Send,
{
    let stage = Stage::before(Upstream::responding(token).await?, |config| {
        config["upstream"]["timeout_millis"] = json!(400);
    })?;
    let flow = App::NATIVE.flow();
    let code = flow.code(&stage.gateway).await?;
    Ok((stage, flow, code))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_survives_an_upstream_that_was_not_reached() -> Result {
    let stage = Stage::new().await?;
    let flow = App::NATIVE.flow();
    let code = flow.code(&stage.gateway).await?;
    let address = stage.upstream.url.strip_prefix("http://").unwrap().to_owned();
    let Stage { upstream, program, gateway } = stage;
    drop(upstream);
    while TcpStream::connect(&address).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for _ in 0..2 {
        flow.redeem(&gateway, &code).await?.is(503, "temporarily_unavailable");
    }
    let tokens = r#"{"access_token":"a","token_type":"Bearer"}"#;
    let back = Router::new().route("/token", post(move || async move { tokens }));
    let serving = tokio::spawn(axum::serve(TcpListener::bind(&address).await?, back).into_future());
    assert_eq!(flow.redeem(&gateway, &code).await?.body, tokens);
    flow.redeem(&gateway, &code).await?.is(400, "invalid_grant");
    serving.abort();
    drop(program);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_survives_an_upstream_that_is_too_busy() -> Result {
    let busy = || async { (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "7")]).into_response() };
    let (stage, flow, code) = before(busy).await?;
    for _ in 0..2 {
        let seen = flow.redeem(&stage.gateway, &code).await?;
        seen.is(429, "temporarily_unavailable");
        assert_eq!(seen.headers[RETRY_AFTER], "7");
    }
    assert_eq!(stage.upstream.heard("/token").len(), 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_hangs_is_not_waited_for() -> Result {
    async fn hangs() -> Response {
        std::future::pending().await
    }
    async fn stalls() -> Response {
        Body::from_stream(futures_util::stream::pending::<std::io::Result<Bytes>>()).into_response()
    }
    let (one, other) = (before(hangs).await?, before(stalls).await?);
    for (stage, flow, code) in [one, other] {
        let seen = tokio::time::timeout(Duration::from_secs(5), flow.redeem(&stage.gateway, &code)).await??;
        seen.is(504, "temporarily_unavailable");
        // The upstream may have spent its code.
        flow.redeem(&stage.gateway, &code).await?.is(400, "invalid_grant");
        assert_eq!(stage.upstream.heard("/token").len(), 1);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rubbish_is_not_passed_on_and_uses_the_code_up() -> Result {
    let rubbish: [fn() -> Response; 9] = [
        || "<html>sign in</html>".into_response(),
        || r#"{"access_token":""}"#.into_response(),
        || r#"["access_token"]"#.into_response(),
        || "access_token=a&token_type=bearer".into_response(),
        || (StatusCode::FOUND, [(LOCATION, "https://evil.example/")]).into_response(),
        || (StatusCode::INTERNAL_SERVER_ERROR, "stack trace").into_response(),
        || (StatusCode::BAD_REQUEST, "not today").into_response(),
        || vec![0x1f, 0x8b, 8, 0].into_response(),
        || Bytes::from(vec![b' '; 9 * 1024 * 1024]).into_response(),
    ];
    for (nth, response) in rubbish.into_iter().enumerate() {
        let (stage, flow, code) = before(move || std::future::ready(response())).await?;
        let seen = flow.redeem(&stage.gateway, &code).await?;
        seen.is(502, "server_error");
        assert_eq!(seen.member("error_description").as_deref(), Some("the upstream's response is of no use"), "{nth}");
        assert!(!seen.headers.contains_key("location"));
        stage.program.says("missing=").await;
        flow.redeem(&stage.gateway, &code).await?.is(400, "invalid_grant");
        assert_eq!(stage.upstream.heard("/token").len(), 1);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_upstream_rejects_is_rejected_and_the_code_used_up() -> Result {
    async fn rejects() -> Response {
        let body = r#"{"error":"invalid_target","error_description":"no such resource","secret":"x"}"#;
        (StatusCode::BAD_REQUEST, [("set-cookie", "a=b")], body).into_response()
    }
    let (stage, flow, code) = before(rejects).await?;
    let seen = flow.redeem(&stage.gateway, &code).await?;
    seen.is(400, "invalid_target");
    assert_eq!(seen.member("error_description").as_deref(), Some("no such resource"));
    assert!(!seen.body.contains("secret") && !seen.headers.contains_key("set-cookie"));
    flow.redeem(&stage.gateway, &code).await?.is(400, "invalid_grant");
    assert_eq!(stage.upstream.heard("/token").len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_of_the_gateway_is_no_fault_of_the_client_and_has_a_line_of_its_own() -> Result {
    let stage = Stage::with(|config| config["upstream"]["client_secret"] = json!("hush")).await?;
    let bare = before(|| async { StatusCode::UNAUTHORIZED.into_response() }).await?;
    let flow = App::NATIVE.flow();
    let code = flow.code(&stage.gateway).await?;
    for (stage, flow, code) in [(stage, flow, code), bare] {
        flow.redeem(&stage.gateway, &code).await?.is(502, "server_error");
        stage.program.says("the upstream rejects the gateway's own client_id, client_secret").await;
        assert!(!stage.program.log().contains("hush"));
    }
    Ok(())
}
