//! The tools: yours.

use std::sync::Arc;

use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{ServerCapabilities, ServerConfig};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ServerHandler, schemars, tool, tool_handler, tool_router};
use serde::Deserialize;

pub(crate) fn service(hosts: &[String]) -> StreamableHttpService<Greeter, LocalSessionManager> {
    // By default only loopback is allowed, and a public name is a 403.
    let config = StreamableHttpServerConfig::default().with_allowed_hosts(hosts);
    StreamableHttpService::new(|| Ok(Greeter { word: "hello" }), Arc::new(LocalSessionManager::default()), config)
}

#[derive(Clone)]
pub(crate) struct Greeter {
    word: &'static str,
}

#[derive(Deserialize, schemars::JsonSchema)]
struct Whom {
    name: String,
}

#[tool_router]
impl Greeter {
    #[tool(description = "Greets somebody")]
    fn greet(&self, Parameters(Whom { name }): Parameters<Whom>) -> String {
        format!("{}, {name}", self.word)
    }
}

#[tool_handler]
impl ServerHandler for Greeter {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}
