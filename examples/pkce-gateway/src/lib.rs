//! A reverse proxy that puts PKCE in front of an authorization server that has none.
//!
//! Clients come to the gateway with a code challenge and a code verifier; the upstream sees one confidential client, the
//! gateway, and no PKCE. What PKCE adds to a server is in three files: the challenge in `authorize`, the binding in
//! `callback`, the layer in `gateway`. README.md shows the flow and says what the gateway does not do.

mod answer;
mod authorize;
mod browser;
mod callback;
mod client;
mod clock;
mod closed;
mod config;
pub mod demo;
mod gateway;
mod grant;
mod http_client;
mod metadata;
mod options;
mod page;
mod parameters;
pub mod provider;
mod proxy;
mod random;
mod redirect;
mod respond;
mod seal;
mod token;
mod transaction;
mod upstream;

pub use client::Client;
pub use config::{ClientAuthentication, Config, Registration};
pub use gateway::app;
pub use options::{Command, Options};
