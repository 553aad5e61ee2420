//! Upstreams that are loose about their token responses: no token is lost for a formality.

use std::io::Write as _;

use axum::body::Bytes;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::Result;
use crate::app::App;
use crate::program::Stage;
use crate::provider::Upstream;

/// What the client gets of a response of the upstream; the gateway's log.
async fn exchanged(response: fn() -> Response) -> Result<(Value, String)> {
    let upstream = Upstream::responding(move || std::future::ready(response())).await?;
    let stage = Stage::before(upstream, |_| ())?;
    let flow = App::NATIVE.flow();
    let code = flow.code(&stage.gateway).await?;
    let seen = flow.redeem(&stage.gateway, &code).await?;
    assert_eq!(seen.status, 200, "{seen:?}");
    assert_eq!(
        (&seen.headers["content-type"], &seen.headers["cache-control"]),
        (&"application/json".parse()?, &"no-store".parse()?)
    );
    assert!(!seen.headers.contains_key("content-encoding"));
    stage.program.says("path=\"/token\" status=200").await;
    Ok((serde_json::from_str(&seen.body)?, stage.program.log()))
}

fn zipped(body: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_without_a_token_type_is_a_bearer_token() -> Result {
    for response in [
        || r#"{"access_token":"the-token"}"#.into_response(),
        || r#"{"access_token":"the-token","token_type":null}"#.into_response(),
        || r#"{"access_token":"the-token","token_type":""}"#.into_response(),
    ] {
        let (tokens, log) = exchanged(response).await?;
        assert_eq!(tokens, json!({ "access_token": "the-token", "token_type": "Bearer" }));
        let line = log.lines().find(|line| line.contains("missing=\"token_type\"")).unwrap();
        assert!(line.contains("status=200") && line.contains("content_type=\"text/plain"), "{line}");
        assert!(!log.contains("the-token"), "{log}");
    }
    let upstream = Upstream::responding(|| async { r#"{"access_token":"t"}"#.into_response() }).await?;
    let stage = Stage::before(upstream, |config| config["upstream"]["token_type"] = json!("DPoP"))?;
    let flow = App::NATIVE.flow();
    let code = flow.code(&stage.gateway).await?;
    assert_eq!(flow.redeem(&stage.gateway, &code).await?.member("token_type").as_deref(), Some("DPoP"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_that_is_null_or_empty_is_none() -> Result {
    for response in [
        || r#"{"access_token":"t","token_type":"bearer","refresh_token":null}"#.into_response(),
        || r#"{"access_token":"t","token_type":"bearer","refresh_token":""}"#.into_response(),
    ] {
        let (tokens, _) = exchanged(response).await?;
        assert_eq!(tokens, json!({ "access_token": "t", "token_type": "bearer" }));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn any_success_a_byte_order_mark_and_gzip_are_read() -> Result {
    const TOKENS: &str = r#"{"access_token":"t","token_type":"Bearer","expires_in":600}"#;
    for response in [
        || (StatusCode::CREATED, TOKENS).into_response(),
        || ([(CONTENT_TYPE, "text/html")], format!("\u{feff}{TOKENS}\r\n")).into_response(),
        || ([(CONTENT_ENCODING, "gzip")], zipped(TOKENS)).into_response(),
        || ([(CONTENT_ENCODING, "x-gzip")], zipped(&format!("\u{feff}{TOKENS}"))).into_response(),
        || zipped(TOKENS).into_response(),
    ] {
        assert_eq!(exchanged(response).await?.0, serde_json::from_str::<Value>(TOKENS)?);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_response_is_passed_on() -> Result {
    let (tokens, _) = exchanged(|| {
        let tokens =
            json!({ "access_token": "t".repeat(300 * 1024), "token_type": "Bearer", "more": "x".repeat(1_000_000) });
        tokens.to_string().into_response()
    })
    .await?;
    assert_eq!(tokens["access_token"].as_str().map(str::len), Some(300 * 1024));
    assert_eq!(tokens["more"].as_str().map(str::len), Some(1_000_000));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_refresh_token_can_be_used() -> Result {
    let large = || {
        let tokens = json!({ "access_token": "t", "token_type": "Bearer", "refresh_token": "r".repeat(300 * 1024) });
        std::future::ready(Bytes::from(tokens.to_string()).into_response())
    };
    let stage = Stage::before(Upstream::responding(large).await?, |_| ())?;
    let flow = App::NATIVE.flow();
    let code = flow.code(&stage.gateway).await?;
    let refresh_token = flow.redeem(&stage.gateway, &code).await?.member("refresh_token").unwrap();
    assert_eq!(App::NATIVE.refresh(&stage.gateway, &refresh_token).await?.status, 200);
    let heard = stage.upstream.heard("/token").pop().unwrap();
    assert!(heard.body.contains(&"r".repeat(300 * 1024)));
    Ok(())
}
