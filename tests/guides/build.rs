//! Takes the programs out of the guides: each complete listing of `src/main.rs`, numbered in each guide from 1, as
//! `axum_1.rs`, and what else is Rust in a guide, as `axum_piece_1.rs`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

const FENCE: &str = "```";
const LISTING: &str = "```rust src/main.rs";
const PIECE: &str = "```rust";

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let guides = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../docs/guides");
    println!("cargo::rerun-if-changed={}", guides.display());
    for entry in fs::read_dir(guides)? {
        let path = entry?.path();
        println!("cargo::rerun-if-changed={}", path.display());
        let name = path.file_stem().and_then(|stem| stem.to_str()).ok_or("a guide has no name")?;
        let text = fs::read_to_string(&path)?;
        let mut lines = text.lines();
        let (mut listings, mut pieces) = (0, 0);
        while let Some(line) = lines.next() {
            let file = match line {
                LISTING => {
                    listings += 1;
                    format!("{name}_{listings}.rs")
                }
                PIECE => {
                    pieces += 1;
                    format!("{name}_piece_{pieces}.rs")
                }
                _ => continue,
            };
            let rust: Vec<&str> = lines.by_ref().take_while(|line| *line != FENCE).collect();
            fs::write(out.join(file), rust.join("\n") + "\n")?;
        }
    }
    Ok(())
}
