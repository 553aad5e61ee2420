//! Serves the example on a socket, 127.0.0.1:8020 unless an address is given.

use std::io;
use std::net::TcpListener;

use actix_web::{App, HttpServer};
use oxide_auth_actix_example::Server;

#[actix_web::main]
#[expect(clippy::print_stdout, reason = "a command line program")]
async fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8020".to_owned());
    let listener = TcpListener::bind(address)?;
    println!("listening on http://{}", listener.local_addr()?);
    let server = Server::start().map_err(io::Error::other)?;
    HttpServer::new(move || App::new().configure(server.routes())).listen(listener)?.run().await
}
