//! Makes each server as it was before PKCE: its source with the diff of its README taken back. So the diffs are true,
//! and the tests can show what the same server does without them.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use diffy::Patch;

const EXAMPLES: [&str; 3] = ["json-token-endpoint", "oxide-auth-actix", "oxide-auth-axum"];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../..");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    for example in EXAMPLES {
        let readme = root.join("examples").join(example).join("README.md");
        watch(&readme);
        for diff in fs::read_to_string(&readme)?.split("```diff\n").skip(1) {
            let diff = diff.split_once("```").ok_or("a diff without an end")?.0;
            let diff = Patch::from_str(diff)?;
            let path = diff.modified().and_then(|path| path.strip_prefix("b/")).ok_or("a diff without a path")?;
            let source = root.join(path);
            watch(&source);
            let before = diffy::apply(&fs::read_to_string(&source)?, &diff.reverse())
                .map_err(|error| format!("the diff in {} does not fit {path}: {error}", readme.display()))?;
            let name = source.file_stem().and_then(|stem| stem.to_str()).ok_or("a source without a name")?;
            fs::write(out.join(format!("{example}-{name}.rs")), without_its_documentation(&before))?;
        }
    }
    Ok(())
}

/// `include!` takes no documentation of a module.
fn without_its_documentation(source: &str) -> String {
    source.lines().filter(|line| !line.starts_with("//!")).collect::<Vec<_>>().join("\n")
}

fn watch(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
}
