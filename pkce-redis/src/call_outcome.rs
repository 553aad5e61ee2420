//! What a call shows of the connection that it was sent over.

use redis::{ErrorKind, RedisError, Value};

use crate::server_error::Refusal;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallOutcome {
    /// The server replied, with a value or an error.
    Answered,
    /// The client did not send it.
    NotSent,
    /// No reply in time, or one that cannot be read.
    Unanswered,
    /// The connection is closed, or was never made.
    Closed,
    /// The server accepts no writes: it is a replica, say.
    Demoted,
}

impl CallOutcome {
    pub(crate) fn of_reply(reply: &Result<Value, RedisError>) -> Self {
        match reply {
            Ok(value) => Self::of_refusal(Refusal::of_value(value)),
            Err(error) => Self::of_error(error),
        }
    }

    /// Of a pipeline, each of whose values may be an error.
    pub(crate) fn of_replies(replies: &Result<Vec<Value>, RedisError>) -> Self {
        match replies {
            Ok(values) => {
                let mut refusals = values.iter().filter_map(Refusal::of_value);
                Self::of_refusal(refusals.find(Refusal::is_by_a_demoted_server))
            }
            Err(error) => Self::of_error(error),
        }
    }

    fn of_refusal(refusal: Option<Refusal<'_>>) -> Self {
        if refusal.is_some_and(|refusal| refusal.is_by_a_demoted_server()) { Self::Demoted } else { Self::Answered }
    }

    fn of_error(error: &RedisError) -> Self {
        if let Some(refusal) = Refusal::of_error(error) {
            Self::of_refusal(Some(refusal))
        } else if error.is_connection_dropped() {
            Self::Closed
        } else if error.is_io_error() || error.is_unrecoverable_error() {
            Self::Unanswered
        } else if matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension) {
            Self::Answered
        } else {
            Self::NotSent
        }
    }
}
