//! The error that the core gets for an error of Redis or of the connection.

use std::fmt;

use pkce_core::store::StoreError;
use redis::{ErrorKind, RedisError};

use crate::record::InvalidRecord;
use crate::server_error::Refusal;

pub(crate) fn store_error(error: &RedisError) -> StoreError {
    match Refusal::of_error(error) {
        Some(Refusal { code: "OOM", .. }) => StoreError::full(),
        Some(Refusal { code: "WRONGTYPE", .. }) => StoreError::invalid_record(InvalidRecord::Malformed),
        Some(refusal) => StoreError::unavailable(Fault::Server(refusal.sentence())),
        None => StoreError::unavailable(Fault::of_connection(error)),
    }
}

/// Why a call failed.
///
/// Deliberately not the [`RedisError`] itself: a server quotes the arguments of a command that it does not know, and
/// they contain the proof and the ticket.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The server answered with an error.
    Server(String),
    /// The server could not be reached, did not answer in time, or sent what is no reply.
    Connection(String),
    /// Fewer replicas than demanded acknowledged the redemption.
    Replicas { acknowledged: i64, demanded: u16 },
    /// The reply is not one that the command has.
    UnexpectedReply,
}

impl Fault {
    fn of_connection(error: &RedisError) -> Self {
        Self::Connection(match error.kind() {
            ErrorKind::Io => error.to_string(),
            ErrorKind::AuthenticationFailed => "Redis rejected the user name or the password".to_owned(),
            ErrorKind::Parse => "the reply is not in the protocol of Redis".to_owned(),
            // Deliberately not the whole error: it may quote the server.
            _ => error.category().to_owned(),
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(sentence) => f.write_str(sentence),
            Self::Connection(fault) => write!(f, "the connection to Redis failed: {fault}"),
            Self::Replicas { acknowledged, demanded } => {
                write!(f, "{acknowledged} of {demanded} replicas acknowledged the redemption in time")
            }
            Self::UnexpectedReply => f.write_str("unexpected reply type from Redis"),
        }
    }
}

impl std::error::Error for Fault {}
