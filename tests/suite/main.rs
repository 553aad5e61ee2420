//! The black-box suite. Every sentence holds for both adapters, over real sockets.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod authorization;
mod command_line;
mod concurrency;
mod equivalence;
mod flow;
mod memory_store;
mod playground;
mod settle;
mod token;
