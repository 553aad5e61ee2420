//! Starts the axum example on a free loopback port, plays the honest flow with the `oauth2` crate and then the
//! attacks, and prints what was tried and what the server said.
//!
//! Exit status 0 only if every honest flow passed and every attack was refused.

use std::process::ExitCode;

use example_host::Options;
use pkce_core::MemoryStore;
use playground::{Result, Row, Wire};
use tokio::net::TcpListener;

#[tokio::main]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line program")]
async fn main() -> ExitCode {
    match play().await {
        Ok(rows) => {
            let wrong = rows.iter().filter(|row| !row.is_right()).count();
            println!("\n{} tried, {wrong} wrong", rows.len());
            if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("playground: {error}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "a command line program")]
async fn play() -> Result<Vec<Row>> {
    let options = Options::parse([], 0)?;
    let listener = TcpListener::bind(options.listen).await?;
    let wire = Wire(listener.local_addr()?);
    let issuer = format!("http://{}", wire.0);
    let server =
        tokio::spawn(axum::serve(listener, axum_server::app(&options, MemoryStore::new(), &issuer)).into_future());
    println!("an authorization server on {issuer}\n\nHonest clients");
    let mut rows = shown(playground::honest_clients(wire).await?);
    println!("\nAttacks");
    rows.extend(shown(playground::attacks(wire).await?));
    server.abort();
    Ok(rows)
}

#[expect(clippy::print_stdout, reason = "a command line program")]
fn shown(rows: Vec<Row>) -> Vec<Row> {
    for row in &rows {
        println!("{row}");
    }
    rows
}
