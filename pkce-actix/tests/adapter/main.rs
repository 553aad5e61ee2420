//! What is particular to the Actix adapter. The rules themselves are tested in the core, and over both adapters.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod capture;
mod common;
mod extractors;
mod metadata;
mod settling;
mod token_endpoint;
