//! The token endpoint, with codes that are bound to a client and a redirect URI in a memory store.

use std::time::Instant;

use pkce_benches::client::Client;
use pkce_benches::plot::Line;
use pkce_benches::process::ServerProcess;
use pkce_benches::requests::{code, token_request};
use pkce_benches::servers::{Adapter, Variant};

use crate::AT_ONCE;
use crate::load::Load;

const CODES: [u64; 3] = [10_000, 1_000_000, 10_000_000];
/// As many as there are if a store has fewer codes.
const REQUESTS: u64 = 40_000;
/// Codes are redeemed in another order than that in which they were issued. It has no divisor in common with [`CODES`].
const STRIDE: u64 = 611_953;

const SERVER: &str = env!("CARGO_BIN_EXE_token_endpoint_server");

/// The requests in a second, and the microseconds at 99 %: a line for the bare handler, and one for each number of codes.
pub(crate) fn measure(adapter: Adapter) -> (Vec<Line>, Vec<Line>) {
    let (mut rates, mut p99s) = (Vec::new(), Vec::new());
    let mut line = |name: &str, loads: &[Load]| {
        rates.push(Line { name: name.to_owned(), values: loads.iter().map(|load| load.rate).collect() });
        p99s.push(Line { name: name.to_owned(), values: loads.iter().map(|load| load.p99).collect() });
    };
    let bare = ServerProcess::start(SERVER, adapter, Variant::Bare, 0).unwrap();
    let empty = bare.memory().unwrap();
    line(
        "bare handler",
        &AT_ONCE.map(|connections| {
            let load = load(&bare, connections, 0..REQUESTS);
            load.print(&format!("{adapter} | bare handler | {connections}"));
            load
        }),
    );
    for codes in CODES {
        let requests = REQUESTS.min(codes);
        let start = || ServerProcess::start(SERVER, adapter, Variant::OursBound, codes).unwrap();
        let mut server = start();
        let bytes = bytes_for_each(server.memory().unwrap() - empty, codes);
        let mut next = 0;
        line(
            &format!("{codes} live codes"),
            &AT_ONCE.map(|connections| {
                if next + requests > codes {
                    (server, next) = (start(), 0);
                }
                next += requests;
                let load = load(&server, connections, (next - requests..next).map(|nth| nth * STRIDE % codes));
                load.print(&format!("{adapter} | {codes} codes, {bytes:.0} bytes each | {connections}"));
                load
            }),
        );
    }
    (rates, p99s)
}

/// By a client that never sleeps.
fn load(server: &ServerProcess, connections: usize, codes: impl Iterator<Item = u64>) -> Load {
    let mut codes = codes.map(code);
    let mut client = Client::connect(server.address, connections, &codes.next().unwrap()).unwrap();
    let requests: Vec<_> = codes.map(|code| token_request(&code)).collect();
    let start = Instant::now();
    let times = client.send_without_sleep(&requests).unwrap();
    Load::of(times, start.elapsed())
}

#[expect(clippy::cast_precision_loss, reason = "there are fewer than 2^52 bytes")]
fn bytes_for_each(bytes: u64, codes: u64) -> f64 {
    bytes as f64 / codes as f64
}
