//! What a call shows of the connection that it went over.

use redis::{ErrorKind, RedisError, Value};

use crate::fault;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// The server answered, whatever it said.
    Answered,
    /// The client did not send it.
    Nothing,
    /// No answer in time, or one that cannot be read.
    Silent,
    /// The way to the server is cut, or was never there.
    Closed,
    /// The server is a replica.
    Replica,
}

impl Sign {
    pub(crate) fn of_value(value: &Value) -> Self {
        match value {
            Value::ServerError(error) if error.code() == "READONLY" => Self::Replica,
            _ => Self::Answered,
        }
    }

    /// Of a pipeline's values, each of which may be an error.
    pub(crate) fn of_values(values: &[Value]) -> Self {
        let is_by_a_replica = values.iter().any(|value| Self::of_value(value) == Self::Replica);
        if is_by_a_replica { Self::Replica } else { Self::Answered }
    }

    pub(crate) fn of_error(error: &RedisError) -> Self {
        if fault::code(error) == Some("READONLY") {
            Self::Replica
        } else if error.is_connection_dropped() {
            Self::Closed
        } else if error.is_io_error() || error.is_unrecoverable_error() {
            Self::Silent
        } else if matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension) {
            Self::Answered
        } else {
            Self::Nothing
        }
    }
}
