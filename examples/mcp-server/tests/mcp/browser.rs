//! A page on another origin signs its user in and calls a tool, in Chromium, under public names.

use std::time::{Duration, Instant};

use axum::Router;
use axum::response::Html;
use mcp_server_example::{PublicAddresses, app, http_client};
use pkce_test_servers::ChromeDriver;
use thirtyfour::prelude::*;
use tokio::time::sleep;

use crate::{ISSUER, Result, tls};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_on_another_origin_signs_its_user_in_and_calls_a_tool() -> Result {
    let Some(chrome) = ChromeDriver::start() else { return Ok(()) };
    let password = Some("correct horse".to_owned());
    let server = app(ISSUER.parse()?, password, http_client(PublicAddresses::default()).build()?);
    let (server, _) = tls::serve("mcp.example", server).await?;
    let page = Router::new().fallback(|| async { Html(include_str!("app.html")) });
    let (page, _) = tls::serve("app.example", page).await?;

    let mut wanted = DesiredCapabilities::chrome();
    for argument in chrome.arguments() {
        wanted.add_arg(&argument)?;
    }
    wanted.add_arg(&format!("--host-resolver-rules=MAP mcp.example {server}, MAP app.example {page}"))?;
    wanted.add_arg("--ignore-certificate-errors")?;
    let driver = WebDriver::new(chrome.url(), wanted).await?;
    driver.clone().leak()?; // it ends with its chromedriver

    driver.goto("https://app.example/").await?;
    wait_for(&driver, "form").await?;
    assert!(driver.current_url().await?.as_str().starts_with("https://mcp.example/oauth/authorize?"));
    let shown = driver.find(By::Css("body")).await?.text().await?;
    assert!(shown.contains("A page") && shown.contains("app.example"), "{shown}");
    driver.find(By::Css("input[name=password]")).await?.send_keys("correct horse").await?;
    driver.find(By::Css("button[value=true]")).await?.click().await?;
    wait_for(&driver, "pre").await?;
    wait_until(&driver, "end").await?;
    assert!(driver.current_url().await?.as_str().starts_with("https://app.example/callback?code="));
    assert_eq!(driver.find(By::Css("pre")).await?.text().await?, "iss true\nstate xyz\nhello, browser\nend");

    driver.goto("https://app.example/frame").await?;
    wait_until(&driver, "framed").await?;
    driver.find(By::Css("iframe")).await?.enter_frame().await?;
    assert!(driver.source().await?.contains("ERR_BLOCKED_BY_RESPONSE"));
    Ok(())
}

/// Waits for an element.
async fn wait_for(driver: &WebDriver, selector: &str) -> Result {
    let began = Instant::now();
    while driver.find(By::Css(selector)).await.is_err() {
        if began.elapsed() > Duration::from_secs(30) {
            return Err(format!(
                "there is no {selector} at {}: {}",
                driver.current_url().await?,
                driver.source().await?
            )
            .into());
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// Waits until the page has said something.
async fn wait_until(driver: &WebDriver, said: &str) -> Result {
    let began = Instant::now();
    loop {
        let text = driver.find(By::Css("pre")).await?.text().await?;
        if text.contains(said) {
            return Ok(());
        }
        if began.elapsed() > Duration::from_secs(30) {
            return Err(format!("it says {text}").into());
        }
        sleep(Duration::from_millis(50)).await;
    }
}
