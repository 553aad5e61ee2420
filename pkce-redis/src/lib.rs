//! PKCE (RFC 7636) codes in Redis or Valkey.

mod fault;
mod field;
mod prefix;
mod record;
mod replicas;
mod script;
mod store;

pub use prefix::InvalidPrefix;
pub use store::RedisStore;
