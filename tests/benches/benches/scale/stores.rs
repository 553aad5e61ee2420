//! The stores on servers of their own, by the trait.

use std::fs;
use std::sync::Arc;
use std::time::Instant;

use pkce_benches::plot::Line;
use pkce_benches::stores::{Side, mysql, postgres, redis, sqlite};
use pkce_test_servers::{MariaDb, Postgres, Redis};
use tokio::task::JoinSet;

use crate::AT_ONCE;
use crate::load::Load;

/// At each load, after as many that warm the store up.
const SIGN_INS: usize = 4_096;

/// The connections of an SQL pool: the default of `sqlx`.
const CONNECTIONS: u32 = 10;

/// The sign-ins in a second: a line for each store. A server that this machine lacks is left out, and said to be.
pub(crate) async fn measure() -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(server) = Redis::start() {
        lines.push(line("Redis", redis::sides(&server).await.0).await);
    }
    if let Some(server) = Postgres::start() {
        lines.push(line("PostgreSQL", postgres::sides(&server, CONNECTIONS).await.0).await);
    }
    if let Some(server) = MariaDb::start() {
        lines.push(line("MariaDB", mysql::sides(&server, CONNECTIONS).await.0).await);
    }
    let folder = std::env::temp_dir().join(format!("pkce-scale-{}", std::process::id()));
    fs::create_dir(&folder).unwrap();
    lines.push(line("SQLite", sqlite::sides(&folder.join("codes.db"), CONNECTIONS).await.0).await);
    // What cannot be removed is in the system's folder for such things.
    _ = fs::remove_dir_all(folder);
    lines
}

async fn line(name: &str, store: impl Side) -> Line {
    let store = Arc::new(store);
    let mut values = Vec::new();
    // Far from the numbers that `sides` has used.
    let mut first = 1 << 50;
    for tasks in AT_ONCE {
        load(&store, tasks, first).await;
        let load = load(&store, tasks, first + (1 << 40)).await;
        load.print(&format!("{name} | {tasks}"));
        values.push(load.rate);
        first += 1 << 41;
    }
    Line { name: name.to_owned(), values }
}

/// An insert and a redeem are one sign-in.
async fn load(store: &Arc<impl Side>, tasks: usize, first: u64) -> Load {
    let start = Instant::now();
    let mut running = JoinSet::new();
    for task in 0..tasks {
        let store = Arc::clone(store);
        running.spawn(async move {
            let mut times = Vec::new();
            for nth in 0..SIGN_INS / tasks {
                let (code, start) = (first + u64::try_from(task * SIGN_INS + nth).unwrap(), Instant::now());
                store.insert(code).await;
                store.redeem(code).await;
                times.push(start.elapsed());
            }
            times
        });
    }
    let times = running.join_all().await.concat();
    Load::of(times, start.elapsed())
}
