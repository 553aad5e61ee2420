//! Starts the axum example on a free loopback port, plays the honest flow with the `oauth2` crate and then the
//! attacks, and prints what was tried and what the server said; last what PKCE lets pass, and what stops that. With
//! `--serve` it serves a page to play them on.
//!
//! Without `--serve`, exit status 0 only if every honest flow passed, every attack was refused, and what PKCE lets pass was
//! stopped by the other defence.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use fixture_host::Options;
use lexopt::prelude::*;
use pkce_core::MemoryStore;
use playground::{Result, Row, Wire};
use tokio::net::TcpListener;

const USAGE: &str = "\
Options:
  --serve         serve a page on which to walk through the flow and play the attacks
  --listen ADDR   where to serve it, on 127.0.0.1 (default: 127.0.0.1:3002, port 0: a free one)";

enum Command {
    Play,
    Serve(SocketAddr),
    Help,
}

#[tokio::main]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line program")]
async fn main() -> ExitCode {
    let ended = match command(lexopt::Parser::from_env()) {
        Ok(Command::Play) => play().await,
        Ok(Command::Serve(listen)) => {
            let served = playground::serve(listen, |address| println!("listening on http://{address}"));
            served.await.map(|()| true)
        }
        Ok(Command::Help) => {
            println!("{USAGE}");
            Ok(true)
        }
        Err(error) => {
            eprintln!("playground: {error}");
            return ExitCode::from(2);
        }
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("playground: {error}");
            ExitCode::FAILURE
        }
    }
}

fn command(mut parser: lexopt::Parser) -> std::result::Result<Command, lexopt::Error> {
    let (mut serve, mut listen) = (false, None);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("serve") => serve = true,
            Long("listen") => listen = Some(parser.value()?.parse()?),
            Short('h') | Long("help") => return Ok(Command::Help),
            _ => return Err(argument.unexpected()),
        }
    }
    match (serve, listen) {
        (true, listen) => Ok(Command::Serve(listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 3002))))),
        (false, None) => Ok(Command::Play),
        (false, Some(_)) => Err("--listen goes with --serve".into()),
    }
}

/// Whether all went as it should.
#[expect(clippy::print_stdout, reason = "a command line program")]
async fn play() -> Result<bool> {
    let options = Options::parse([], 0)?;
    let listener = TcpListener::bind(options.listen).await?;
    let wire = Wire(listener.local_addr()?);
    let issuer = format!("http://{}", wire.0);
    let app = axum_fixture::app(&options, MemoryStore::new(), &issuer).merge(playground::app());
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let server = tokio::spawn(axum::serve(listener, app).into_future());
    println!("an authorization server on {issuer}\n\nHonest clients");
    let mut rows = shown(playground::honest_clients(wire).await?);
    println!("\nAttacks");
    rows.extend(shown(playground::attacks(wire).await?));
    println!("\nWhat PKCE does not stop, by PKCE alone and with what does stop it");
    rows.extend(shown(playground::limits(wire).await?));
    server.abort();
    let wrong = rows.iter().filter(|row| !row.is_right()).count();
    println!("\n{} tried, {wrong} wrong", rows.len());
    Ok(wrong == 0)
}

#[expect(clippy::print_stdout, reason = "a command line program")]
fn shown(rows: Vec<Row>) -> Vec<Row> {
    for row in &rows {
        println!("{row}");
    }
    rows
}
