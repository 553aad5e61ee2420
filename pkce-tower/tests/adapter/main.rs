//! What is particular to the Tower adapter. The rules themselves are tested in the core, and over both adapters.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper that fails fails its test, and one handler has to")]

mod capture;
mod common;
mod extractors;
mod mounting;
mod settling;
mod sockets;
mod token_endpoint;
