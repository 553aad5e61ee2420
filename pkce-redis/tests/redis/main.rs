//! The store on real servers.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail"
)]
#![expect(clippy::print_stdout, reason = "the measurements")]

mod cluster;
mod connections;
mod contract;
mod hung_master;
mod keys;
mod load;
mod memory;
mod moving_address;
mod operators;
mod other_servers;
mod permissions;
mod processes;
mod relay;
mod replicas;
mod restarts;
mod round_trips;
mod sentinel;
mod support;
mod tampered;
