//! Serves the example. `--listen ADDRESS` is where it listens (127.0.0.1:3000), `--issuer URL` what clients call it (the
//! address it listens on). The tools are at `/mcp`.
#![expect(clippy::print_stdout, reason = "a command line program")]

use std::error::Error;

use lexopt::prelude::{Long, ValueExt as _};
use mcp_server_example::{Issuer, PublicAddresses, app, http_client};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let (mut listen, mut issuer) = ("127.0.0.1:3000".to_owned(), None);
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("listen") => listen = arguments.value()?.string()?,
            Long("issuer") => issuer = Some(arguments.value()?.string()?),
            _ => return Err(argument.unexpected().into()),
        }
    }
    let listener = TcpListener::bind(listen).await?;
    let address = format!("http://{}", listener.local_addr()?);
    let issuer: Issuer = issuer.as_deref().unwrap_or(&address).parse()?;
    let password = std::env::var("MCP_PASSWORD").ok().filter(|password| !password.is_empty());
    if password.is_none() {
        tracing::warn!("whoever opens the consent page may approve: set MCP_PASSWORD, or add your sign-in");
    }
    let http = http_client(PublicAddresses::default()).build()?;
    println!("listening on {address}");
    Ok(axum::serve(listener, app(issuer, password, http)).await?)
}
