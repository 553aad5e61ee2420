//! Serves the gateway on a socket, or plays its demonstration.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use pkce_gateway::{Command, Config, Options, demo};
use tokio::net::TcpListener;

#[tokio::main]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line program")]
async fn main() -> ExitCode {
    let done = match Command::from_command_line() {
        Err(error) => {
            eprintln!("pkce-gateway: {error}");
            return ExitCode::from(2);
        }
        Ok(Command::Demo) => demo::play(|row| println!("{row}")).await,
        Ok(Command::Serve(options)) => {
            fixture_host::start_logging();
            serve(&options, |address| println!("listening on http://{address}")).await.map_err(Into::into)
        }
        Ok(_) => Ok(()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pkce-gateway: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: &Options, listening: impl FnOnce(SocketAddr)) -> io::Result<()> {
    let config = Config::read(&options.config).map_err(io::Error::other)?;
    let listener = TcpListener::bind(options.listen).await?;
    let address = listener.local_addr()?;
    let store = options.store.open().await.map_err(io::Error::other)?;
    let issuer = options.issuer.clone().unwrap_or_else(|| format!("http://{address}"));
    let app = pkce_gateway::app(config, &options.upstream, store, &issuer).map_err(io::Error::other)?;
    listening(address);
    axum::serve(listener, app).with_graceful_shutdown(interrupted()).await
}

async fn interrupted() {
    // Without a handler the process ends by the signal's default.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
