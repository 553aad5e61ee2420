//! Finding the programs of a server.

use std::io::Write as _;
use std::path::PathBuf;
use std::{env, fs, io, thread};

/// The program, if this machine has it. Otherwise [`lacks`] it.
pub fn find(name: &str) -> Option<PathBuf> {
    let found = folders().map(|folder| folder.join(name)).find(|path| path.is_file());
    if found.is_none() {
        lacks(name);
    }
    found
}

/// The test is skipped for want of something that `tests/run` installs, and says so: a skip nobody sees is a hole.
///
/// # Panics
///
/// If `PKCE_REQUIRE_SERVERS` is set.
pub fn lacks(what: &str) {
    let current = thread::current();
    let test = current.name().unwrap_or("a test");
    assert!(env::var_os("PKCE_REQUIRE_SERVERS").is_none(), "{test} needs {what}, which this machine lacks");
    say(&format!("SKIPPED: {test} needs {what}, which this machine lacks (tests/run installs it)"));
}

/// A line on stderr, although the test harness keeps what a test prints to itself.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Debian keeps PostgreSQL's programs out of the path, one folder for each version.
fn folders() -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path: Vec<PathBuf> = env::split_paths(&path).collect();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    versions.sort();
    let system = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    on_path.into_iter().chain(versions.into_iter().rev()).chain(system)
}
