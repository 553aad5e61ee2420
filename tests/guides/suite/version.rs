//! Which versions of the reader's program a guide builds.

pub(crate) const PROGRAM: &str = "src/main.rs";

/// Whether a command builds the reader's program.
pub(crate) fn builds(command: &str) -> bool {
    (command.contains("cargo run") && !command.contains("--manifest-path")) || command.starts_with("cargo build")
}

/// The number of the version that is built. Only a program that was changed since is another version.
#[derive(Debug, Default)]
pub(crate) struct Version {
    number: usize,
    is_changed: bool,
}

impl Version {
    pub(crate) fn change(&mut self) {
        self.is_changed = true;
    }

    /// The number of the version that is built now, from 1.
    pub(crate) fn built(&mut self) -> usize {
        self.number += usize::from(std::mem::take(&mut self.is_changed));
        self.number
    }
}
