//! A client in a browser on another origin, and one that sends slowly.

use std::time::Duration;

use reqwest::{Client, Method, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::Result;
use crate::browser::{Browser, Page};
use crate::program::Program;
use crate::token_client::{changed, of_native, token};

const ORIGIN: &str = "access-control-allow-origin";

#[tokio::test]
async fn a_preflight_is_allowed() -> Result {
    let program = Program::start();
    let request = Client::new().request(Method::OPTIONS, program.url("/token")).header("origin", "https://app.example");
    let request = request.header("access-control-request-method", "POST");
    let request = request.header("access-control-request-headers", "authorization,content-type");
    let page = Page::of(request.send().await?).await?;
    assert!(page.status.is_success(), "{}", page.status);
    assert_ne!(page.header(ORIGIN), "");
    let allowed = page.header("access-control-allow-headers").to_lowercase();
    assert!(allowed.contains("authorization") && allowed.contains("content-type"), "{allowed}");
    Ok(())
}

#[tokio::test]
async fn tokens_and_errors_can_be_read_from_another_origin() -> Result {
    let (program, mut browser) = (Program::start(), Browser::new()?);
    let code = browser.code(&program, "native", crate::NATIVE_URI).await?;
    let honest = of_native(&code);
    for (form, status) in [
        (changed(&honest, "code_verifier", ""), StatusCode::BAD_REQUEST), // of the layer
        (vec![("grant_type", "refresh_token"), ("client_id", "nobody")], StatusCode::UNAUTHORIZED), // of the handler
        (honest.to_vec(), StatusCode::OK),
    ] {
        let page = token(&program, &form).await?;
        assert_eq!(page.status, status, "{}", page.body);
        assert!(["*", "https://app.example"].contains(&page.header(ORIGIN)), "{}", page.header(ORIGIN));
        assert_eq!(page.header("access-control-allow-credentials"), "");
    }
    Ok(())
}

#[tokio::test]
async fn a_body_that_never_ends_times_out() -> Result {
    let program = Program::start();
    let mut socket = TcpStream::connect(program.base.trim_start_matches("http://")).await?;
    let head = "POST /token HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\n\
                content-length: 100\r\n\r\ngrant_type=";
    socket.write_all(head.as_bytes()).await?;
    let mut response = [0; 12];
    timeout(Duration::from_secs(60), socket.read_exact(&mut response)).await??;
    assert_eq!(response.as_slice(), b"HTTP/1.1 408");
    Ok(())
}
