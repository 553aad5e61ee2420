//! `playground --serve`, as a process.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};

/// The playground, serving until it is dropped.
pub(crate) struct Playground {
    /// `http://127.0.0.1:PORT`
    pub(crate) origin: String,
    child: Child,
}

impl Playground {
    pub(crate) fn serve() -> Self {
        Self::serve_on("127.0.0.1:0")
    }

    fn serve_on(address: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_playground"))
            .args(["--serve", "--listen", address])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let origin = line.trim_end().strip_prefix("listening on ").unwrap_or_else(|| panic!("{line:?}")).to_owned();
        Self { origin, child }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        self.origin.trim_start_matches("http://")
    }

    /// Ends it and starts it again where it was.
    pub(crate) fn restart(&mut self) {
        self.stop();
        *self = Self::serve_on(self.address());
    }

    pub(crate) fn stop(&mut self) {
        // It may have ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Drop for Playground {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Runs it with options that make it end.
pub(crate) fn run(options: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_playground")).args(options).stdin(Stdio::null()).output().unwrap()
}
