//! The same at scale: the token endpoint at 1 to 256 connections and ten thousand to ten million live codes, the stores on
//! servers at 1 to 256 tasks, and what a sign-in takes of a Redis Cluster.
//!
//! It draws `docs/images/performance-*.svg`, and prints the rows of the tables in `docs/performance.md`.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on fails")]

mod cluster;
mod load;
mod stores;
mod token_endpoint;

use std::fs;
use std::path::Path;

use pkce_benches::plot::{self, Line};
use pkce_benches::process;
use pkce_benches::report;
use pkce_benches::servers::Adapter;
use tokio::runtime::Runtime;

/// Connections, or tasks.
const AT_ONCE: [usize; 4] = [1, 16, 64, 256];

const IMAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/images");

fn draw(name: &str, title: &str, unit: &str, over: &str, lines: &[Line]) {
    let places = AT_ONCE.map(|at_once| at_once.to_string());
    let file = Path::new(IMAGES).join(format!("performance-{name}.svg"));
    fs::write(file, plot::draw(title, unit, over, &places, lines)).unwrap();
}

fn main() {
    if !report::is_measuring() {
        return;
    }
    // First, because what it starts runs on the cores that this process may use.
    let runtime = Runtime::new().unwrap();
    draw("stores", "Sign-ins (insert and redeem)", "in a second", "at once", &runtime.block_on(stores::measure()));
    runtime.block_on(cluster::measure());
    drop(runtime);

    process::leave_first_core().unwrap();
    for adapter in Adapter::ALL {
        let (rates, p99s) = token_endpoint::measure(adapter);
        draw(&format!("{adapter}-rate"), &format!("Token requests, {adapter}"), "in a second", "connections", &rates);
        draw(&format!("{adapter}-p99"), &format!("Token request, {adapter}"), "µs at 99 %", "connections", &p99s);
    }
}
