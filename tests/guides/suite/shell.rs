//! The reader's two terminals: a shell for the commands, and the servers.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// How long all commands of a guide may take, in seconds: they share two cores with everything else.
const PATIENCE: &str = "300";

const END: &str = "-- the command has ended --";

/// A shell that keeps its variables and functions from one command to the next.
#[derive(Debug)]
pub(crate) struct Shell {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Shell {
    pub(crate) fn start(folder: &Path) -> Self {
        let mut command = Command::new("timeout");
        command.args(["--kill-after=5", PATIENCE, "bash", "--noprofile", "--norc"]);
        let mut child = command
            .current_dir(folder)
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut shell = Self { child, stdin, stdout };
        shell.run("exec 2>&1");
        shell
    }

    /// What a command prints on both of its outputs.
    pub(crate) fn run(&mut self, command: &str) -> Vec<String> {
        writeln!(self.stdin, "{{ {command}\n}} </dev/null\nprintf '\\n%s\\n' '{END}'").unwrap();
        let mut lines: Vec<String> = Vec::new();
        loop {
            let mut line = String::new();
            assert_ne!(self.stdout.read_line(&mut line).unwrap(), 0, "the shell has ended in {command}: {lines:?}");
            if line.trim_end() == END {
                break;
            }
            lines.push(line.trim_end().to_owned());
        }
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        lines
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        writeln!(self.stdin, "exit").ok();
        self.child.wait().ok();
    }
}

/// A command that keeps running until it is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    // Open as long as it runs: it may print more.
    stdout: BufReader<ChildStdout>,
}

impl Running {
    pub(crate) fn start(folder: &Path, command: &str) -> Self {
        let mut bash = Command::new("bash");
        bash.args(["-c", command]).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped());
        // Its log, unless the command puts it into a file.
        let mut child = bash.stderr(Stdio::null()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdout }
    }

    /// Returns the first `count` lines that it prints.
    pub(crate) fn lines(&mut self, count: usize) -> Vec<String> {
        self.stdout.by_ref().lines().take(count).map_while(Result::ok).collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
