//! Takes the programs out of the guides: `src/main.rs` as the reader has it when it is built, numbered in each guide from 1,
//! as `axum_1.rs`, and what else is Rust in a guide, as `axum_piece_1.rs`. The programs of the README are `readme_1.rs`, for axum,
//! and `readme_2.rs`, for Actix.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

#[expect(dead_code, clippy::panic, clippy::unwrap_used, reason = "shared with the test, which reads more of a block")]
#[path = "suite/block.rs"]
mod block;
#[path = "suite/change.rs"]
mod change;
#[path = "suite/version.rs"]
mod version;

use block::{Block, blocks};
use version::{PROGRAM, Version, builds};

fn main() -> Result<(), Box<dyn Error>> {
    let guides = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../docs/guides");
    println!("cargo::rerun-if-changed={}", guides.display());
    println!("cargo::rerun-if-changed=suite");
    for entry in fs::read_dir(guides)? {
        let path = entry?.path();
        println!("cargo::rerun-if-changed={}", path.display());
        let name = path.file_stem().and_then(|stem| stem.to_str()).ok_or("a guide has no name")?;
        take_out(name, &fs::read_to_string(&path)?)?;
    }
    take_out_of_the_readme()
}

/// Its programs have nothing to tell them where to listen, so here the first argument does.
fn take_out_of_the_readme() -> Result<(), Box<dyn Error>> {
    let readme = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../README.md");
    println!("cargo::rerun-if-changed={}", readme.display());
    let (readme, out) = (fs::read_to_string(readme)?, PathBuf::from(env::var("OUT_DIR")?));
    for (number, block) in (1..).zip(readme.split("```rust,no_run\n").skip(1)) {
        let program = block.split("\n```").next().unwrap_or(block);
        let program = program.replace("\"127.0.0.1:3000\"", "std::env::args().nth(1).unwrap()");
        fs::write(out.join(format!("readme_{number}.rs")), program)?;
    }
    Ok(())
}

fn take_out(name: &str, guide: &str) -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let (mut program, mut version, mut pieces) = (String::new(), Version::default(), 0);
    for block in blocks(guide) {
        let commands = match block {
            Block::Piece(text) => {
                pieces += 1;
                fs::write(out.join(format!("{name}_piece_{pieces}.rs")), text)?;
                continue;
            }
            Block::Listing { file, text, .. } if file == PROGRAM => {
                program = text;
                version.change();
                continue;
            }
            Block::Diff { line, file, text } if file == PROGRAM => {
                let changed = change::change(&program, &text);
                program = changed.map_err(|error| format!("docs/guides/{name}.md, line {line}: {error}"))?;
                version.change();
                continue;
            }
            Block::Listing { .. } | Block::Excerpt { .. } | Block::Diff { .. } => continue,
            Block::Server(step) => vec![step],
            Block::Console(steps) => steps,
        };
        if commands.iter().any(|step| builds(&step.command)) {
            fs::write(out.join(format!("{name}_{}.rs", version.built())), &program)?;
        }
    }
    Ok(())
}
