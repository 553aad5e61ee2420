//! The harness of the black-box suite: either server on a loopback port, a client on the wire, a host that does what
//! the examples do not, and stores that misbehave.
#![expect(
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a harness for the suite beside it: what fails here fails a test"
)]

mod backend;
mod client;
mod connection;
mod crowd;
mod double;
mod immediate;
mod program;
mod server;
mod store;

pub use backend::{Backend, Kind};
pub use client::{Client, Issued, Secret, allow, location, parameter, query, submit, transaction};
pub use connection::{Answer, Connection};
pub use crowd::{code_of_crowd, proof_of_crowd};
pub use double::{Behaviour, Bound, Double, Mount, REDIRECT_URI, TIME_OUT};
pub use immediate::{DOCUMENT, ISSUER, Immediate, REGISTERED, TAG, actix_documents, axum_documents};
pub use playground::Result;
pub use program::Program;
pub use server::{Adapter, Server};
pub use store::{Fault, Faulty, Gated};

/// Runs each sentence against both servers: an `async fn(&Server) -> Result<()>`, with the options of the command line
/// in parentheses behind its name, or, with `(own)`, an `async fn(Adapter) -> Result<()>` that starts its own servers.
#[macro_export]
macro_rules! on_both_servers {
    ($($sentence:ident $(($($how:tt)+))?),+ $(,)?) => {
        mod axum { $($crate::on_both_servers! { @ Axum $sentence $($($how)+)? })+ }
        mod actix { $($crate::on_both_servers! { @ Actix $sentence $($($how)+)? })+ }
    };
    (@ $adapter:ident $sentence:ident own) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $sentence() -> $crate::Result<()> {
            super::$sentence($crate::Adapter::$adapter).await
        }
    };
    (@ $adapter:ident $sentence:ident $($option:literal),*) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $sentence() -> $crate::Result<()> {
            let server = $crate::Server::start($crate::Adapter::$adapter, &[$($option),*]);
            super::$sentence(&server).await
        }
    };
}

/// Runs each sentence, an `async fn(&str) -> Result<()>`, against both servers as processes, by the name of the program.
#[macro_export]
macro_rules! on_both_programs {
    ($($sentence:ident),+ $(,)?) => {
        mod axum { $($crate::on_both_programs! { @ "axum-server" $sentence })+ }
        mod actix { $($crate::on_both_programs! { @ "actix-server" $sentence })+ }
    };
    (@ $program:literal $sentence:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $sentence() -> $crate::Result<()> {
            super::$sentence($program).await
        }
    };
}

/// The README's examples, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}

/// The guide's store, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/writing-a-store.md")]
mod writing_a_store {}
