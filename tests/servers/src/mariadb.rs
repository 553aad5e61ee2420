//! MariaDB.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::home::Home;
use crate::port;
use crate::program;
use crate::server::Server;

/// A MariaDB server for one test. It does not wait for the disk: killing it loses nothing, only a power cut would.
#[derive(Debug)]
pub struct MariaDb {
    server: Server,
    read_only: Arc<AtomicBool>,
}

impl MariaDb {
    /// Starts one; `None` if this machine has none.
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts one with further arguments, such as `["--general-log"]`.
    pub fn start_with(arguments: &[&str]) -> Option<Self> {
        let (install, program) = (program::find("mariadb-install-db")?, program::find("mariadbd")?);
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let home = Home::new("mariadb");
        let data = format!("--datadir={}", home.join("data").display());
        // Of its own: a server that starts removes the temporary tables of others from a directory that they share.
        let temporary = format!("--tmpdir={}", home.path().display());
        home.run(&install, &["--no-defaults", &data, &temporary, "--auth-root-authentication-method=normal"]);
        let read_only = Arc::new(AtomicBool::new(false));
        let is_read_only = Arc::clone(&read_only);
        let command = move |home: &Home, port: u16| {
            let mut words = home.command(&program);
            words.extend(["--no-defaults".to_owned(), data.clone(), format!("--port={port}")]);
            words.push(format!("--socket={}", home.join("socket").display()));
            words.push(temporary.clone());
            let settings = [
                "--bind-address=127.0.0.1",
                "--skip-name-resolve",
                "--innodb-flush-log-at-trx-commit=2",
                "--innodb-buffer-pool-size=64M",
                "--max-connections=300",
            ];
            words.extend(settings.map(str::to_owned));
            words.extend(arguments.iter().cloned());
            words.push(format!("--read-only={}", u8::from(is_read_only.load(Ordering::SeqCst))));
            words
        };
        let is_ready = |_, log: &str| log.contains("ready for connections");
        Some(Self { server: Server::start(home, port::free, command, is_ready), read_only })
    }

    /// `mysql://root@127.0.0.1:PORT/test`
    pub fn url(&self) -> String {
        self.url_at(self.port())
    }

    /// The same by way of a proxy.
    pub fn url_at(&self, port: u16) -> String {
        format!("mysql://root@127.0.0.1:{port}/test?ssl-mode=disabled")
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// `SIGKILL`.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Starts it again at the same port with the same data; kills it before, if it runs.
    pub fn restart(&mut self) {
        self.server.restart();
    }

    /// Kills it and starts it again so that it writes for its administrators only, as a replica does.
    pub fn restart_read_only(&mut self) {
        self.read_only.store(true, Ordering::SeqCst);
        self.restart();
    }

    /// It accepts connections and responds to nothing any more.
    pub fn pause(&self) {
        self.server.signal("STOP");
    }

    /// It responds again.
    pub fn resume(&self) {
        self.server.signal("CONT");
    }

    /// Returns what it has logged since it was started last.
    pub fn log(&self) -> String {
        self.server.log()
    }

    /// A file in its data directory, such as the one that `--general-log-file` names.
    pub fn file(&self, name: &str) -> String {
        self.server.file(&format!("data/{name}"))
    }
}
