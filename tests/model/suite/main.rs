//! The model is checked, and traces of it are carried out with the real core on every store.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod planted;
mod properties;
mod traces;
