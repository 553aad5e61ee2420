//! PostgreSQL.

use std::path::Path;
use std::process::Command;

use crate::home::Home;
use crate::port;
use crate::program;
use crate::server::Server;

const SMALL_DISK: &str = "small";

/// Seen by the server alone, so that it is gone when the server is, however that ends.
const MOUNT: &str = r#"mount -t tmpfs -o "size=$2m" tmpfs "$1" && chown nobody "$1" && shift 2 && exec "$@""#;

/// A PostgreSQL server for one test. It does not wait for the disk: killing it loses nothing, only a power cut would.
#[derive(Debug)]
pub struct Postgres(Server);

impl Postgres {
    /// Starts one; `None` if this machine has none.
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts one with further arguments, such as `["-c", "log_statement=all"]`.
    pub fn start_with(arguments: &[&str]) -> Option<Self> {
        Self::start_in(arguments, |_| Some(Vec::new()))
    }

    /// Starts one that has a second disk of this size in [`Postgres::small_disk`]. Also `None` if this process may not
    /// mount one.
    pub fn start_with_small_disk(megabytes: u32) -> Option<Self> {
        Self::start_in(&[], |home| {
            let disk = home.join(SMALL_DISK).to_str().unwrap().to_owned();
            home.run(Path::new("mkdir"), &[&disk]);
            let namespace = ["unshare", "--mount", "sh", "-c", MOUNT, "sh", &disk, &megabytes.to_string()];
            let works = Command::new("unshare").args(&namespace[1..]).arg("true").output();
            if works.is_ok_and(|done| done.status.success()) {
                return Some(namespace.map(str::to_owned).to_vec());
            }
            program::say("SKIPPED: a test needs a small disk, and this process may not mount one");
            None
        })
    }

    /// Starts a standby of it: a copy that streams what it commits.
    pub fn start_standby(&self) -> Option<Self> {
        let (copy, program) = (program::find("pg_basebackup")?, program::find("postgres")?);
        let home = Home::new("postgres");
        let data = home.join("data").to_str().unwrap().to_owned();
        let from = format!("host=127.0.0.1 port={} user=pkce", self.port());
        home.run(
            &copy,
            &["--dbname", &from, "--pgdata", &data, "--checkpoint=fast", "--write-recovery-conf", "--no-sync"],
        );
        Some(Self::run(home, &program, data, Vec::new(), Vec::new()))
    }

    /// Kills it and starts it again as a standby of no other server: it accepts connections, and no writes.
    pub fn restart_as_standby(&mut self) {
        self.kill();
        let signal = self.0.path("data").join("standby.signal").to_str().unwrap().to_owned();
        self.0.home().run(Path::new("touch"), &[&signal]);
        self.restart();
    }

    /// Where the small disk is, for a tablespace.
    pub fn small_disk(&self) -> String {
        self.0.path(SMALL_DISK).to_str().unwrap().to_owned()
    }

    fn start_in(arguments: &[&str], prefix: impl FnOnce(&Home) -> Option<Vec<String>>) -> Option<Self> {
        let (initdb, program) = (program::find("initdb")?, program::find("postgres")?);
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let home = Home::new("postgres");
        let data = home.join("data").to_str().unwrap().to_owned();
        let prefix = prefix(&home)?;
        home.run(&initdb, &["--auth=trust", "--username=pkce", "--encoding=UTF8", "--no-sync", "--pgdata", &data]);
        Some(Self::run(home, &program, data, prefix, arguments))
    }

    fn run(home: Home, program: &Path, data: String, prefix: Vec<String>, arguments: Vec<String>) -> Self {
        let program = program.to_owned();
        let command = move |home: &Home, port: u16| {
            let mut words = prefix.clone();
            words.extend(home.command(&program));
            words.extend(["-D".to_owned(), data.clone(), "-p".to_owned(), port.to_string()]);
            for setting in [
                "listen_addresses=127.0.0.1",
                "unix_socket_directories=",
                "fsync=off",
                "shared_buffers=32MB",
                "max_connections=300",
            ] {
                words.extend(["-c".to_owned(), setting.to_owned()]);
            }
            words.extend(arguments.iter().cloned());
            words
        };
        let is_ready = |_, log: &str| {
            ["connections", "read-only connections", "read only connections"]
                .iter()
                .any(|what| log.contains(&format!("database system is ready to accept {what}")))
        };
        Self(Server::start(home, port::free, command, is_ready))
    }

    /// `postgres://pkce@127.0.0.1:PORT/postgres`
    pub fn url(&self) -> String {
        self.url_at(self.port())
    }

    /// The same by way of a proxy.
    pub fn url_at(&self, port: u16) -> String {
        format!("postgres://pkce@127.0.0.1:{port}/postgres?sslmode=disable")
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.0.port()
    }

    /// `SIGKILL`, to all its processes.
    pub fn kill(&mut self) {
        self.0.kill();
    }

    /// Starts it again at the same port with the same data; kills it before, if it runs.
    pub fn restart(&mut self) {
        self.0.restart();
    }

    /// It accepts connections and responds to nothing any more.
    pub fn pause(&self) {
        self.0.signal("STOP");
    }

    /// It responds again.
    pub fn resume(&self) {
        self.0.signal("CONT");
    }

    /// Returns what it has logged since it was started last.
    pub fn log(&self) -> String {
        self.0.log()
    }
}
