//! What is passed on as it is, and what is not.

use std::fmt::Write as _;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use http_body_util::BodyExt as _;
use pkce_gateway::demo::{App, CONFIG, Result, UserAgent};
use pkce_gateway::provider;
use pkce_tower::MemoryStore;
use playground::Wire;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::stage::{Stage, config};

/// An upstream with an API beside its endpoints.
pub(crate) fn with_api(issuer: &str, callback: &str) -> Router {
    Router::new()
        .route("/echo", any(echo))
        .route("/stream", any(|request: Request| async { Response::new(request.into_body()) }))
        .route("/hang", get(|| async { std::future::pending::<()>().await }))
        .fallback_service(provider::app(issuer, callback))
}

/// Says what it got, and has headers of its own.
async fn echo(request: Request) -> Response {
    let (head, body) = request.into_parts();
    let octets = body.collect().await.unwrap().to_bytes();
    let mut said = format!("{} {} {}\n", head.method, head.uri, octets.len());
    for (name, value) in &head.headers {
        writeln!(said, "{name}: {}", String::from_utf8_lossy(value.as_bytes())).unwrap();
    }
    let headers =
        [("set-cookie", "theirs=1"), ("connection", "x-hop"), ("x-hop", "1"), ("x-end", "2"), ("etag", "\"e\"")];
    (axum::http::StatusCode::IM_A_TEAPOT, headers, said).into_response()
}

pub(crate) async fn stage() -> Result<Stage> {
    Stage::before(CONFIG, MemoryStore::new(), with_api).await
}

#[tokio::test]
async fn requests_and_answers_pass_without_what_concerns_one_connection() -> Result<()> {
    let stage = stage().await?;
    let mut browser = UserAgent::new();
    App::NATIVE.flow()?.sign_in(&mut browser, &stage.gateway, &[]).await?;
    let (name, value) = browser.cookies[0].clone();
    let cookie = format!("a=b; {name}={value}; c=d");
    let headers = [
        ("cookie", cookie.as_str()),
        ("authorization", "Bearer t"),
        ("connection", "close, X-Private"),
        ("x-private", "1"),
        ("keep-alive", "timeout=5"),
        ("te", "trailers"),
        ("proxy-authorization", "Basic eA=="),
        ("upgrade", "websocket"),
        ("x-public", "2"),
    ];
    let said = stage.wire().send("PUT", "/echo?a=%20b&c=/d", &headers, "body").await?;
    let host = stage.upstream.strip_prefix("http://").unwrap();
    let mut lines: Vec<&str> = said.body.lines().skip(1).collect();
    lines.sort_unstable();
    let host = format!("host: {host}");
    let expected = [
        "authorization: Bearer t",
        "content-length: 4",
        "cookie: a=b; c=d",
        host.as_str(),
        "via: 1.1 pkce-gateway",
        "x-public: 2",
    ];
    assert_eq!(lines, expected);
    assert!(said.body.starts_with("PUT /echo?a=%20b&c=/d 4\n"));
    assert_eq!(said.status, 418);
    assert_eq!((said.header("x-end"), said.header("x-hop"), said.header("etag")), (Some("2"), None, Some("\"e\"")));
    assert_eq!(said.header("set-cookie"), Some("theirs=1"));
    Ok(())
}

#[tokio::test]
async fn bodies_are_streamed_both_ways() -> Result<()> {
    let stage = stage().await?;
    // Each piece comes back before the next one is sent: nothing is gathered.
    let mut stream = TcpStream::connect(stage.wire().0).await?;
    stream.write_all(b"POST /stream HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n").await?;
    let mut read = Vec::new();
    for piece in ["one", "two", "six"] {
        stream.write_all(format!("3\r\n{piece}\r\n").as_bytes()).await?;
        let end = format!("3\r\n{piece}\r\n").into_bytes();
        while !read.ends_with(&end) {
            assert_ne!(tokio::time::timeout(Duration::from_secs(5), stream.read_buf(&mut read)).await??, 0);
        }
    }
    // More than any limit of the token endpoint.
    let large = axum::http::Request::post(format!("{}/echo", stage.gateway)).body(Body::from(vec![0; 5_000_000]))?;
    assert!(UserAgent::new().send(large).await?.body.starts_with("POST /echo 5000000\n"));
    Ok(())
}

#[tokio::test]
async fn no_spelling_gets_past_the_gateway() -> Result<()> {
    let at = config(r#""token_endpoint": "/oauth/token", "authorization_endpoint": "/oauth/Authorize","#, "");
    let stage = Stage::before(&at, MemoryStore::new(), with_api).await?;
    for (target, status) in [
        ("/token/", 404),
        ("//token", 404),
        ("/Token", 404),
        ("/%74oken", 404),
        ("/token;a=b", 404),
        ("/oauth/token", 404),
        ("/oauth/token?x", 404),
        ("/oauth/authorize", 404),
        ("/oauth/Authorize?client_id=the-gateway", 404),
        ("/x/../oauth/token", 400),
        ("/x/%2e%2e/oauth/token", 400),
        ("/oauth%2Ftoken", 404),
        ("http://elsewhere.example/oauth/token", 404),
        ("/.well-known/openid-configuration", 404),
        ("/.well-known/oauth-authorization-server/x", 404),
    ] {
        let said = stage.wire().send("POST", target, &[playground::FORM], "grant_type=client_credentials").await?;
        assert_eq!(said.status, status, "{target}");
    }
    for method in ["TRACE", "CONNECT"] {
        assert!(matches!(stage.wire().send(method, "/echo", &[], "").await?.status, 400 | 405), "{method}");
    }
    for path in ["/token", "/oauth/token", "/oauth/Authorize", "/echo"] {
        assert!(stage.heard(path).is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn the_request_has_no_say_in_where_it_goes() -> Result<()> {
    let stage = stage().await?;
    for target in ["http://elsewhere.example/echo", "//elsewhere.example/echo", "/echo"] {
        let said = stage.wire().send("GET", target, &[("x-forwarded-host", "elsewhere.example")], "").await?;
        let path = if target.starts_with("//") { 404 } else { 418 };
        assert_eq!(said.status, path, "{target}");
    }
    let mut stream = TcpStream::connect(stage.wire().0).await?;
    stream.write_all(b"GET /echo HTTP/1.1\r\nhost: elsewhere.example\r\nconnection: close\r\n\r\n").await?;
    let mut said = String::new();
    stream.read_to_string(&mut said).await?;
    assert!(said.contains(&format!("host: {}\n", stage.upstream.strip_prefix("http://").unwrap())));
    Ok(())
}

#[tokio::test]
async fn an_upstream_that_is_gone_or_hangs_is_a_page() -> Result<()> {
    let hasty = config("\"timeout_millis\": 300,", "");
    let stage = Stage::before(&hasty, MemoryStore::new(), with_api).await?;
    assert_eq!(stage.wire().get("/hang").await?.status, 504);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let app = pkce_gateway::app(
        pkce_gateway::Config::parse(CONFIG)?,
        &format!("http://{nobody}").parse()?,
        MemoryStore::new(),
        "http://127.0.0.1",
    )?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let wire = Wire(listener.local_addr()?);
    let serving = tokio::spawn(axum::serve(listener, app).into_future());
    assert_eq!(wire.get("/userinfo").await?.status, 502);
    serving.abort();
    Ok(())
}
