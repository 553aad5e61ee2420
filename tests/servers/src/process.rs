//! A server's process, and the leash that ends it when the test is over.

use std::fs::{self, DirEntry, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long a server may take to start: they share two cores with everything else.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts the server as a group of its own, says its process id, and waits. When its stdin is closed, because the test
/// or its process ended, it kills the group and removes the data. On a line it leaves the data for the next start.
const LEASH: &str = r#"
trap '' INT TERM HUP
home=$1; log=$2; shift 2
setsid "$@" </dev/null >"$log" 2>&1 &
server=$!
echo $server
keep=
read -r keep
kill -s KILL -- -$server $server 2>/dev/null
wait $server 2>/dev/null
[ -n "$keep" ] || rm -rf -- "$home"
"#;

/// A running server.
pub(crate) struct Process {
    leash: Child,
    id: String,
}

impl Process {
    /// Starts a command whose output goes to `log`, with data in `home`.
    pub(crate) fn start(home: &Path, log: &Path, command: &[String]) -> Self {
        File::create(log).unwrap();
        let mut leash = Command::new("sh")
            .args(["-c", LEASH, "leash"])
            .args([home, log])
            .args(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut server = String::new();
        BufReader::new(leash.stdout.take().unwrap()).read_line(&mut server).unwrap();
        Self { leash, id: server.trim().to_owned() }
    }

    /// Sends a signal to the server and its children.
    pub(crate) fn signal(&self, signal: &str) {
        kill(signal, &format!("-{}", self.id));
        for child in self.children() {
            kill(signal, &child);
        }
    }

    /// PostgreSQL's are no members of its group.
    fn children(&self) -> Vec<String> {
        let is_child = |process: &DirEntry| {
            let stat = fs::read_to_string(process.path().join("stat")).unwrap_or_default();
            // The name of the program, in parentheses, may be any; then the state and the parent.
            stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)) == Some(&self.id)
        };
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        processes.filter(is_child).filter_map(|process| process.file_name().into_string().ok()).collect()
    }

    /// `SIGKILL`; the data stays.
    pub(crate) fn kill(mut self) {
        let children = self.children();
        kill("KILL", &self.id);
        for child in children {
            kill("KILL", &child);
        }
        let mut stdin = self.leash.stdin.take().unwrap();
        stdin.write_all(b"keep\n").unwrap();
        drop(stdin);
        self.leash.wait().unwrap();
    }

    /// By its own id: it is not the leader of a group from the first moment on.
    fn is_over(&self) -> bool {
        !kill("0", &self.id)
    }

    /// Waits until `ready` says so, or the server has ended. Says whether it is ready.
    pub(crate) fn wait_until(&mut self, mut ready: impl FnMut() -> bool) -> bool {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if ready() {
                return true;
            }
            if self.is_over() {
                return false;
            }
            thread::sleep(Duration::from_millis(10));
        }
        false
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Its stdin is what it waits for.
        drop(self.leash.stdin.take());
        let _ = self.leash.wait();
    }
}

/// By the shell's own `kill`: not every machine has the program.
fn kill(signal: &str, whom: &str) -> bool {
    let mut shell = Command::new("sh");
    shell.args(["-c", "kill -s \"$1\" -- \"$2\"", "kill", signal, whom]).stderr(Stdio::null());
    shell.status().is_ok_and(|status| status.success())
}
