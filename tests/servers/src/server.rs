//! What all servers have in common: they are started, killed, started again, and stopped for a while.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::home::Home;
use crate::process::Process;

/// How often a port may turn out to be taken after all.
const TRIES: usize = 3;

/// The command for a directory and a port.
type Command = dyn Fn(&Home, u16) -> Vec<String> + Send + Sync;
/// Whether it is ready, by its port and its log.
type IsReady = dyn Fn(u16, &str) -> bool + Send + Sync;

/// A server with its data, running or killed.
pub(crate) struct Server {
    // First, so that it ends before anything else goes.
    process: Option<Process>,
    home: Home,
    port: u16,
    command: Box<Command>,
    is_ready: Box<IsReady>,
}

impl Server {
    /// Starts a server at a port that is free.
    pub(crate) fn start(
        home: Home,
        free_port: fn() -> u16,
        command: impl Fn(&Home, u16) -> Vec<String> + Send + Sync + 'static,
        is_ready: impl Fn(u16, &str) -> bool + Send + Sync + 'static,
    ) -> Self {
        let mut server =
            Self { process: None, home, port: 0, command: Box::new(command), is_ready: Box::new(is_ready) };
        for _ in 0..TRIES {
            server.port = free_port();
            if server.run() {
                return server;
            }
        }
        panic!("the server does not start:\n{}", server.log())
    }

    fn run(&mut self) -> bool {
        let log = self.home.join("log");
        let mut process = Process::start(self.home.path(), &log, &(self.command)(&self.home, self.port));
        let ready = process.wait_until(|| (self.is_ready)(self.port, &read(&log)));
        if ready {
            self.process = Some(process);
        } else {
            process.kill();
        }
        ready
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    pub(crate) const fn home(&self) -> &Home {
        &self.home
    }

    /// Where something is in its directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }

    /// A file in its directory.
    pub(crate) fn file(&self, name: &str) -> String {
        read(&self.path(name))
    }

    /// What it has said since it was started last.
    pub(crate) fn log(&self) -> String {
        self.file("log")
    }

    pub(crate) fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
        }
    }

    /// The same port, the same data.
    pub(crate) fn restart(&mut self) {
        self.kill();
        assert!((0..TRIES).any(|_| self.run()), "the server does not start again:\n{}", self.log());
    }

    pub(crate) fn signal(&self, signal: &str) {
        if let Some(process) = &self.process {
            process.signal(signal);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.process.take().is_none() {
            let _ = fs::remove_dir_all(self.home.path());
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "127.0.0.1:{}", self.port)
    }
}

fn read(log: &Path) -> String {
    fs::read(log).map(|octets| String::from_utf8_lossy(&octets).into_owned()).unwrap_or_default()
}
