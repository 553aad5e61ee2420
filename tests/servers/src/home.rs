//! The directory of a server's data.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

/// A directory that only the server uses. The leash of its process removes it.
pub(crate) struct Home {
    path: PathBuf,
    servant: bool,
}

impl Home {
    pub(crate) fn new(what: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("pkce-{what}-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        let servant = is_root();
        if servant {
            run(Command::new("chown").arg("nobody").arg(&path));
        }
        run(Command::new("chmod").arg("700").arg(&path));
        Self { path, servant }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// A command as the owner of the directory: `nobody`, if this process is root. PostgreSQL insists.
    pub(crate) fn command(&self, program: &Path) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        if self.servant {
            words.extend(["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"].map(str::to_owned));
        }
        words.push(program.to_str().unwrap().to_owned());
        words
    }

    /// Runs a program that ends, as the owner of the directory.
    pub(crate) fn run(&self, program: &Path, arguments: &[&str]) {
        let words = self.command(program);
        let (first, rest) = words.split_first().unwrap();
        run(Command::new(first).args(rest).args(arguments).current_dir(&self.path));
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|said| said.stdout.trim_ascii() == b"0")
}

fn run(command: &mut Command) {
    let said = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (stdout, stderr) = (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert!(said.status.success(), "{command:?}: {}\n{stdout}\n{stderr}", said.status);
}
