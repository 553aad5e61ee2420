//! The store on real servers.

mod cluster;
mod connections;
mod contract;
mod keys;
mod memory;
mod processes;
mod relay;
mod replicas;
mod restarts;
mod round_trips;
mod sentinel;
mod support;
mod tampered;
