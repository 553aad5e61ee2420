//! The program itself, as a process.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pkce_gateway::demo::{Flow, Result, UserAgent};
use pkce_gateway::provider;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use crate::stage::config;

const ISSUER: &str = "https://gateway.example";

/// A gateway as a process of its own; it ends when it is dropped.
pub(crate) struct Program {
    pub(crate) url: String,
    child: Child,
    config: PathBuf,
}

/// The small upstream without PKCE; it ends when it is dropped.
pub(crate) struct Upstream(pub(crate) String, AbortHandle);

impl Upstream {
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let app = provider::app(&url, &format!("{ISSUER}/callback"));
        Ok(Self(url, tokio::spawn(axum::serve(listener, app).into_future()).abort_handle()))
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.1.abort();
    }
}

/// A file with this configuration.
pub(crate) fn file(config: &str) -> Result<PathBuf> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("pkce-gateway-{}-{}.json", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let path = env::temp_dir().join(name);
    fs::write(&path, config)?;
    Ok(path)
}

impl Program {
    pub(crate) fn start(upstream: &Upstream, store: &str, keys: &[u8]) -> Result<Self> {
        let keys: Vec<String> = keys.iter().map(|key| STANDARD.encode([*key; 32])).collect();
        let config = file(&config("\"timeout_millis\": 2000,", &format!("\"keys\": {keys:?},")))?;
        let mut child = Command::new(env!("CARGO_BIN_EXE_pkce-gateway"))
            .args(["--listen", "127.0.0.1:0", "--issuer", ISSUER, "--upstream", &upstream.0, "--store", store])
            .arg("--config")
            .arg(&config)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no stdout")?).read_line(&mut line)?;
        let url = line.strip_prefix("listening on ").ok_or_else(|| format!("it says {line:?}"))?.trim_end().to_owned();
        Ok(Self { url, child, config })
    }

    /// Ends it: all that it wrote to stderr.
    pub(crate) fn stop(mut self) -> Result<String> {
        let mut stderr = String::new();
        self.child.kill()?;
        self.child.stderr.take().ok_or("no stderr")?.read_to_string(&mut stderr)?;
        Ok(stderr)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        fs::remove_file(&self.config).ok();
    }
}

/// Begins at one gateway and comes back to another: the code.
pub(crate) async fn code(flow: &Flow, begun: &Program, finished: &Program) -> Result<String> {
    let mut browser = UserAgent::new();
    let query = flow.sign_in(&mut browser, &begun.url, &[("scope", "photos")]).await?;
    assert!(browser.cookies[0].0.starts_with("__Host-"), "the issuer has https");
    let seen = browser.get(&format!("{}/callback?{query}", finished.url)).await?;
    Ok(seen.parameter("code").ok_or_else(|| format!("no code: {seen:?}"))?)
}
