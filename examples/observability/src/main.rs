//! Serves the example: the authorization server on one listener, its metrics on another.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use example_host::Host;
use observability::{Flawed, Options, Traffic, install_recorder, keep_up, metrics, start_logging};
use pkce_tower::pkce_core::store::ChallengeStore;
use pkce_tower::{MemoryStore, Pkce};
use playground::Wire;
use tokio::net::TcpListener;

#[tokio::main]
#[expect(clippy::print_stderr, reason = "a command line program")]
async fn main() -> ExitCode {
    let options = match Options::from_command_line() {
        Ok(options) => options,
        Err(error) => {
            eprintln!("observability: {error}");
            return ExitCode::from(2);
        }
    };
    match serve(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("observability: {error}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "a command line program")]
async fn serve(options: Options) -> io::Result<()> {
    start_logging(options.log);
    let recorded = install_recorder().map_err(io::Error::other)?;
    tokio::spawn(keep_up(recorded.clone()));

    let public = TcpListener::bind(options.listen).await?;
    let wire = Wire(public.local_addr()?);
    let scraped = TcpListener::bind(options.metrics).await?;
    println!("listening on http://{}\nmetrics on http://{}/metrics", wire.0, scraped.local_addr()?);

    let store: Arc<dyn ChallengeStore> =
        if options.traffic { Arc::new(Flawed::new()) } else { Arc::new(MemoryStore::new()) };
    let host = Arc::new(Host::new(format!("http://{}", wire.0)));
    let revoking = Arc::clone(&host);
    let pkce = Pkce::builder(store).on_replay(move |replay| {
        revoking.revoke(&replay);
        std::future::ready(())
    });
    if options.traffic {
        tokio::spawn(Traffic::beside(wire).await?.play());
    }
    tokio::spawn(axum::serve(scraped, metrics(recorded)).into_future());
    axum::serve(public, axum_server::app_with(host, pkce.build())).await
}
