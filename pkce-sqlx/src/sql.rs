//! What differs between the databases: their SQL, how it is sent, and what their errors mean.

use std::fmt;
use std::sync::Arc;

use pkce_core::Timestamp;
use pkce_core::store::{Attempt, CodeDigest, Inserted};
use sqlx::SqlStr;
use sqlx::{AssertSqlSafe, Database, SqlSafeStr as _};

use crate::failure::{Failure, Fault};
use crate::row::Columns;
use crate::table_name::TableName;

/// The SQL of a database, and how its driver is used.
pub trait Sql: Database {
    /// Whether there is a network in between, and connections that die without a word.
    const IS_REMOTE: bool = true;
    /// What a name is quoted with.
    const MARK: char;
    /// `(code_digest, code_challenge_method, proof, grant_record, issued_at, expires_at)`.
    const INSERT: &'static str;
    /// The same values, after an answer to [`Sql::INSERT`] was lost: a row that says the same and that nobody has redeemed
    /// counts as inserted.
    const INSERT_AGAIN: &'static str = Self::INSERT;
    /// Marks a code for an attempt, if it is to be marked; MySQL's says nothing more.
    const REDEEM: &'static str;
    /// The row of `(code_digest)`, where [`Sql::REDEEM`] does not give it back.
    const FIND: &'static str;
    /// `(code_digest, ticket)`.
    const RESTORE: &'static str;
    /// `(expired before, at most so many)`.
    const DELETE_EXPIRED: &'static str;

    /// The statements that create the table and its index, unless they exist.
    fn ddl(table: &TableName) -> String;

    /// Sends a statement that gives no rows back, with these values in this order. How many rows it affected.
    fn execute(
        connection: &mut Self::Connection,
        sql: &SqlStr,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<u64, Failure>> + Send;

    /// Sends statements without values.
    fn execute_ddl(
        connection: &mut Self::Connection,
        sql: SqlStr,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Marks the code if it is to be marked, and gives back its row, if there is one.
    fn redeem(
        connection: &mut Self::Connection,
        statements: &Statements,
        code: &CodeDigest,
        attempt: &Attempt,
    ) -> impl Future<Output = Result<Option<Columns>, Failure>> + Send;

    /// Sends [`Sql::INSERT`], or [`Sql::INSERT_AGAIN`], with these values.
    fn insert(
        connection: &mut Self::Connection,
        statements: &Statements,
        values: &[Value<'_>],
        again: bool,
    ) -> impl Future<Output = Result<Inserted, Failure>> + Send {
        async move {
            let sql = if again { &statements.insert_again } else { &statements.insert };
            let affected = Self::execute(connection, sql, values).await?;
            Ok(if affected == 0 { Inserted::Occupied } else { Inserted::Recorded })
        }
    }

    /// What an error of this database calls for.
    fn fault(error: &sqlx::Error) -> Fault;

    /// What an error of [`Sql::execute_ddl`] calls for.
    fn ddl_fault(error: &sqlx::Error) -> Fault {
        Self::fault(error)
    }
}

/// A value for a statement.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    /// For a binary column.
    Octets(Option<&'a [u8]>),
    /// For a text column.
    Text(&'static str),
    /// Milliseconds, or a count.
    Number(i64),
}

/// Shows lengths at most: what is bound is a digest, a proof or a grant.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Octets(octets) => f.debug_tuple("Octets").field(&octets.map(<[u8]>::len)).finish(),
            Self::Text(text) => f.debug_tuple("Text").field(text).finish(),
            Self::Number(number) => f.debug_tuple("Number").field(number).finish(),
        }
    }
}

/// The statements of one table, made once: sqlx keeps what it prepared by their text.
#[derive(Debug)]
pub struct Statements {
    pub(crate) insert: SqlStr,
    pub(crate) insert_again: SqlStr,
    pub(crate) redeem: SqlStr,
    #[cfg_attr(not(feature = "mysql"), allow(dead_code, reason = "only an update without RETURNING needs it"))]
    pub(crate) find: SqlStr,
    pub(crate) restore: SqlStr,
    pub(crate) delete_expired: SqlStr,
}

impl Statements {
    pub(crate) fn of<DB: Sql>(table: &TableName) -> Self {
        let placed = |sql| safe(table.place(sql, DB::MARK));
        Self {
            insert: placed(DB::INSERT),
            insert_again: placed(DB::INSERT_AGAIN),
            redeem: placed(DB::REDEEM),
            find: placed(DB::FIND),
            restore: placed(DB::RESTORE),
            delete_expired: placed(DB::DELETE_EXPIRED),
        }
    }
}

/// Safe: our own constants with a [`TableName`] in them, which is letters, digits and underscores in quotation marks.
pub(crate) fn safe(sql: String) -> SqlStr {
    // Behind an `Arc`, so that a clone for each call costs nothing.
    AssertSqlSafe(Arc::<str>::from(sql)).into_sql_str()
}

/// Milliseconds as a BIGINT.
pub(crate) fn millis(time: Timestamp) -> Result<i64, Failure> {
    i64::try_from(time.as_epoch_millis()).map_err(|_| Failure::TooLate)
}
