//! How a statement failed, and what follows from that.

use pkce_core::store::StoreError;

use crate::report::Report;
use crate::row::InvalidRow;

/// What to do about a failed statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Another transaction was faster, and nothing was done. Send again.
    Transient,
    /// The connection is gone and the response with it: the statement was executed or not. Send again, which is safe
    /// because every verb is idempotent.
    Disconnected,
    /// The connection leads to a server that was demoted: it accepts no writes any more, so nothing was done. Close the
    /// connection and send again on another one.
    Demoted,
    /// The connection has a prepared statement that no longer fits the table, or that the server does not know any more.
    /// Nothing was done. Prepare it anew and send again.
    Unprepared,
    /// The database has no room.
    Full,
    /// The same statement would fail again.
    Permanent,
}

/// How a verb failed.
#[derive(Debug)]
pub enum Failure {
    /// The database rejected a statement, or the connection broke while it was executed.
    Statement(sqlx::Error),
    /// As above with [`Fault::Demoted`], and the connection stays open because too many were closed in this second.
    StillDemoted(sqlx::Error),
    /// The pool could not make a connection.
    Connect(sqlx::Error),
    /// The pool gave no connection in time, for this reason.
    NoConnection(Report),
    /// A row that this crate did not write.
    InvalidRow(InvalidRow),
    /// The row changed between the statement's look and its write.
    Contended,
    /// Row level security lets this role read the row and not change it.
    RowSecurity,
    /// The table is not as expected: what differs.
    Table(String),
    /// The connection is not in autocommit mode, so nothing was written.
    NotCommitted,
    /// A time after the year 292 277 026, which does not fit into a BIGINT.
    TooLate,
}

impl Failure {
    pub(crate) fn fault(&self, of_database: fn(&sqlx::Error) -> Fault) -> Fault {
        match self {
            Self::Statement(sqlx::Error::Io(_)) | Self::Connect(sqlx::Error::Io(_)) => Fault::Disconnected,
            Self::Statement(error) | Self::Connect(error) => of_database(error),
            Self::Contended => Fault::Transient,
            Self::StillDemoted(_)
            | Self::NoConnection(_)
            | Self::InvalidRow(_)
            | Self::RowSecurity
            | Self::Table(_)
            | Self::NotCommitted
            | Self::TooLate => Fault::Permanent,
        }
    }

    pub(crate) fn into_store_error(self, of_database: fn(&sqlx::Error) -> Fault) -> StoreError {
        if self.fault(of_database) == Fault::Full {
            return StoreError::full();
        }
        StoreError::unavailable(match self {
            Self::InvalidRow(error) => return StoreError::invalid_record(error),
            Self::Statement(error) | Self::StillDemoted(error) => Report::of_statement(error),
            Self::Connect(error) => Report::of_connect(error),
            Self::NoConnection(reason) => reason,
            Self::Contended => "other requests changed the code at every attempt".into(),
            Self::RowSecurity => "row level security hides the code from UPDATE: look at the table's policies".into(),
            Self::Table(differences) => differences.into(),
            Self::NotCommitted => "the connection is not in autocommit mode".into(),
            Self::TooLate => "a time is too late for a BIGINT".into(),
        })
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Statement(error)
    }
}

impl From<InvalidRow> for Failure {
    fn from(error: InvalidRow) -> Self {
        Self::InvalidRow(error)
    }
}
