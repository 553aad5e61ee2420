//! The example as a process.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::{self, JoinHandle};

use playground::Wire;

/// The program, which ends when it is dropped.
pub(crate) struct Program {
    pub(crate) server: Wire,
    pub(crate) metrics: Wire,
    child: Child,
    log: Option<JoinHandle<String>>,
}

impl Program {
    /// Starts it on free ports, and waits until it says which.
    pub(crate) fn start(options: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_observability"))
            .args(["--listen=127.0.0.1:0", "--metrics=127.0.0.1:0"])
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        // Read all the time: a program whose log nobody takes waits for them.
        let mut stderr = child.stderr.take().unwrap();
        let log = thread::spawn(move || {
            let mut read = String::new();
            stderr.read_to_string(&mut read).map(|_| read).unwrap()
        });
        let server = address(&mut stdout, "listening on http://", "");
        let metrics = address(&mut stdout, "metrics on http://", "/metrics");
        Self { server, metrics, child, log: Some(log) }
    }

    /// Ends it. What it has logged.
    pub(crate) fn stop(mut self) -> String {
        self.child.kill().unwrap();
        self.log.take().unwrap().join().unwrap()
    }
}

fn address(stdout: &mut BufReader<ChildStdout>, prefix: &str, suffix: &str) -> Wire {
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    Wire(line.trim_end().strip_prefix(prefix).unwrap().strip_suffix(suffix).unwrap().parse().unwrap())
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
