//! The MCP client of `rmcp`: discovery, registration and PKCE by its own OAuth client, and a call of a tool.

use mcp_server_example::{PublicAddresses, app, http_client};
use reqwest::redirect::Policy;
use rmcp::ServiceExt as _;
use rmcp::model::{CallToolRequestParams, ClientConfig};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::auth::{AuthClient, AuthorizationRequest, OAuthState};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use tokio::net::TcpListener;

use crate::{CALLBACK, Result};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_mcp_client_signs_in_with_pkce_and_calls_a_tool() -> Result {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}", listener.local_addr()?);
    let app = app(base.parse()?, None, http_client(PublicAddresses::default()).build()?);
    tokio::spawn(async { axum::serve(listener, app).await });
    let url = format!("{base}/mcp");
    let transport = |url: &str| StreamableHttpClientTransportConfig::with_uri(url);

    let unauthorized = StreamableHttpClientTransport::with_client(reqwest_of_rmcp::Client::default(), transport(&url));
    let Err(refused) = ClientConfig::default().serve(unauthorized).await else {
        return Err("no token was asked".into());
    };
    let challenge = refused.auth_challenge().ok_or("no challenge in the 401")?.to_owned();
    let mut state = OAuthState::new(&url, None).await?;
    state.start_authorization(AuthorizationRequest::new(CALLBACK).with_challenge(challenge)).await?;

    let browser = reqwest::Client::builder().redirect(Policy::none()).build()?;
    let page = browser.get(state.get_authorization_url().await?).send().await?;
    let cookie = page.headers().get("set-cookie").ok_or("no cookie")?.to_str()?.to_owned();
    let page = page.text().await?;
    let (_, csrf) = page.split_once("name=\"csrf\" value=\"").ok_or("no form")?;
    let form = format!("approved=true&csrf={}", csrf.split('"').next().unwrap_or_default());
    let approval =
        browser.post(format!("{base}/oauth/approve")).header("cookie", cookie.split(';').next().unwrap_or_default());
    let redirect = approval.header("content-type", "application/x-www-form-urlencoded").body(form).send().await?;
    state.handle_callback_url(redirect.headers().get("location").ok_or("no redirect")?.to_str()?).await?;

    let manager = state.into_authorization_manager().ok_or("not authorized")?;
    let client = AuthClient::new(reqwest_of_rmcp::Client::default(), manager);
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
