//! A server in a process of its own, on a core of its own.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::servers::{Adapter, Variant};

/// A server that ends when it is dropped.
#[derive(Debug)]
pub struct ServerProcess {
    process: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl ServerProcess {
    /// Starts `program`, which is `token_endpoint_server`, on the first core. It has issued the codes below this number.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn start(program: impl AsRef<OsStr>, adapter: Adapter, variant: Variant, codes: u64) -> io::Result<Self> {
        let mut process = Command::new("taskset")
            .args(["-c", "0"])
            .arg(program)
            .args([adapter.to_string(), variant.to_string(), codes.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let address = line.trim().parse().map_err(io::Error::other)?;
        Ok(Self { process, address })
    }

    /// The time that all of its threads have run.
    ///
    /// # Errors
    ///
    /// When the system does not say so.
    pub fn cpu_time(&self) -> io::Result<Duration> {
        let mut time = Duration::ZERO;
        for thread in fs::read_dir(format!("/proc/{}/task", self.process.id()))? {
            let nanoseconds = fs::read_to_string(thread?.path().join("schedstat"))?;
            let nanoseconds = nanoseconds.split(' ').next().unwrap_or_default().parse().map_err(io::Error::other)?;
            time += Duration::from_nanos(nanoseconds);
        }
        Ok(time)
    }

    /// The bytes of memory that it has.
    ///
    /// # Errors
    ///
    /// When the system does not say so.
    pub fn memory(&self) -> io::Result<u64> {
        Ok(status(&format!("/proc/{}/status", self.process.id()), "VmRSS:")? * 1024)
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It has nothing to save.
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

/// Moves this process to the second core, away from the server.
///
/// # Errors
///
/// When that fails.
pub fn leave_first_core() -> io::Result<()> {
    let process = std::process::id().to_string();
    let moved = Command::new("taskset").args(["-a", "-c", "-p", "1", &process]).stdout(Stdio::null()).status()?;
    if moved.success() { Ok(()) } else { Err(io::Error::other("taskset failed")) }
}

/// How often this thread has gone to sleep.
///
/// # Errors
///
/// When the system does not say so.
pub fn sleeps() -> io::Result<u64> {
    status("/proc/thread-self/status", "voluntary_ctxt_switches:")
}

/// The number behind this name.
fn status(file: &str, name: &str) -> io::Result<u64> {
    let status = fs::read_to_string(file)?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().next().unwrap_or_default().parse().map_err(io::Error::other)
}
