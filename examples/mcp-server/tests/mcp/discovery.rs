//! What a client reads before it asks.

use reqwest::Method;
use reqwest::header::HOST;
use serde_json::json;

use crate::client::{register, tokens};
use crate::site::{Said, Site};
use crate::{ISSUER, Result};

#[tokio::test]
async fn the_401_leads_to_both_documents_under_the_public_name() -> Result {
    let site = Site::start().await?;
    let said = site.post_json("/mcp", "{}").await?;
    let challenge =
        r#"Bearer scope="tools", resource_metadata="https://mcp.example/.well-known/oauth-protected-resource/mcp""#;
    assert_eq!((said.status, said.header("www-authenticate")), (401, challenge));
    for path in ["/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"] {
        let resource = site.get(path).await?;
        assert_eq!(resource.text("resource"), "https://mcp.example/mcp");
        assert_eq!(resource.member("authorization_servers"), json!([ISSUER]));
        assert_eq!(resource.member("scopes_supported"), json!(["tools"]));
    }
    let server = site.get("/.well-known/oauth-authorization-server").await?;
    assert_eq!(server.text("issuer"), ISSUER);
    for (name, path) in
        [("authorization", "/oauth/authorize"), ("token", "/oauth/token"), ("registration", "/oauth/register")]
    {
        assert_eq!(server.text(&format!("{name}_endpoint")), format!("{ISSUER}{path}"));
    }
    assert_eq!(server.member("code_challenge_methods_supported"), json!(["S256"]));
    for name in ["client_id_metadata_document_supported", "authorization_response_iss_parameter_supported"] {
        assert_eq!(server.member(name), json!(true), "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn only_a_token_that_was_sent_is_called_invalid() -> Result {
    let site = Site::start().await?;
    let access = tokens(&site, &register(&site).await?).await?.access;
    for (authorization, is_token) in [
        ("", false),
        ("Basic YTpi", false),
        ("Bearer", false),
        ("Bearer x", true),
        ("bearer x", true),
        (&format!("Bearer {access}x"), true),
        (&format!("Bearer {}", access.split('.').next().unwrap_or_default()), true),
        (&format!("Bearer .{access}"), true),
    ] {
        let said = site.initialize(authorization).await?;
        let challenge = said.header("www-authenticate");
        assert_eq!((said.status, challenge.contains("error=\"invalid_token\"")), (401, is_token), "{authorization}");
        assert!(challenge.contains("scope=\"tools\", resource_metadata=\""), "{challenge}");
    }
    Ok(())
}

#[tokio::test]
async fn the_scheme_of_a_token_is_read_in_any_case() -> Result {
    let site = Site::start().await?;
    let access = tokens(&site, &register(&site).await?).await?.access;
    for scheme in ["Bearer", "bearer", "BEARER"] {
        assert_eq!(site.initialize(&format!("{scheme} {access}")).await?.status, 200, "{scheme}");
    }
    Ok(())
}

#[tokio::test]
async fn an_unknown_path_is_not_found_whether_there_is_a_token_or_not() -> Result {
    let site = Site::start().await?;
    for path in ["/", "/mcp/", "/mcp/x", "/other", "/oauth", "/.well-known/openid-configuration"] {
        let said = site.get(path).await?;
        assert_eq!((said.status, said.header("www-authenticate")), (404, ""), "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn a_host_that_is_not_ours_is_refused_everywhere_and_one_of_a_proxy_is_not() -> Result {
    let site = Site::start().await?;
    let access = tokens(&site, &register(&site).await?).await?.access;
    for (host, status) in [
        ("mcp.example", 200),
        ("MCP.example:443", 200),
        ("127.0.0.1:8000", 200),
        ("localhost", 200),
        ("[::1]:8000", 200),
        ("attacker.example", 421),
        ("mcp.example.attacker.example", 421),
        ("mcp.example@attacker.example", 421),
        ("", 421),
    ] {
        let metadata = site.request_to(host, Method::GET, "/.well-known/oauth-authorization-server");
        let page = site.request_to(host, Method::GET, "/oauth/authorize");
        let tools = site.request_to(host, Method::POST, "/mcp").bearer_auth(&access);
        let tools =
            tools.header("accept", "application/json, text/event-stream").header("content-type", "application/json");
        let hello = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18",
            "capabilities":{},"clientInfo":{"name":"tests","version":"1"}}}"#;
        assert_eq!(Said::of(metadata).await?.status, status, "{host}");
        assert_eq!(Said::of(page).await?.status, if status == 200 { 400 } else { status }, "{host}");
        assert_eq!(Said::of(tools.body(hello)).await?.status, status, "{host}");
    }
    let twice = site.request(Method::GET, "/oauth/authorize").header(HOST, "attacker.example");
    assert_eq!(Said::of(twice).await?.status, 421);
    Ok(())
}
