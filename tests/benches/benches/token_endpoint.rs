//! The token endpoint: requests in a second, and the time of the server's core for each, with each adapter, beside the
//! same job written by hand.
//!
//! The server is a process on the first core, the client has the second one. Each round has a batch of each variant, so
//! what else the machine does slows all of them, and medians over the rounds are printed. A batch is sent by a client that
//! never sleeps, and again by one that sleeps until a response has arrived: waking it is the server's work too.
#![expect(clippy::panic, reason = "there is nothing to measure then")]

use std::io;
use std::time::Instant;

use pkce_benches::client::Client;
use pkce_benches::paired::median;
use pkce_benches::process::{self, ServerProcess};
use pkce_benches::report::{self, Target};
use pkce_benches::requests::{code, token_request};
use pkce_benches::servers::{Adapter, Variant};

const CONNECTIONS: usize = 64;
const CODES: u64 = 900_000;
const ROUNDS: u64 = 400;
/// Small, so that the batches of a round are sent within a quarter of a second: what disturbs one round spoils no other.
const BATCH: u64 = 512;
/// Codes are redeemed in another order than that in which they were issued. It has no divisor in common with [`CODES`].
const STRIDE: u64 = 611_953;

const SERVER: &str = env!("CARGO_BIN_EXE_token_endpoint_server");

/// How the client waits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wait {
    Awake,
    Asleep,
}

/// A server and its client.
struct Measured {
    server: ServerProcess,
    client: Client,
    next: u64,
}

/// What a batch took for each request: microseconds in all, microseconds of the server's core, and how often the client
/// slept.
#[derive(Clone, Copy)]
struct Taken {
    time: f64,
    cpu: f64,
    sleeps: f64,
}

impl Measured {
    fn start(adapter: Adapter, variant: Variant) -> io::Result<Self> {
        let server = ServerProcess::start(SERVER, adapter, variant, CODES)?;
        let client = Client::connect(server.address, CONNECTIONS, &code(0))?;
        Ok(Self { server, client, next: 1 })
    }

    fn batch(&mut self, wait: Wait) -> io::Result<Taken> {
        let codes = self.next..self.next + BATCH;
        self.next = codes.end;
        let requests: Vec<_> = codes.map(|nth| token_request(&code(nth * STRIDE % CODES))).collect();
        let (sleeps, cpu, start) = (process::sleeps()?, self.server.cpu_time()?, Instant::now());
        match wait {
            Wait::Awake => _ = self.client.send_without_sleep(&requests)?,
            Wait::Asleep => self.client.send(&requests)?,
        }
        let (time, cpu, sleeps) =
            (start.elapsed(), self.server.cpu_time()?.saturating_sub(cpu), process::sleeps()? - sleeps);
        let each = |all: f64| all / f64::from(u32::try_from(BATCH).unwrap_or(1));
        let sleeps = f64::from(u32::try_from(sleeps).unwrap_or(u32::MAX));
        Ok(Taken { time: each(time.as_secs_f64() * 1e6), cpu: each(cpu.as_secs_f64() * 1e6), sleeps: each(sleeps) })
    }
}

fn measure(adapter: Adapter) -> io::Result<()> {
    let mut servers = Vec::new();
    for variant in Variant::ALL {
        servers.push(Measured::start(adapter, variant)?);
    }
    let mut taken = [vec![Vec::new(); servers.len()], vec![Vec::new(); servers.len()]];
    for round in 0..ROUNDS {
        for place in 0..servers.len() {
            // In each round another one begins.
            let nth = (place + usize::try_from(round).unwrap_or_default()) % servers.len();
            let Some(server) = servers.get_mut(nth) else { continue };
            for (wait, taken) in [Wait::Awake, Wait::Asleep].into_iter().zip(&mut taken) {
                let batch = server.batch(wait)?;
                if let Some(taken) = taken.get_mut(nth) {
                    taken.push(batch);
                }
            }
        }
    }
    for (wait, taken) in [Wait::Awake, Wait::Asleep].into_iter().zip(&taken) {
        report_all(adapter, wait, taken);
    }
    Ok(())
}

fn report_all(adapter: Adapter, wait: Wait, taken: &[Vec<Taken>]) {
    let of = |variant: Variant| {
        let nth = Variant::ALL.iter().position(|other| *other == variant);
        nth.and_then(|nth| taken.get(nth)).map_or(&[][..], Vec::as_slice)
    };
    let ratio = |one, other, value: fn(&Taken) -> f64| {
        median(of(one).iter().zip(of(other)).map(|(one, other)| value(one) / value(other)))
    };
    let client = if wait == Wait::Awake { "" } else { ", a client that sleeps" };
    for variant in Variant::ALL {
        let name = format!("{adapter}: {variant}{client}");
        report::value(&format!("{name}: µs of CPU"), median(of(variant).iter().map(|taken| taken.cpu)));
        report::value(&format!("{name}: CPU / bare"), ratio(variant, Variant::Bare, |taken| taken.cpu));
        report::value(&format!("{name}: requests/s / bare"), ratio(Variant::Bare, variant, |taken| taken.time));
        if wait == Wait::Asleep {
            report::value(&format!("{name}: sleeps"), median(of(variant).iter().map(|taken| taken.sleeps)));
        }
    }
    let least = if adapter == Adapter::Axum { 0.96 } else { 0.99 };
    for (ours, theirs, has_target) in [
        (Variant::Ours, Variant::SameJob, true),
        (Variant::OursBound, Variant::SameJobBound, true),
        (Variant::Ours, Variant::SameJobLayer, false),
    ] {
        let name = format!("{adapter}: {ours} / {theirs}{client}");
        let (rate, cpu) = (ratio(theirs, ours, |taken| taken.time), ratio(ours, theirs, |taken| taken.cpu));
        if has_target && wait == Wait::Awake {
            report::target(&format!("{name}: requests/s"), rate, Target::AtLeast(least));
            report::target(&format!("{name}: CPU"), cpu, Target::AtMost(1.05));
        } else {
            report::value(&format!("{name}: requests/s"), rate);
            report::value(&format!("{name}: CPU"), cpu);
        }
    }
}

fn main() {
    if !report::is_measuring() {
        return;
    }
    if let Err(error) = process::leave_first_core() {
        report::note(&format!("SKIPPED: the requests in a second are not measured: {error}"));
        return;
    }
    for adapter in Adapter::ALL {
        measure(adapter).unwrap_or_else(|error| panic!("{error}"));
    }
}
