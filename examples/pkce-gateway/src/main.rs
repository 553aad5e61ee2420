//! A front for an authorization server that has no PKCE.
//!
//! Clients come to the gateway with a code challenge and a code verifier; the upstream sees one confidential client, the
//! gateway. What PKCE adds to a server is in three files: the challenge in `authorize`, the binding in `callback`, the
//! layer in `gateway`. README.md shows the flow and says what the gateway does not do.

mod authorize;
mod callback;
mod client;
mod config;
mod cookies;
mod discovery;
mod endpoint;
mod gateway;
mod grant;
mod metadata;
mod metrics;
mod options;
mod parameters;
mod redirect;
mod redirect_uri;
mod reply;
mod respond;
mod revoke;
mod seal;
mod secret;
mod signals;
mod store;
mod token;
mod transaction;
mod upstream;

use std::io::{Write as _, stderr, stdout};
use std::process::ExitCode;

use serde_json::Map;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tracing_subscriber::EnvFilter;

use crate::config::Config;
use crate::gateway::{Gateway, checked};
use crate::options::Options;
use crate::seal::Seal;
use crate::secret::Secret;
use crate::signals::Signals;
use crate::upstream::Upstream;

#[tokio::main]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line program")]
async fn main() -> ExitCode {
    let options = match Options::from_command_line() {
        Ok(options) => options,
        Err(error) => {
            eprintln!("pkce-gateway: {error}");
            return ExitCode::from(2);
        }
    };
    // RUST_LOG, or all from level info on.
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_ansi(false).init();
    let done = if options.check {
        check(&options).map(|()| println!("{} is good", options.config.display()))
    } else {
        serve(options).await
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pkce-gateway: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Checks all that can be checked without a connection.
fn check(options: &Options) -> Result<(), String> {
    let mut config = Config::read(&options.config)?;
    let issuer = options.issuer.as_deref().map_or(Ok((String::new(), false)), checked)?.0;
    config.clients()?;
    Seal::new(&config.keys()?, &issuer)?;
    config.store.as_ref().map(Secret::read).transpose()?;
    let http = Upstream::http(&config.upstream)?;
    let mut metadata = Map::new();
    if config.upstream.is_discovered() {
        for name in ["authorization_endpoint", "token_endpoint"] {
            metadata.insert(name.to_owned(), config.upstream.issuer.clone().into());
        }
    }
    Upstream::new(http, config.upstream, metadata).map(drop)
}

async fn serve(options: Options) -> Result<(), String> {
    let failed = |error: std::io::Error| error.to_string();
    let mut signals = Signals::listen().map_err(failed)?;
    let config = Config::read(&options.config)?;
    let http = Upstream::http(&config.upstream)?;
    let metadata = if config.upstream.is_discovered() {
        discovery::discover(&http, &config.upstream.issuer).await?
    } else {
        Map::new()
    };
    let upstream = Upstream::new(http, config.upstream.clone(), metadata)?;
    let configured = config.store.as_ref().map(Secret::read).transpose()?;
    let store = store::open(options.store.or(configured).as_deref().unwrap_or("memory:")).await?;
    let listener = TcpListener::bind(options.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let issuer = options.issuer.unwrap_or_else(|| format!("http://{address}"));
    let gateway = Gateway::new(options.config, config, upstream, store, &issuer)?;
    if let Some(address) = options.metrics {
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        tokio::spawn(axum::serve(listener, metrics::router()?).into_future());
    }
    // Whoever started it may not read on.
    writeln!(stdout(), "listening on http://{address}").ok();

    let (drain, drained) = oneshot::channel();
    let server =
        axum::serve(listener, gateway.clone().router()).with_graceful_shutdown(async { drained.await.unwrap_or(()) });
    let mut serving = tokio::spawn(server.into_future());
    signals.end(|| gateway.reload_clients()).await;
    tracing::info!("draining");
    drain.send(()).ok();
    // A second signal does not wait.
    tokio::select! {
        _ = &mut serving => tracing::info!("drained"),
        () = gateway.upstream.close() => tracing::warn!("drained but for clients that sent half a request or read no response"),
        () = signals.end(|| ()) => tracing::warn!("not drained: a second signal"),
    }
    Ok(())
}
