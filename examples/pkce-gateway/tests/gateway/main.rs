//! The gateway as a process, over real sockets, before an upstream that has no PKCE or behaves badly.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod app;
mod authorize;
mod callback;
mod faults;
mod flow;
mod https;
mod loose;
mod metadata;
mod operation;
mod processes;
mod program;
mod provider;
mod replay;
mod revoke;
mod shutdown;
mod stored;
mod token;
mod user_agent;

use std::error::Error;

/// What can go wrong in a test.
type Result<T = ()> = std::result::Result<T, Box<dyn Error + Send + Sync>>;
