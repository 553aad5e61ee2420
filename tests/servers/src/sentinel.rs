//! Redis Sentinel.

use std::fs;
use std::path::Path;

use crate::home::Home;
use crate::port;
use crate::redis::{Redis, ask};
use crate::server::Server;

/// The name by which the Sentinel knows its master.
pub const MASTER: &str = "mymaster";

/// A Sentinel that needs no other to agree. It takes half a second to find that the master is gone.
#[derive(Debug)]
pub struct Sentinel(Server);

impl Sentinel {
    /// Starts one for the master at this port; `None` if this machine has no Redis.
    pub fn of(master: u16) -> Option<Self> {
        let (program, home) = (Redis::program()?, Home::new("sentinel"));
        let own = home.join("server");
        fs::copy(program, &own).unwrap();
        let file = home.join("sentinel.conf");
        let settings = format!(
            "bind 127.0.0.1\nprotected-mode no\nsentinel monitor {MASTER} 127.0.0.1 {master} 1\n\
             sentinel down-after-milliseconds {MASTER} 500\nsentinel failover-timeout {MASTER} 2000\n"
        );
        // By its user: it writes down there what it finds out.
        home.run(Path::new("sh"), &["-c", "printf %s \"$1\" >sentinel.conf", "sh", &settings]);
        let command = move |home: &Home, port: u16| {
            let mut words = home.command(&own);
            words.extend([file.to_str().unwrap(), "--sentinel", "--port", &port.to_string()].map(str::to_owned));
            words
        };
        Some(Self(Server::start(home, port::free, command, |port, _| ask(port, &["PING"]).is_ok())))
    }

    /// `redis://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port())
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.0.port()
    }

    /// The port of the master that it names.
    pub fn master(&self) -> Option<u16> {
        self.known("address=")?.rsplit_once(':')?.1.parse().ok()
    }

    /// How many replicas of the master it knows.
    pub fn replicas(&self) -> usize {
        self.known("slaves=").and_then(|number| number.parse().ok()).unwrap_or_default()
    }

    fn known(&self, field: &str) -> Option<String> {
        let info = ask(self.port(), &["INFO", "sentinel"]).ok()?;
        let master = info.lines().find(|line| line.starts_with("master0:"))?;
        Some(master.trim_end().split(',').find_map(|part| part.strip_prefix(field))?.to_owned())
    }
}
