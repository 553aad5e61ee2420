//! Serves the example on a socket.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;

use actix_server::{Server, app};
use actix_web::HttpServer;
use example_host::{Options, start_logging};

#[actix_web::main]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line program")]
async fn main() -> ExitCode {
    start_logging();
    let options = match Options::from_command_line(3001) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("actix-server: {error}");
            return ExitCode::from(2);
        }
    };
    match serve(&options, |address| println!("listening on http://{address}")).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("actix-server: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: &Options, listening: impl FnOnce(SocketAddr)) -> io::Result<()> {
    let listener = TcpListener::bind(options.listen)?;
    let address = listener.local_addr()?;
    let store = options.store.open().await.map_err(io::Error::other)?;
    let issuer = options.issuer.clone().unwrap_or_else(|| format!("http://{address}"));
    let server = Server::new(options, store, &issuer);
    let running = HttpServer::new(move || app(server.clone())).listen(listener)?.run();
    listening(address);
    running.await
}
