//! The MCP client of `rmcp`: discovery, registration and PKCE by its own OAuth client, and a call of a tool.

use playground::Result;
use rmcp::ServiceExt as _;
use rmcp::model::{CallToolRequestParams, ClientConfig};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::auth::{AuthClient, AuthorizationRequest, OAuthState};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use url::Url;

use crate::client::allow;
use crate::host::{Host, base};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_mcp_client_signs_in_with_pkce_and_calls_a_tool() -> Result<()> {
    let server = Host::Mcp.start().await?;
    let url = format!("{}/mcp", base(server.wire));
    let transport = |url: &str| StreamableHttpClientTransportConfig::with_uri(url);

    let unauthorized = StreamableHttpClientTransport::with_client(reqwest::Client::default(), transport(&url));
    let Err(refused) = ClientConfig::default().serve(unauthorized).await else {
        return Err("no token was asked".into());
    };
    let challenge = refused.auth_challenge().ok_or("no challenge in the 401")?.to_owned();

    let mut state = OAuthState::new(&url, None).await?;
    let redirect_uri = Host::Mcp.redirect_uri();
    state.start_authorization(AuthorizationRequest::new(redirect_uri).with_challenge(challenge)).await?;
    let asked = Url::parse(&state.get_authorization_url().await?)?;
    assert!(asked.query_pairs().any(|(name, value)| name == "code_challenge_method" && value == "S256"));
    let page = server.wire.get(&format!("{}?{}", asked.path(), asked.query().unwrap_or_default())).await?;
    let redirect = allow(server.wire, &page).await?;
    state.handle_callback_url(redirect.header("location").ok_or("no redirect")?).await?;

    let manager = state.into_authorization_manager().ok_or("not authorized")?;
    let client = AuthClient::new(reqwest::Client::default(), manager);
    let client =
        ClientConfig::default().serve(StreamableHttpClientTransport::with_client(client, transport(&url))).await?;
    let name = serde_json::json!({ "name": "alice" }).as_object().cloned().unwrap_or_default();
    let said = client.call_tool(CallToolRequestParams::new("greet").with_arguments(name)).await?;
    assert_eq!(
        said.content.first().and_then(|content| content.as_text()).map(|text| text.text.as_str()),
        Some("hello, alice")
    );
    client.cancel().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_metadata_says_what_is_enforced_and_only_with_the_layer() -> Result<()> {
    let path = "/.well-known/oauth-authorization-server";
    for (server, expected) in [(Host::Mcp.start_before().await?, None), (Host::Mcp.start().await?, Some(r#"["S256"]"#))]
    {
        let document: serde_json::Value = serde_json::from_str(&server.wire.get(path).await?.body)?;
        let methods = document.get("code_challenge_methods_supported").map(ToString::to_string);
        assert_eq!(methods.as_deref(), expected);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_a_redeemed_code_is_served_again() -> Result<()> {
    let issued = Host::Mcp.start_before().await?.issue().await?;
    for _ in 0..2 {
        assert_eq!(issued.redeem().await?.status, 200);
    }
    Ok(())
}
