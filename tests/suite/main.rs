//! The black-box suite. Every sentence holds for both adapters, over real sockets.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod authorization;
mod bodies;
mod capture;
mod command_line;
mod concurrency;
mod cors;
mod documents;
mod equivalence;
mod extractors;
mod faults;
mod flow;
mod host;
mod memory_store;
mod metadata;
mod pages;
mod plain_tower;
mod playground;
mod public_items;
mod real_clients;
mod real_stores;
mod roll_out;
mod settle;
mod stores;
mod token;
mod verifier;
