//! The store on real servers.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail"
)]
#![expect(clippy::print_stdout, reason = "what was measured is told")]

mod cluster;
mod connections;
mod contract;
mod hung_master;
mod keys;
mod load;
mod memory;
mod permissions;
mod processes;
mod relay;
mod replicas;
mod restarts;
mod round_trips;
mod sentinel;
mod support;
mod tampered;
