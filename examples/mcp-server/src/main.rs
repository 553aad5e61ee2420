//! Serves the example on a socket, 127.0.0.1:3000 unless an address is given. The tools are at `/mcp`.

use std::io;

use tokio::net::TcpListener;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "a command line program")]
async fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    let issuer = format!("http://{}", listener.local_addr()?);
    println!("listening on {issuer}");
    axum::serve(listener, mcp_server_example::app(&issuer)).await
}
