//! The protocol: one code, its record in the store, the token requests that present it, and everything that can happen between
//! two steps.
//!
//! A step is what one party does at once: a server begins a request, the store carries out a command, a server gets a reply,
//! the host responds, a clock moves. What a server does on a reply is what `pkce-core` does between two calls of the store.

mod attempt;
mod case;
mod replay;
mod request;
mod server;
mod state;
mod steps;
mod store;

pub use attempt::{Proof, Ticket};
pub use case::{Bound, Caller, Protocol};
pub use replay::{ReplayOf, Seen};
pub use request::{End, Phase, Reason, Request};
pub use state::{Clock, State};
pub use steps::Step;
pub use store::{Command, Record, Reply, Store, Verb};
