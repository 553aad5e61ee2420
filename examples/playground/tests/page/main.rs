//! The page, in a real browser. Screenshots are kept under `target/tmp/playground`.
#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "what fails here fails a test")]

mod attacks;
mod browser;
mod flow;
mod look;
mod program;
mod reach;
mod server;
