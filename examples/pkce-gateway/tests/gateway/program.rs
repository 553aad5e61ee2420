//! The program itself, as a process.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::Result;
use crate::provider::{CLIENT_ID, SECRET, Upstream};

/// A gateway as a process of its own; it ends when it is dropped.
pub(crate) struct Program {
    pub(crate) url: String,
    pub(crate) config: PathBuf,
    child: Child,
    log: Arc<Mutex<String>>,
}

/// A gateway before an upstream.
pub(crate) struct Stage {
    pub(crate) upstream: Upstream,
    pub(crate) program: Program,
    pub(crate) gateway: String,
}

/// The configuration that most tests begin with.
pub(crate) fn config(upstream: &Upstream) -> Value {
    json!({
        "upstream": { "issuer": upstream.url, "client_id": CLIENT_ID, "client_secret": SECRET, "timeout_millis": 2000 },
        "clients": [
            { "client_id": "native", "redirect_uris": ["http://localhost/callback"] },
            { "client_id": "web", "client_secret": "web-secret", "redirect_uris": ["https://app.example/cb?tenant=7"] },
        ],
        "keys": keys(&[1]),
    })
}

pub(crate) fn keys(of: &[u8]) -> Value {
    of.iter().map(|key| STANDARD.encode([*key; 32])).collect()
}

/// A path that no other test uses.
pub(crate) fn path(name: &str) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    env::temp_dir().join(format!("pkce-gateway-{}-{}-{name}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed)))
}

/// The program, with a configuration in a file.
pub(crate) fn command(config: &str) -> Result<(Command, PathBuf)> {
    let path = path("gateway.json");
    fs::write(&path, config)?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_pkce-gateway"));
    command.arg("--config").arg(&path).env_remove("RUST_LOG");
    Ok((command, path))
}

impl Stage {
    pub(crate) async fn new() -> Result<Self> {
        Self::with(|_| ()).await
    }

    /// With a change of the configuration.
    pub(crate) async fn with(change: impl FnOnce(&mut Value)) -> Result<Self> {
        Self::before(Upstream::new().await?, change)
    }

    pub(crate) fn before(upstream: Upstream, change: impl FnOnce(&mut Value)) -> Result<Self> {
        let mut config = config(&upstream);
        change(&mut config);
        let program = Program::start(&config, &[])?;
        Ok(Self { gateway: program.url.clone(), upstream, program })
    }
}

impl Program {
    pub(crate) fn start(config: &Value, arguments: &[&str]) -> Result<Self> {
        let (mut command, config) = command(&config.to_string())?;
        command.args(["--listen", "127.0.0.1:0"]).args(arguments);
        Self::spawn(command, config)
    }

    pub(crate) fn spawn(mut command: Command, config: PathBuf) -> Result<Self> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let log = Arc::new(Mutex::new(String::new()));
        let (mut stderr, written) = (child.stderr.take().ok_or("no stderr")?, Arc::clone(&log));
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = stderr.read(&mut buffer) {
                written.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..read]));
            }
        });
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no stdout")?).read_line(&mut line)?;
        let url = line.strip_prefix("listening on ").map(|url| url.trim_end().to_owned());
        let url = url.ok_or_else(|| format!("it says {line:?} {}", log.lock().unwrap()))?;
        Ok(Self { url, config, child, log })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.url.strip_prefix("http://").unwrap().parse().unwrap()
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", signal, &id]).status();
        assert!(status.unwrap().success());
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self, limit: Duration) -> Option<ExitStatus> {
        let began = Instant::now();
        while began.elapsed() < limit {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        None
    }

    /// Waits until the log has this text.
    pub(crate) async fn says(&self, text: &str) {
        let began = Instant::now();
        while !self.log().contains(text) {
            assert!(began.elapsed() < Duration::from_secs(20), "no {text:?} in {}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        fs::remove_file(&self.config).ok();
    }
}
