//! PKCE (RFC 7636) codes in Redis or Valkey.

mod fault;
mod field;
mod prefix;
mod record;
mod renewed;
mod replicas;
mod script;
mod store;

pub use prefix::InvalidPrefix;
pub use renewed::Renewed;
pub use store::RedisStore;
