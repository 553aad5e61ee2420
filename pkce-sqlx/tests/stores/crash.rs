//! The server is killed in the middle of it, and comes back. With SQLite that is whoever uses the file.

use std::collections::HashMap;
use std::env;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use pkce_core::store::{CodeDigest, Inserted, Redemption};
use pkce_test_servers::{MariaDb, Postgres};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::database::Database;
use crate::pool::Store;
use crate::sample;

const CODES: usize = 400;
const RIVALS: usize = 4;

/// Four rivals for each of 400 codes, through two servers' pools, go on until they hear who has it; meanwhile the
/// database is killed and started again, three times. No code is ever the first for two.
async fn nobody_is_served_twice(database: Database, mut crash: impl FnMut() + Send + 'static) {
    let stores = [database.store().await, database.pool().await.store(&database.table)];
    let mut codes = Vec::new();
    for _ in 0..CODES {
        let code = sample::code();
        assert_eq!(stores[0].insert(&code, &sample::binding_with(vec![7; 10_000])).await.unwrap(), Inserted::Recorded);
        codes.push(code);
    }
    let over = Arc::new(AtomicBool::new(false));
    let crashes = tokio::task::spawn_blocking({
        let over = Arc::clone(&over);
        move || {
            for _ in 0..3 {
                thread::sleep(Duration::from_millis(150));
                crash();
            }
            over.store(true, Ordering::SeqCst);
            crash // and with it the server, which would end here
        }
    });
    let mut rivals = JoinSet::new();
    for rival in 0..RIVALS {
        let (store, mut codes, over) = (Arc::clone(&stores[rival % 2]), codes.clone(), Arc::clone(&over));
        codes.rotate_left(rival * 7);
        rivals.spawn(async move {
            let mut firsts = Vec::new();
            while !over.load(Ordering::SeqCst) {
                for code in &codes {
                    firsts.extend(first(&*store, code).await);
                }
            }
            firsts
        });
    }
    let firsts: Vec<CodeDigest> = rivals.join_all().await.into_iter().flatten().collect();
    let _server = crashes.await.unwrap();

    let mut served = HashMap::new();
    for code in firsts {
        *served.entry(code).or_insert(0) += 1;
    }
    assert!(served.values().all(|times| *times == 1), "served twice: {served:?}");
    assert!(served.len() > CODES / 2, "only {} were served: the test shows nothing", served.len());
    for code in &codes {
        // All are redeemed and remembered: whoever lost a response is rejected, and nobody is served.
        let found = stores[1].redeem(code, &sample::right()).await.unwrap();
        assert!(matches!(found, Redemption::Again { .. }), "{found:?}");
    }
}

/// As the core calls it: for two seconds at most. An attempt that failed is made again under another ticket.
async fn first(store: &dyn Store, code: &CodeDigest) -> Option<CodeDigest> {
    loop {
        match timeout(Duration::from_secs(2), store.redeem(code, &sample::right())).await {
            Ok(Ok(Redemption::First(_))) => return Some(*code),
            Ok(Ok(Redemption::Again { .. })) => return None,
            Ok(Ok(found)) => panic!("{found:?}"),
            Ok(Err(_)) | Err(_) => sleep(Duration::from_millis(20)).await,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_served_twice_when_postgresql_is_killed() {
    let Some(mut server) = Postgres::start() else { return };
    nobody_is_served_twice(Database::at("PostgreSQL", server.url()), move || server.restart()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_served_twice_when_mariadb_is_killed() {
    let Some(mut server) = MariaDb::start() else { return };
    nobody_is_served_twice(Database::at("MariaDB", server.url()), move || server.restart()).await;
}

/// Started once more for each of the processes, with the file.
const TEST: &str = "crash::nobody_is_served_twice_when_processes_on_one_sqlite_are_killed";
const FILE: &str = "PKCE_REDEEMED_FILE";
const SERVED: &str = "served: ";

fn nth(code: usize) -> CodeDigest {
    CodeDigest::of(code.to_string().as_bytes())
}

/// Two processes redeem the same codes and say whom they serve; each is killed in the middle of it, and others go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_served_twice_when_processes_on_one_sqlite_are_killed() {
    if let Ok(file) = env::var(FILE) {
        return redeem_all(file).await; // It is one of the processes.
    }
    let Some(mut database) = Database::sqlite() else { return };
    database.table = TABLE.parse().unwrap();
    let store = database.store().await;
    for code in 0..CODES {
        let inserted = store.insert(&nth(code), &sample::binding_with(vec![7; 10_000])).await.unwrap();
        assert_eq!(inserted, Inserted::Recorded);
    }
    let mut times = vec![0; CODES];
    // How many are served before the process is killed; the last ones are not.
    for lives in [[40, 60], [50, 30], [CODES, CODES]] {
        let redeemers = lives.map(|life| {
            let mut command = Command::new(env::current_exe().unwrap());
            command.args(["--exact", TEST, "--nocapture"]);
            let mut redeemer = command.env(FILE, &database.address).stdout(Stdio::piped()).spawn().unwrap();
            thread::spawn(move || {
                let said = BufReader::new(redeemer.stdout.take().unwrap()).lines().map_while(Result::ok);
                let mut served = Vec::new();
                for line in said {
                    served.extend(line.split_once(SERVED).map(|(_, code)| code.parse::<usize>().unwrap()));
                    if served.len() == life {
                        redeemer.kill().unwrap(); // `SIGKILL`. What it has said by now is read to its end.
                    }
                }
                let ended = redeemer.wait().unwrap();
                assert_eq!(ended.success(), life == CODES, "{ended}");
                served
            })
        });
        for redeemer in redeemers {
            for code in redeemer.join().unwrap() {
                times[code] += 1;
            }
        }
    }
    assert!(times.iter().all(|times| *times <= 1), "served twice: {times:?}");
    assert!(times.iter().sum::<usize>() > CODES / 2, "the test shows nothing: {times:?}");
    for code in 0..CODES {
        let found = store.redeem(&nth(code), &sample::right()).await.unwrap();
        assert!(matches!(found, Redemption::Again { .. }), "{found:?}");
    }
}

const TABLE: &str = "codes";

async fn redeem_all(file: String) {
    let mut database = Database::at("SQLite", file);
    database.table = TABLE.parse().unwrap();
    let store = database.store().await;
    for code in 0..CODES {
        if first(&*store, &nth(code)).await.is_some() {
            println!("{SERVED}{code}");
        }
    }
}
