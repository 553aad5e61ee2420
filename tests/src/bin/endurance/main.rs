//! `endurance --store NAME`: the example servers on a real store, under load and faults, and how many tokens each code gave.
//!
//! Two servers, on axum and on Actix, share the store. Clients redeem codes that this program binds through the same store. A thread
//! kills the store and the servers, cuts connections, loses replies, and makes the store hang or its master change.
//! The exit status is 1 if a code gave tokens twice, or if a request that lacks the verifier or is of another client got any.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the report")]
#![expect(clippy::unwrap_used, reason = "a lock is poisoned only if this program has panicked already")]

mod chance;
mod clients;
mod code;
mod faults;
mod store;
mod tally;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lexopt::prelude::*;
use pkce_tests::Result;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::clients::Clients;
use crate::faults::Servers;
use crate::store::{Kind, Store};

const USAGE: &str = "\
endurance --store NAME [--codes N] [--seed N] [--clients N] [--no-faults]
  --store NAME   redis, redis-sentinel, redis-cluster, postgres, mariadb or sqlite
  --codes N      how many codes to bind (default: 1000)
  --seed N       of the clients' and the faults' choices (default: 1)
  --clients N    how many at once (default: 24)
  --no-faults    the load alone";

struct Options {
    store: Kind,
    codes: u64,
    seed: u64,
    clients: u64,
    faults: bool,
}

impl Options {
    fn parse() -> std::result::Result<Self, lexopt::Error> {
        let (mut store, mut codes, mut seed, mut clients, mut faults) = (None, 1000, 1, 24, true);
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Long("store") => store = Some(parser.value()?.parse()?),
                Long("codes") => codes = parser.value()?.parse()?,
                Long("seed") => seed = parser.value()?.parse()?,
                Long("clients") => clients = parser.value()?.parse()?,
                Long("no-faults") => faults = false,
                _ => return Err(argument.unexpected()),
            }
        }
        Ok(Self { store: store.ok_or("--store is missing")?, codes, seed, clients, faults })
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = match Options::parse() {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(options).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(3)
        }
    }
}

/// Returns whether every code gave tokens once at most, and only to its client.
async fn run(options: Options) -> Result<bool> {
    let Options { store: kind, codes, seed, clients, faults } = options;
    let store = Store::start(kind).ok_or("the store cannot be started here")?;
    let servers = Arc::new(Servers::start(&store.url())?);
    let world = Arc::new(Clients::new(&store.url(), servers.wires(), codes).await?);
    let began = Instant::now();

    let over = Arc::new(AtomicBool::new(false));
    let troublemaker = thread::spawn({
        let (over, servers) = (Arc::clone(&over), Arc::clone(&servers));
        move || faults::cause(store, &servers, seed, &over, faults)
    });
    let mut workers = JoinSet::new();
    for nth in 0..clients {
        let world = Arc::clone(&world);
        workers.spawn(async move { world.work(seed.wrapping_mul(1_000_003).wrapping_add(nth)).await });
    }
    let progress = tokio::spawn({
        let world = Arc::clone(&world);
        async move {
            loop {
                sleep(Duration::from_secs(10)).await;
                eprintln!("{:.0?}: {}", began.elapsed(), world.tally().line());
            }
        }
    });
    while workers.join_next().await.transpose()?.is_some() {}
    progress.abort();
    over.store(true, Ordering::Relaxed);
    let caused = troublemaker.join().map_err(|_| "the thread that causes the faults has panicked")?;

    let tally = world.tally();
    println!(
        "store {kind}, seed {seed}, {clients} clients at once, {:.0?}\n{tally}faults caused: {caused}",
        began.elapsed()
    );
    Ok(tally.is_sound())
}
