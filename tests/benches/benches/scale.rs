//! The token endpoint at scale: at 1 to 256 connections and ten thousand to ten million live codes.
//!
//! It draws `docs/images/performance-*.svg`, and prints the values for `docs/performance.md`.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on fails")]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use pkce_benches::client::Client;
use pkce_benches::plot::{self, Line};
use pkce_benches::process::{self, ServerProcess};
use pkce_benches::report;
use pkce_benches::requests::{code, token_request};
use pkce_benches::servers::{Adapter, Variant};

const AT_ONCE: [usize; 4] = [1, 16, 64, 256];
const CODES: [u64; 3] = [10_000, 1_000_000, 10_000_000];
/// As many as there are if a store has fewer codes.
const REQUESTS: u64 = 40_000;
/// Codes are redeemed in another order than that in which they were issued. It has no divisor in common with [`CODES`].
const STRIDE: u64 = 611_953;

const SERVER: &str = env!("CARGO_BIN_EXE_token_endpoint_server");
const IMAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/images");

/// The calls in a second, and the time that one took: the median, and what 99 and 99.9 of a hundred do not exceed.
#[derive(Clone, Copy)]
struct Load {
    rate: f64,
    p50: f64,
    p99: f64,
    p999: f64,
}

impl Load {
    fn of(mut times: Vec<Duration>, whole: Duration) -> Self {
        times.sort_unstable();
        let at = |per_mille: usize| {
            let micros = times.get((times.len() * per_mille / 1_000).min(times.len() - 1)).unwrap().as_secs_f64();
            micros * 1e6
        };
        let calls = f64::from(u32::try_from(times.len()).unwrap());
        Self { rate: calls / whole.as_secs_f64(), p50: at(500), p99: at(990), p999: at(999) }
    }

    fn print(&self, name: &str) {
        let Self { rate, p50, p99, p999 } = self;
        report::note(&format!("| {name} | {rate:.0} | {p50:.0} | {p99:.0} | {p999:.0} |"));
    }
}

/// A load of the token endpoint, by a client that never sleeps.
fn token_endpoint(server: &ServerProcess, connections: usize, codes: impl Iterator<Item = u64>) -> Load {
    let mut codes = codes.map(code);
    let mut client = Client::connect(server.address, connections, &codes.next().unwrap()).unwrap();
    let requests: Vec<_> = codes.map(|code| token_request(&code)).collect();
    let start = Instant::now();
    let times = client.send_without_sleep(&requests).unwrap();
    Load::of(times, start.elapsed())
}

/// The grid of an adapter, and the bytes of memory that a code takes.
fn grid(adapter: Adapter) -> (Vec<Line>, Vec<Line>) {
    let (mut rates, mut p99s) = (Vec::new(), Vec::new());
    let mut row = |name: String, loads: Vec<Load>| {
        rates.push(Line { name: name.clone(), values: loads.iter().map(|load| load.rate).collect() });
        p99s.push(Line { name, values: loads.iter().map(|load| load.p99).collect() });
    };
    let bare = ServerProcess::start(SERVER, adapter, Variant::Bare, 0).unwrap();
    let empty = bare.memory().unwrap();
    let loads = AT_ONCE.map(|connections| {
        let load = token_endpoint(&bare, connections, 0..REQUESTS);
        load.print(&format!("{adapter} | bare handler | {connections} |"));
        load
    });
    row("bare handler".to_owned(), loads.to_vec());
    for codes in CODES {
        let requests = REQUESTS.min(codes);
        let mut server = ServerProcess::start(SERVER, adapter, Variant::OursBound, codes).unwrap();
        let bytes = bytes_for_each(server.memory().unwrap() - empty, codes);
        let mut next = 0;
        let loads = AT_ONCE.map(|connections| {
            if next + requests > codes {
                server = ServerProcess::start(SERVER, adapter, Variant::OursBound, codes).unwrap();
                next = 0;
            }
            next += requests;
            let load = token_endpoint(&server, connections, (next - requests..next).map(|nth| nth * STRIDE % codes));
            load.print(&format!("{adapter} | {codes} codes, {bytes:.0} bytes each | {connections} |"));
            load
        });
        row(format!("{codes} live codes"), loads.to_vec());
    }
    (rates, p99s)
}

#[expect(clippy::cast_precision_loss, reason = "there are fewer than 2^52 bytes")]
fn bytes_for_each(bytes: u64, codes: u64) -> f64 {
    bytes as f64 / codes as f64
}

fn draw(name: &str, title: &str, unit: &str, lines: &[Line]) {
    let places = AT_ONCE.map(|at_once| at_once.to_string());
    let file = Path::new(IMAGES).join(format!("performance-{name}.svg"));
    fs::write(file, plot::draw(title, unit, "connections", &places, lines)).unwrap();
}

fn main() {
    if !report::is_measuring() {
        return;
    }
    process::leave_first_core().unwrap();
    for adapter in Adapter::ALL {
        let (rates, p99s) = grid(adapter);
        draw(&format!("{adapter}-rate"), &format!("Token requests, {adapter}"), "in a second", &rates);
        draw(&format!("{adapter}-p99"), &format!("Token request, {adapter}"), "µs at 99 %", &p99s);
    }
}
