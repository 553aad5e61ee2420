//! The example as a process.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// The example on a free port. It ends when it is dropped.
pub(crate) struct Program {
    child: Child,
    pub(crate) base: String,
}

impl Program {
    pub(crate) fn start() -> Self {
        let program = option_env!("CARGO_BIN_EXE_axum-example").or(option_env!("CARGO_BIN_EXE_actix-example")).unwrap();
        let mut child = Command::new(program).arg("127.0.0.1:0").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let base = line.trim_end().strip_prefix("listening on ").unwrap().to_owned();
        Self { child, base }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
