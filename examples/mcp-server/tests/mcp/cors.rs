//! A client in a browser, on another origin.

use reqwest::Method;

use crate::Result;
use crate::client::{register, tokens};
use crate::site::{Said, Site};

async fn preflight(site: &Site, path: &str, method: &str, headers: &str) -> Result<Said> {
    let request = site.request(Method::OPTIONS, path).header("origin", "https://app.example");
    let request = request.header("access-control-request-method", method);
    Said::of(request.header("access-control-request-headers", headers)).await
}

#[tokio::test]
async fn a_preflight_is_answered_outside_of_the_guard_by_every_endpoint_for_clients() -> Result {
    let site = Site::start().await?;
    for (path, method, headers) in [
        ("/mcp", "POST", "authorization,content-type,mcp-protocol-version,mcp-param-region"),
        ("/mcp", "GET", "authorization,last-event-id,mcp-session-id"),
        ("/mcp", "DELETE", "authorization,mcp-session-id"),
        ("/oauth/token", "POST", "content-type"),
        ("/oauth/register", "POST", "content-type"),
        ("/.well-known/oauth-authorization-server", "GET", "mcp-protocol-version"),
        ("/.well-known/oauth-protected-resource/mcp", "GET", "mcp-protocol-version"),
    ] {
        let said = preflight(&site, path, method, headers).await?;
        assert_eq!((said.status, said.header("access-control-allow-origin")), (200, "*"), "{path}");
        assert!(said.header("access-control-allow-methods").contains(method), "{path} {said:?}");
        // A wildcard does not cover `Authorization`.
        assert_eq!(said.header("access-control-allow-headers"), headers, "{path}");
        assert_eq!(said.header("access-control-allow-credentials"), "", "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn a_page_reads_the_challenge_of_the_401_and_the_session_of_the_tools() -> Result {
    let site = Site::start().await?;
    let access = tokens(&site, &register(&site).await?).await?.access;
    for authorization in ["", &format!("Bearer {access}")] {
        let said = site.initialize(authorization).await?;
        assert_eq!(said.header("access-control-allow-origin"), "*");
        assert_eq!(said.header("access-control-expose-headers"), "www-authenticate,mcp-session-id");
        assert_eq!(said.header("mcp-session-id").is_empty(), authorization.is_empty());
    }
    for said in [
        site.post_form("/oauth/token", &[("grant_type", "authorization_code")]).await?, // of the layer
        site.post_form("/oauth/token", &[("grant_type", "nothing")]).await?,            // of the handler
        site.post_json("/oauth/register", "{}").await?,
    ] {
        assert_eq!((said.status, said.header("access-control-allow-origin")), (400, "*"), "{said:?}");
    }
    Ok(())
}

#[tokio::test]
async fn no_page_of_another_origin_reads_the_consent_page() -> Result {
    let site = Site::start().await?;
    for path in ["/oauth/authorize", "/oauth/approve"] {
        assert_eq!(preflight(&site, path, "POST", "content-type").await?.header("access-control-allow-origin"), "");
        assert_eq!(site.get(path).await?.header("access-control-allow-origin"), "");
    }
    Ok(())
}
