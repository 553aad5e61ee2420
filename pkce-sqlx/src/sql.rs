//! What differs between the databases: their SQL, how it is sent, and what their errors mean.

use std::fmt;

use pkce_core::Timestamp;
use pkce_core::store::{Attempt, CodeDigest, Inserted};
use sqlx::Database;
use sqlx::database::HasStatementCache;

use crate::fault::{Failure, Fault};
use crate::row::Columns;
use crate::statements::Statements;
use crate::table::FoundTable;
use crate::table_name::TableName;

/// The SQL of a database, and how its driver is used.
pub trait Sql: Database + HasStatementCache {
    /// Whether there is a network in between, and connections that die without notice.
    const IS_REMOTE: bool = true;
    /// The quotation mark of names.
    const MARK: char;
    /// The types of the columns, in the order of [`Expected::COLUMNS`](crate::table::COLUMNS).
    const TYPES: [&'static str; 8];
    /// Takes `(code_digest, code_challenge_method, proof, grant_record, issued_at, expires_at)`.
    const INSERT: &'static str;
    /// Takes the same values, after the response to [`Sql::INSERT`] was lost: a row that is identical and that nobody has
    /// redeemed counts as inserted.
    const INSERT_AGAIN: &'static str = Self::INSERT;
    /// Marks a code for an attempt if it can be redeemed.
    const REDEEM: &'static str;
    /// Takes `(code_digest, ticket)`.
    const RESTORE: &'static str;
    /// Takes `(expired before, maximal number of rows)`.
    const DELETE_EXPIRED: &'static str;

    /// Returns the statements that create the table and its index, unless they exist.
    fn ddl(table: &TableName) -> String;

    /// Sends a statement that returns no rows, with these values in this order. Returns how many rows it affected.
    fn execute(
        connection: &mut Self::Connection,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<u64, Failure>> + Send;

    /// Sends statements without values.
    fn execute_ddl(
        connection: &mut Self::Connection,
        sql: &'static str,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Marks the code if it can be redeemed, and returns its row if there is one.
    fn redeem(
        connection: &mut Self::Connection,
        statements: &Statements,
        code: &CodeDigest,
        attempt: &Attempt,
    ) -> impl Future<Output = Result<Option<Columns>, Failure>> + Send;

    /// Sends [`Sql::INSERT`] or [`Sql::INSERT_AGAIN`] with these values.
    fn insert(
        connection: &mut Self::Connection,
        statements: &Statements,
        values: &[Value<'_>],
        again: bool,
    ) -> impl Future<Output = Result<Inserted, Failure>> + Send {
        async move {
            let sql = if again { statements.insert_again } else { statements.insert };
            let affected = Self::execute(connection, sql, values).await?;
            Ok(if affected == 0 { Inserted::Occupied } else { Inserted::Recorded })
        }
    }

    /// Reads what the table looks like; `None` if there is none.
    fn describe(
        connection: &mut Self::Connection,
        table: &TableName,
    ) -> impl Future<Output = Result<Option<FoundTable>, Failure>> + Send;

    /// Whether row level security applies to this role in this table.
    fn has_row_security(
        _connection: &mut Self::Connection,
        _table: &TableName,
    ) -> impl Future<Output = Result<bool, Failure>> + Send {
        std::future::ready(Ok(false))
    }

    /// Returns what to do about an error.
    fn fault(error: &sqlx::Error) -> Fault;

    /// Returns what to do about an error of [`Sql::execute_ddl`].
    fn ddl_fault(error: &sqlx::Error) -> Fault {
        Self::fault(error)
    }
}

/// A value for a statement.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    /// For a binary column.
    Bytes(Option<&'a [u8]>),
    /// For a text column.
    Text(Option<&'a str>),
    /// Milliseconds, or a count.
    Number(i64),
}

/// Shows lengths at most: the bytes are a digest, a proof or a grant.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => f.debug_tuple("Bytes").field(&bytes.map(<[u8]>::len)).finish(),
            Self::Text(text) => f.debug_tuple("Text").field(text).finish(),
            Self::Number(number) => f.debug_tuple("Number").field(number).finish(),
        }
    }
}

/// A query of sqlx with values in it. A macro, because the type of a query differs between sqlx 0.8 and 0.9.
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
macro_rules! query {
    ($database:ty, $sql:expr, $values:expr) => {
        $values.iter().fold(sqlx::query::<$database>($sql), |query, value| match *value {
            $crate::sql::Value::Bytes(bytes) => query.bind(bytes.map(<[u8]>::to_vec)),
            $crate::sql::Value::Text(text) => query.bind(text.map(str::to_owned)),
            $crate::sql::Value::Number(number) => query.bind(number),
        })
    };
}
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
pub(crate) use query;

/// Milliseconds as a BIGINT.
pub(crate) fn millis(time: Timestamp) -> Result<i64, Failure> {
    i64::try_from(time.as_epoch_millis()).map_err(|_| Failure::TooLate)
}
