//! The programs of this workspace that a guide starts.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::root;

/// The program, built beside this test, in the same profile.
pub(crate) fn built(program: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let directory = test.ancestors().nth(2).unwrap(); // <target>/<profile>/deps/guides-…
    let profile = match directory.file_name().and_then(|name| name.to_str()).unwrap() {
        "debug" => "dev",
        profile => profile,
    };
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--bin", program, "--profile", profile, "--target-dir"])
        .arg(directory.parent().unwrap())
        .current_dir(root())
        .status()
        .unwrap();
    assert!(status.success(), "{program} cannot be built");
    directory.join(format!("{program}{}", env::consts::EXE_SUFFIX))
}
