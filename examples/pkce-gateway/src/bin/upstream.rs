//! Serves the small authorization server without PKCE on a socket, for a gateway to stand before.
//!
//! `upstream-without-pkce [LISTEN [REDIRECT_URI]]`, by default `127.0.0.1:4001` and `http://127.0.0.1:4000/callback`.

use std::env::args;
use std::process::ExitCode;

use pkce_gateway::provider;
use tokio::net::TcpListener;

#[tokio::main]
#[expect(clippy::print_stderr, reason = "a command line program")]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("upstream-without-pkce: {error}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "a command line program")]
async fn serve() -> std::io::Result<()> {
    let listen = args().nth(1).unwrap_or_else(|| "127.0.0.1:4001".to_owned());
    let redirect_uri = args().nth(2).unwrap_or_else(|| "http://127.0.0.1:4000/callback".to_owned());
    let listener = TcpListener::bind(listen).await?;
    let issuer = format!("http://{}", listener.local_addr()?);
    println!("listening on {issuer}");
    axum::serve(listener, provider::app(&issuer, &redirect_uri)).await
}
