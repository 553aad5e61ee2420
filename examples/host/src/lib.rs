//! The rest of a small authorization server: everything that is neither PKCE nor an HTTP framework.
//!
//! `axum-server` and `actix-server` share it, so that what is left in each is what a reader wants to see: how PKCE is
//! added. It reads bytes and returns an [`Answer`], plain data.
//!
//! Its clients, its account and its secrets are for demonstration; whoever copies it puts a database here.

mod answer;
mod client;
mod consent;
mod cors;
mod form;
mod grant;
mod host;
mod options;
mod pages;
mod pending;
mod random;
mod store;
mod token_endpoint;
mod tokens;

pub use answer::Answer;
pub use consent::{Approved, Consent};
pub use cors::CORS;
pub use grant::Grant;
pub use host::{Authorize, Host};
pub use options::{Options, start_logging};
pub use pending::Pending;
pub use store::StoreUrl;
