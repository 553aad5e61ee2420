//! Serves the axum server on a socket, 127.0.0.1:8020 unless an address is given.

use std::io;

use tokio::net::TcpListener;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "a command line program")]
async fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8020".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, json_token_endpoint_example::axum_server::app()).await
}
