//! The example servers as processes.

use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::thread::{self, JoinHandle};

use playground::{Result, Wire};

/// One of the example servers as a process of its own, which ends when it is dropped.
pub struct Program {
    /// Where it listens.
    pub wire: Wire,
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: Option<JoinHandle<io::Result<String>>>,
}

impl Program {
    /// Starts it, and waits until it says where it listens.
    pub fn start(program: &str, options: &[&str]) -> Result<Self> {
        Self::start_at(&Self::built(program), options, Stdio::piped())
    }

    /// Starts the one that was built beside this program, without a log: a long run would fill the memory with it.
    pub fn start_beside(program: &str, options: &[&str]) -> Result<Self> {
        let own = std::env::current_exe()?;
        Self::start_at(&own.with_file_name(program), options, Stdio::null())
    }

    fn start_at(program: &Path, options: &[&str], log: Stdio) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(options).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn()?;
        // Read all the time: a program whose log nobody takes waits for them.
        let stderr = child.stderr.take().map(|mut log| {
            thread::spawn(move || {
                let mut read = String::new();
                log.read_to_string(&mut read).map(|_| read)
            })
        });
        let mut stdout = BufReader::new(child.stdout.take().ok_or("no stdout")?);
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        let address = line.strip_prefix("listening on http://").and_then(|rest| rest.trim_end().parse().ok());
        let wire = Wire(address.ok_or_else(|| format!("it does not say where it listens: {line:?}"))?);
        assert_ne!(wire.0.port(), 0);
        Ok(Self { wire, child, stdout, stderr })
    }

    /// Ends it. What else it has written to stdout, and all that it wrote to stderr.
    pub fn stop(&mut self) -> Result<(String, String)> {
        self.child.kill()?;
        let mut stdout = String::new();
        self.stdout.read_to_string(&mut stdout)?;
        let stderr = self.stderr.take().and_then(|reading| reading.join().ok()).ok_or("no stderr")??;
        self.child.wait()?;
        Ok((stdout, stderr))
    }

    /// The program, built once beside this test, in the same profile.
    pub fn built(program: &str) -> PathBuf {
        static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
        let directory = DIRECTORY.get_or_init(|| {
            let test = std::env::current_exe().unwrap();
            let directory = test.ancestors().nth(2).unwrap().to_owned(); // <target>/<profile>/deps/suite-…
            let profile = match directory.file_name().and_then(|name| name.to_str()).unwrap() {
                "debug" => "dev",
                profile => profile,
            };
            let status = Command::new(env!("CARGO"))
                .args([
                    "build",
                    "--quiet",
                    "--bin",
                    "axum-server",
                    "--bin",
                    "actix-server",
                    "--bin",
                    "mcp-server-example",
                ])
                .args(["--profile", profile])
                .arg("--target-dir")
                .arg(directory.parent().unwrap())
                .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap())
                .status()
                .unwrap();
            assert!(status.success(), "the programs cannot be built");
            directory
        });
        directory.join(format!("{program}{}", std::env::consts::EXE_SUFFIX))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Program({})", self.wire.0)
    }
}
