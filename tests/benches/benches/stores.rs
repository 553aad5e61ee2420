//! The stores on real servers beside the same commands and statements sent by hand: at 1, 64 and 256 tasks.
//!
//! A server that this machine lacks is left out, and said to be.

use std::sync::Arc;

use pkce_benches::paired::median;
use pkce_benches::report::{self, Target};
use pkce_benches::stores::{Side, batch, mysql, postgres, redis, sqlite};
use pkce_test_servers::{MariaDb, Postgres, Redis};
use tokio::runtime::Runtime;

const PAIRS: u64 = 15;

/// Tasks at once, and how many codes they insert and redeem in one batch.
const LOADS: [(u64, u64); 3] = [(1, 400), (64, 3_200), (256, 5_120)];

/// The connections of an SQL pool: the default of `sqlx`.
const CONNECTIONS: u32 = 10;

async fn compare<A: Side, B: Side>(name: &str, target: f64, (ours, by_hand): (A, B)) {
    let (ours, by_hand) = (Arc::new(ours), Arc::new(by_hand));
    for (tasks, codes) in LOADS {
        let mut ratios = [Vec::new(), Vec::new()];
        for pair in 0..=PAIRS {
            let first = (tasks << 40) + pair * codes;
            // In turn this one and that one first; the first pair warms up.
            let (a, b) = if pair % 2 == 0 {
                let a = batch(&ours, tasks, codes, first).await;
                (a, batch(&by_hand, tasks, codes, first).await)
            } else {
                let b = batch(&by_hand, tasks, codes, first).await;
                (batch(&ours, tasks, codes, first).await, b)
            };
            if pair > 0 {
                for ((ratios, ours), by_hand) in ratios.iter_mut().zip(a).zip(b) {
                    ratios.push(by_hand.as_secs_f64() / ours.as_secs_f64());
                }
            }
        }
        for (verb, ratios) in ["insert", "redeem"].into_iter().zip(ratios) {
            report::target(
                &format!("{name}: {verb}, {tasks} at once: rate / by hand"),
                median(ratios),
                Target::AtLeast(target),
            );
        }
    }
}

async fn targets() {
    if let Some(server) = Redis::start() {
        compare("Redis", 0.85, redis::sides(&server).await).await;
    }
    if let Some(server) = Postgres::start() {
        compare("PostgreSQL", 0.9, postgres::sides(&server, CONNECTIONS).await).await;
    }
    if let Some(server) = MariaDb::start() {
        compare("MariaDB", 0.9, mysql::sides(&server, CONNECTIONS).await).await;
    }
    let folder = std::env::temp_dir().join(format!("pkce-bench-{}", std::process::id()));
    if std::fs::create_dir(&folder).is_ok() {
        compare("SQLite", 0.9, sqlite::sides(&folder.join("codes.db"), CONNECTIONS).await).await;
        // What cannot be removed is in the system's folder for such things.
        let _ = std::fs::remove_dir_all(folder);
    }
}

fn main() {
    if report::is_measuring() {
        match Runtime::new() {
            Ok(runtime) => runtime.block_on(targets()),
            Err(error) => report::note(&format!("no runtime: {error}")),
        }
    }
}
