//! The thread that causes the faults, and the two servers.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use pkce_tests::{Program, Result};
use playground::Wire;

use crate::chance::Chance;
use crate::store::Store;

const NAMES: [&str; 2] = ["axum-server", "actix-server"];

/// The example servers, on one store. Each keeps its port.
pub(crate) struct Servers {
    store: String,
    programs: Mutex<Vec<Program>>,
}

impl Servers {
    pub(crate) fn start(store: &str) -> Result<Self> {
        let start = |name| start(name, "127.0.0.1:0", store);
        let programs = NAMES.map(start).into_iter().collect::<Result<_>>()?;
        Ok(Self { store: store.to_owned(), programs: Mutex::new(programs) })
    }

    pub(crate) fn wires(&self) -> Vec<Wire> {
        self.programs.lock().unwrap().iter().map(|program| program.wire).collect()
    }

    /// `SIGKILL`, and a new process at the same port once the store can be reached.
    fn kill_one(&self, chance: &mut Chance) {
        let mut programs = self.programs.lock().unwrap();
        let nth = usize::from(chance.below(2) == 1);
        let (Some(program), Some(name)) = (programs.get_mut(nth), NAMES.get(nth)) else { return };
        let address = program.wire.0.to_string();
        let _ = program.stop();
        while let Err(error) = start(name, &address, &self.store).map(|started| *program = started) {
            eprintln!("{name} does not start: {error}");
            thread::sleep(Duration::from_millis(200));
        }
    }
}

fn start(name: &str, listen: &str, store: &str) -> Result<Program> {
    let options = ["--listen", listen, "--store", store, "--code-lifetime", "600"];
    Program::start_beside(name, &options)
}

/// Causes one fault after the other until it is told to stop. Returns what it has caused.
pub(crate) fn cause(mut store: Store, servers: &Servers, seed: u64, over: &AtomicBool, wanted: bool) -> String {
    let mut chance = Chance::new(seed);
    let mut caused = BTreeMap::new();
    while !over.load(Ordering::Relaxed) {
        // A file has no faults of its own, and the servers need time to start.
        let longest = if matches!(store, Store::File(_)) { 5000 } else { 700 };
        thread::sleep(Duration::from_millis(50 + chance.below(longest)));
        if !wanted {
            continue;
        }
        let fault = if chance.below(10) == 0 { None } else { store.fail(&mut chance) };
        let name = fault.map_or_else(
            || {
                servers.kill_one(&mut chance);
                "AuthorizationServerKilled".to_owned()
            },
            |fault| format!("{fault:?}"),
        );
        *caused.entry(name).or_insert(0_u64) += 1;
    }
    let listed: Vec<_> = caused.iter().map(|(name, times)| format!("{name} {times}")).collect();
    if listed.is_empty() { "none".to_owned() } else { listed.join(", ") }
}
