//! What a fault of Redis, or of the way to it, means to the core.

use std::fmt;

use pkce_core::store::StoreError;
use redis::{ErrorKind, RedisError};

use crate::record::InvalidRecord;

/// What the core is told of an error of the client library or of the server.
pub(crate) fn store_error(error: &RedisError) -> StoreError {
    match code(error) {
        Some("OOM") => StoreError::full(),
        Some("WRONGTYPE") => StoreError::invalid_record(InvalidRecord::Form),
        _ => StoreError::unavailable(Fault::from(error)),
    }
}

/// The first word of a server's error, such as `READONLY`.
pub(crate) fn code(error: &RedisError) -> Option<&str> {
    match error.code() {
        // Redis 6 puts the place in the script before it: `@user_script: 47: -READONLY You can't …`.
        Some("@user_script:") => error.detail()?.split(' ').find_map(|word| word.strip_prefix('-')),
        code => code,
    }
}

/// Why Redis did not do what it was asked.
///
/// Deliberately not the [`RedisError`] itself: a server repeats the arguments of a command that it does not know, and
/// they hold the proof and the ticket.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The first word of the server's error, such as `READONLY` or `CLUSTERDOWN`.
    Server(String),
    /// The way to the server: refused, cut, timed out.
    Way(String),
    /// Fewer replicas than demanded have the redemption.
    Replicas { acknowledged: i64, demanded: u16 },
    /// An answer that the command does not have.
    Answer,
}

impl From<&RedisError> for Fault {
    fn from(error: &RedisError) -> Self {
        match error.kind() {
            ErrorKind::Io => Self::Way(error.to_string()),
            ErrorKind::Server(_) | ErrorKind::Extension => {
                Self::Server(code(error).unwrap_or_else(|| error.category()).to_owned())
            }
            _ => Self::Way(error.category().to_owned()),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(code) => write!(f, "Redis answered with the error {code}"),
            Self::Way(fault) => write!(f, "Redis could not be asked: {fault}"),
            Self::Replicas { acknowledged, demanded } => {
                write!(f, "{acknowledged} of the {demanded} replicas demanded acknowledged the redemption in time")
            }
            Self::Answer => f.write_str("Redis answered what the command does not answer"),
        }
    }
}

impl std::error::Error for Fault {}
