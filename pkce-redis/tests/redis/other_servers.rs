//! The same tests on other servers than the Redis of this machine. `tests/run` installs them.

use std::env;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use pkce_test_servers::{REDIS_SERVER, find, say};

/// The beginnings of their names. Clusters are left out: they take minutes.
const TESTS: [&str; 11] = [
    "contract::",
    "keys::",
    "memory::",
    "moving_address::",
    "operators::",
    "permissions::on_a_single_redis",
    "replicas::",
    "restarts::",
    "round_trips::",
    "sentinel::",
    "tampered::",
];

/// One server at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn passes(program: &str) {
    if env::var_os(REDIS_SERVER).is_some() {
        return; // This is such a run already.
    }
    let missing = env::var("PKCE_NO_REGISTRY").unwrap_or_default();
    if missing.split(' ').any(|name| name == "redis-servers") {
        return say(&format!("SKIPPED: a test needs {program}, which tests/run could not install"));
    }
    let Some(server) = find(program) else { return };
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut again = Command::new(env::current_exe().unwrap());
    let output = again.args(TESTS).arg("--test-threads=2").env(REDIS_SERVER, &server).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}:\n{said}\n{}", server.display(), String::from_utf8_lossy(&output.stderr));
    for test in TESTS {
        assert!(said.contains(&format!("test {test}")), "no test is called {test}");
    }
    println!("{}: {}", server.display(), said.lines().find(|line| line.starts_with("test result")).unwrap());
}

#[test]
fn redis_6_2_passes_the_same_tests() {
    passes("redis-server-6.2");
}

#[test]
fn valkey_9_passes_the_same_tests() {
    passes("valkey-server-9");
}
