//! Follows the guides to the letter: the listings, the changes, the servers, the commands and what they print. Tries the
//! programs of the README.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a guide that cannot be followed fails its test")]

mod block;
mod change;
mod folder;
mod follow;
mod manifest;
mod pieces;
mod ports;
mod program;
mod readme;
mod said;
mod shell;
mod version;

use std::fs;
use std::path::{Path, PathBuf};

use block::{Block, blocks};
use follow::follow;

#[test]
fn the_guide_to_axum_can_be_followed() {
    follow("axum");
}

#[test]
fn the_guide_to_actix_can_be_followed() {
    follow("actix");
}

#[test]
fn the_guide_to_mcp_can_be_followed() {
    follow("mcp");
}

#[test]
fn the_guide_to_the_gateway_can_be_followed() {
    follow("gateway");
}

#[test]
fn the_guide_to_migration_can_be_followed() {
    follow("migration");
}

#[test]
fn every_guide_is_followed_and_linked() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for entry in fs::read_dir(root().join("docs/guides")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(include_str!("main.rs").contains(&format!("    follow(\"{name}\");")), "{name} is not followed");
        assert!(readme.contains(&format!("(docs/guides/{name}.md)")), "README.md does not link {name}");
    }
}

#[test]
fn every_piece_is_compiled() {
    for entry in fs::read_dir(root().join("docs/guides")).unwrap() {
        let path = entry.unwrap().path();
        let (name, guide) = (path.file_stem().unwrap().to_str().unwrap(), fs::read_to_string(&path).unwrap());
        let pieces = blocks(&guide).into_iter().filter(|block| matches!(block, Block::Piece(text) if !text.is_empty()));
        for number in 1..=pieces.count() {
            assert!(include_str!("pieces.rs").contains(&format!("/{name}_piece_{number}.rs")), "{name} {number}");
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}
