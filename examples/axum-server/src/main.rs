//! Serves the example on a socket.

use std::io;
use std::process::ExitCode;

use example_host::{Options, start_logging};
use tokio::net::TcpListener;

#[tokio::main]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line program")]
async fn main() -> ExitCode {
    start_logging();
    let options = match Options::from_command_line(3000) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("axum-server: {error}");
            return ExitCode::from(2);
        }
    };
    match serve(&options, |address| println!("listening on http://{address}")).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("axum-server: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: &Options, listening: impl FnOnce(std::net::SocketAddr)) -> io::Result<()> {
    let listener = TcpListener::bind(options.listen).await?;
    let address = listener.local_addr()?;
    let store = options.store.open().await.map_err(io::Error::other)?;
    let issuer = options.issuer.clone().unwrap_or_else(|| format!("http://{address}"));
    let app = axum_server::app(options, store, &issuer);
    listening(address);
    axum::serve(listener, app).with_graceful_shutdown(interrupted()).await
}

async fn interrupted() {
    // Without a handler the process ends by the signal's default.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
