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
}

/// Runs a script against a server. It ends well, and says "ok" last.
///
/// Without what it needs the test is skipped, loudly, or fails if `PKCE_REQUIRE_SERVERS` is set: but for the packages
/// of a registry that `tests/run` could not reach, which it names in `PKCE_NO_REGISTRY`.
pub(super) fn run(runtime: Runtime, script: &str, server: &Program) -> Result<()> {
    let Some(mut command) = command(runtime, script) else { return Ok(()) };
    command.arg(format!("http://{}", server.wire.0));
    if runtime == Runtime::Chromium {
        let Some(chromium) = find("chromium") else { return Ok(()) };
        command.arg(chromium);
    }
    let output = command.stdin(Stdio::null()).output()?;
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let said = stdout.lines().last();
    assert!(output.status.success() && said == Some("ok"), "{script}: {}\n{stdout}{stderr}", output.status);
    Ok(())
}

/// The script's program with the script; `None` if something is missing.
fn command(runtime: Runtime, script: &str) -> Option<Command> {
    let (language, manifest, registry) = match runtime {
        Runtime::Node | Runtime::Chromium => ("node", "package.json", "npm"),
        Runtime::Python => ("python", "requirements.txt", "pip"),
    };
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(language);
    let installed = target().join("clients").join(language);
    let wanted = fs::read(scripts.join(manifest)).unwrap();
    // The last thing that is done when they are installed.
    if !fs::read(installed.join("installed")).is_ok_and(|found| found == wanted) {
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
        return None;
    }
    let mut command = Command::new(find("timeout")?);
    command.args(["--kill-after=5", PATIENCE]);
    if runtime == Runtime::Python {
        command.arg(installed.join("bin/python")).arg("-B").arg(scripts.join(script));
    } else {
        // By a link beside the packages, because that is where Node.js looks for them.
        command.arg(find("node")?).args(["--preserve-symlinks", "--preserve-symlinks-main"]);
        command.arg(installed.join("scripts").join(script));
    }
    Some(command)
}

/// The folder that this test was built in.
fn target() -> PathBuf {
    let test = env::current_exe().unwrap(); // <target>/<profile>/deps/suite-…
    test.ancestors().nth(3).unwrap().to_owned()
}
