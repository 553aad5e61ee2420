//! Dynamic registration (RFC 7591).

use reqwest::Method;
use serde_json::{Value, json};

use crate::Result;
use crate::site::{Said, Site};

async fn register(site: &Site, metadata: &Value) -> Result<Said> {
    site.post_json("/oauth/register", &metadata.to_string()).await
}

#[tokio::test]
async fn it_says_what_it_has_registered() -> Result {
    let site = Site::start().await?;
    let uris =
        json!(["https://app.example/cb?x=1", "http://127.0.0.1/cb", "http://[::1]:80/cb", "http://localhost:1/"]);
    let said = register(
        &site,
        &json!({ "redirect_uris": uris, "client_name": "Ünïcode", "token_endpoint_auth_method": "client_secret_post",
            "grant_types": ["authorization_code"], "response_types": ["code"], "application_type": "native", "x": {} }),
    )
    .await?;
    assert_eq!((said.status, said.header("cache-control")), (201, "no-store"), "{said:?}");
    assert!(!said.text("client_id").is_empty());
    assert!(said.member("client_id_issued_at").as_u64().is_some_and(|at| at > 1_700_000_000));
    for (name, value) in [
        ("redirect_uris", uris),
        ("client_name", json!("Ünïcode")),
        ("token_endpoint_auth_method", json!("none")),
        ("grant_types", json!(["authorization_code", "refresh_token"])),
        ("response_types", json!(["code"])),
        ("scope", json!("tools")),
        ("client_secret", Value::Null),
    ] {
        assert_eq!(said.member(name), value, "{name}");
    }
    assert_eq!(
        register(&site, &json!({ "redirect_uris": ["https://app.example/"] })).await?.member("client_name"),
        Value::Null
    );
    Ok(())
}

#[tokio::test]
async fn a_redirect_uri_that_leads_elsewhere_is_refused() -> Result {
    let site = Site::start().await?;
    for uri in [
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "java\tscript:alert(1)",
        " javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://app.example/x",
        "about:blank",
        "app:/callback",
        "ftp://app.example/",
        "http://app.example/cb",
        "HTTP://app.example/cb",
        "http://127.0.0.1.attacker.example/cb",
        "http://127.0.0.1@attacker.example/cb",
        "http://localhost.attacker.example/cb",
        "http://0.0.0.0/cb",
        "http://10.0.0.1/cb",
        "https://user@app.example/cb",
        "https://:password@app.example/cb",
        "https://app.example/cb#",
        "https://app.example/cb#fragment",
        "https:\\\\app.example\\cb",
        "https://app.example/c b",
        "https://app.example/cb\n",
        "https://app.example/\"onload=",
        "https:///",
        "//app.example/cb",
        "/cb",
        "",
    ] {
        for uris in [json!([uri]), json!(["https://app.example/cb", uri])] {
            register(&site, &json!({ "redirect_uris": uris })).await?.assert_is_error("invalid_redirect_uri");
        }
    }
    for metadata in [json!({}), json!({ "redirect_uris": [] })] {
        register(&site, &metadata).await?.assert_is_error("invalid_redirect_uri");
    }
    Ok(())
}

#[tokio::test]
async fn metadata_that_cannot_be_served_is_refused() -> Result {
    let site = Site::start().await?;
    let uris = json!(["https://app.example/cb"]);
    for metadata in [
        json!({ "redirect_uris": "https://app.example/cb" }),
        json!({ "redirect_uris": [1] }),
        json!({ "redirect_uris": null }),
        json!({ "redirect_uris": uris, "grant_types": ["client_credentials"] }),
        json!({ "redirect_uris": uris, "grant_types": [] }),
        json!({ "redirect_uris": uris, "response_types": ["token"] }),
        json!({ "redirect_uris": uris, "client_name": "x".repeat(101) }),
        json!({ "redirect_uris": uris, "client_name": " " }),
        json!({ "redirect_uris": uris, "client_name": "Bank\u{202e}" }),
        json!({ "redirect_uris": uris, "client_name": "Bank\n" }),
        json!([uris]),
        json!("text"),
        json!({ "redirect_uris": uris, "x": "x".repeat(16 * 1024) }),
    ] {
        register(&site, &metadata).await?.assert_is_error("invalid_client_metadata");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_not_json_is_refused_in_json() -> Result {
    let site = Site::start().await?;
    let right = r#"{"redirect_uris":["https://app.example/cb"]}"#;
    for body in ["", "{", "redirect_uris=https://app.example/cb", "{} {}", &format!("{right}{right}")] {
        site.post_json("/oauth/register", body).await?.assert_is_error("invalid_client_metadata");
    }
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let request = site.request(Method::POST, "/oauth/register").header("content-type", content_type);
        Said::of(request.body(right)).await?.assert_is_error("invalid_client_metadata");
    }
    Said::of(site.request(Method::POST, "/oauth/register").body(right))
        .await?
        .assert_is_error("invalid_client_metadata");
    let said = site.post_json(
        "/oauth/register",
        r#"{"redirect_uris":["https://a.example/"],"redirect_uris":["https://b.example/"]}"#,
    );
    said.await?.assert_is_error("invalid_client_metadata");
    Ok(())
}
