//! The page, in a real browser. Screenshots are kept in `playground` under `CARGO_TARGET_TMPDIR`.
#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "what fails here fails a test")]

mod attacks;
mod browser;
mod flow;
mod look;
mod program;
mod reach;
mod server;
