//! The gateway over real sockets, before an upstream that has no PKCE or behaves badly.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod authorize;
mod callback;
mod faults;
mod flow;
mod forwarded;
mod processes;
mod program;
mod proxy;
mod replay;
mod stage;
mod stored;
mod token;
