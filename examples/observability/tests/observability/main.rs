//! The example as a process, by itself and scraped by a real Prometheus.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod process;
mod program;
mod prometheus;
