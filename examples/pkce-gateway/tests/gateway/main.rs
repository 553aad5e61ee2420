//! The gateway over real sockets, before an upstream that has no PKCE or behaves badly.

mod authorize;
mod callback;
mod faults;
mod flow;
mod processes;
mod proxy;
mod stage;
mod token;
