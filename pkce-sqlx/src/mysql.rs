//! MySQL 8.0 and later, MariaDB 10.6 and later.

use pkce_core::store::{Attempt, CodeDigest, Inserted};
use sqlx::mysql::{MySql, MySqlDatabaseError};
use sqlx::{Executor as _, MySqlConnection, Row as _};

use crate::dialect::Dialect;
use crate::fault::{Failure, Fault};
use crate::row::Columns;
use crate::sql::{Sql, Value, millis, query};
use crate::statements::Statements;
use crate::store::SqlxStore;
use crate::table::{FoundColumn, FoundTable};
use crate::table_name::TableName;

/// The store on MySQL and MariaDB: [`SqlxStore`] in a [`MySqlPool`](sqlx::MySqlPool).
pub type MySqlStore = SqlxStore<MySql>;

/// Creates the table `pkce_codes` and its index. For your own migrations; [`SqlxStore::ddl`] returns the statements for
/// another name.
///
/// The grant is a `LONGBLOB`, because a `BLOB` ends at 64 KiB and, without strict mode, truncates what is longer. A grant
/// must also fit into the server's `max_allowed_packet`.
pub const MYSQL_DDL: &str = r"CREATE TABLE IF NOT EXISTS `pkce_codes` (
    code_digest           VARBINARY(32) NOT NULL PRIMARY KEY CHECK (LENGTH(code_digest) = 32),
    code_challenge_method VARCHAR(5) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
                          CHECK (code_challenge_method IN ('S256', 'plain', 'none')),
    proof                 VARBINARY(32) CHECK (LENGTH(proof) = 32),
    grant_record          LONGBLOB,
    issued_at             BIGINT NOT NULL CHECK (issued_at >= 0),
    expires_at            BIGINT NOT NULL,
    ticket                VARBINARY(16) CHECK (LENGTH(ticket) = 16),
    redeemed_at           BIGINT CHECK (redeemed_at >= 0),
    CHECK (expires_at > issued_at),
    CHECK ((proof IS NULL) = (code_challenge_method = 'none')),
    CHECK ((ticket IS NULL) = (redeemed_at IS NULL)),
    INDEX `pkce_codes_expires_at` (expires_at)
) ENGINE = InnoDB;
";

/// `INSERT` with this for the grant.
macro_rules! insert {
    ($grant:literal) => {
        concat!(
            "INSERT INTO `pkce_codes` (code_digest, code_challenge_method, proof, grant_record, issued_at, expires_at)
            VALUES (?, IF(@@autocommit, ?, NULL), ?, ",
            $grant,
            ", ?, ?)"
        )
    };
}

/// `INSERT_AGAIN` with this for the grant.
macro_rules! insert_again {
    ($grant:literal) => {
        concat!(
            "SELECT 1 FROM `pkce_codes`
            WHERE code_digest = ? AND code_challenge_method = ? AND proof <=> ? AND grant_record <=> ",
            $grant,
            " AND issued_at = ? AND expires_at = ? AND ticket IS NULL AND redeemed_at IS NULL"
        )
    };
}

impl Dialect for MySql {}

impl Sql for MySql {
    const MARK: char = '`';
    const TYPES: [&'static str; 8] =
        ["varbinary(32)", "varchar(5)", "varbinary(32)", "longblob", "bigint", "bigint", "varbinary(16)", "bigint"];

    // Without autocommit nothing that is written here would last: what was redeemed could be redeemed again, and what
    // was bound would be lost. So every statement writes only if it is on; here by a NULL where none is allowed. A look
    // before each statement would be one more round trip, and sqlx keeps nothing with a connection that could tell
    // whether it was looked at.
    //
    // A plain INSERT: INSERT IGNORE would turn every other error into a warning, and with the client flag
    // CLIENT_FOUND_ROWS, which sqlx sets, ON DUPLICATE KEY UPDATE counts a row that it did not touch.
    const INSERT: &'static str = insert!("?");

    // A look, once INSERT has found the code occupied.
    const INSERT_AGAIN: &'static str = insert_again!("?");

    // Everything is decided in the WHERE clause, under the row's lock; an attempt that is refused writes nothing.
    const REDEEM: &'static str = r"
        UPDATE `pkce_codes` SET ticket = ?, redeemed_at = ?
        WHERE code_digest = ? AND ticket IS NULL AND redeemed_at IS NULL AND expires_at > ?
            AND proof <=> ? AND (proof IS NULL) = (code_challenge_method = 'none') AND @@autocommit";

    const RESTORE: &'static str = r"UPDATE `pkce_codes` SET ticket = NULL, redeemed_at = NULL WHERE code_digest = ? AND ticket = ? AND @@autocommit";

    // In the order of the index, so that two servers at once lock the same rows one after the other.
    const DELETE_EXPIRED: &'static str =
        r"DELETE FROM `pkce_codes` WHERE expires_at < ? AND @@autocommit ORDER BY expires_at, code_digest LIMIT ?";

    fn ddl(table: &TableName) -> String {
        table.place(MYSQL_DDL, Self::MARK)
    }

    async fn execute(
        connection: &mut MySqlConnection,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<u64, Failure> {
        let affected = query!(MySql, sql, values).execute(&mut *connection).await?.rows_affected();
        if affected == 0 {
            check_autocommit(connection).await?;
        }
        Ok(affected)
    }

    async fn insert(
        connection: &mut MySqlConnection,
        statements: &Statements,
        values: &[Value<'_>],
        again: bool,
    ) -> Result<Inserted, Failure> {
        let is_empty_grant = |value: &Value<'_>| matches!(value, Value::Bytes(Some([])));
        let filled: Vec<Value<'_>>;
        let (insert, insert_again, values) = if values.iter().any(is_empty_grant) {
            filled = values.iter().filter(|value| !is_empty_grant(value)).copied().collect();
            (statements.mysql.insert_empty_grant, statements.mysql.insert_empty_grant_again, &*filled)
        } else {
            (statements.insert, statements.insert_again, values)
        };
        let Err(error) = query!(MySql, insert, values).execute(&mut *connection).await else {
            return Ok(Inserted::Recorded);
        };
        match number(&error) {
            Some(1062) if again => {
                let same = query!(MySql, insert_again, values).fetch_all(connection).await?;
                Ok(if same.is_empty() { Inserted::Occupied } else { Inserted::Recorded })
            }
            Some(1062) => Ok(Inserted::Occupied),
            Some(1048) => Err(Failure::NotCommitted), // The NULL where none is allowed.
            _ => Err(error.into()),
        }
    }

    async fn execute_ddl(connection: &mut MySqlConnection, sql: &'static str) -> Result<(), Failure> {
        connection.execute(sql).await?;
        Ok(())
    }

    async fn redeem(
        connection: &mut MySqlConnection,
        statements: &Statements,
        code: &CodeDigest,
        attempt: &Attempt,
    ) -> Result<Option<Columns>, Failure> {
        let code = Value::Bytes(Some(code.as_bytes()));
        let proof = Value::Bytes(attempt.proof().map(|proof| proof.as_bytes().as_slice()));
        let ticket = attempt.ticket();
        let ticket = Value::Bytes(Some(ticket.as_bytes()));
        let at = Value::Number(millis(attempt.at())?);
        query!(MySql, statements.redeem, [ticket, at, code, at, proof]).execute(&mut *connection).await?;
        let rows = query!(MySql, statements.mysql.find, [code]).fetch_all(&mut *connection).await?;
        match rows.first() {
            // What is found in a transaction that nobody ends may be long past.
            None => check_autocommit(connection).await?,
            Some(row) if row.try_get::<i64, _>(7).ok() != Some(1) => return Err(Failure::NotCommitted),
            Some(_) => {}
        }
        Ok(Columns::of(&rows)?)
    }

    async fn describe(connection: &mut MySqlConnection, table: &TableName) -> Result<Option<FoundTable>, Failure> {
        let (schema, table) = (Value::Text(table.schema()), Value::Text(Some(table.table())));
        let mut columns = Vec::new();
        for row in query!(MySql, COLUMNS, [schema, table]).fetch_all(&mut *connection).await? {
            columns.push(FoundColumn {
                name: row.try_get(0)?,
                kind: row.try_get(1)?,
                not_null: row.try_get::<i64, _>(2)? != 0,
                has_default: row.try_get::<i64, _>(3)? != 0,
            });
        }
        if columns.is_empty() {
            return Ok(None);
        }
        let row = query!(MySql, KEYS, [schema, table, schema, table, schema, table]).fetch_one(connection).await?;
        let engine: Option<String> = row.try_get(2)?;
        Ok(Some(FoundTable {
            columns,
            has_unique_code: row.try_get::<i64, _>(0)? != 0,
            has_expiry_index: row.try_get::<i64, _>(1)? != 0,
            other: engine.map(|engine| format!("its engine is {engine}, not InnoDB")),
        }))
    }

    fn fault(error: &sqlx::Error) -> Fault {
        match number(error) {
            // Lock wait time-out, deadlock.
            Some(1205 | 1213) => Fault::Transient,
            // The server is ending, or has ended this connection.
            Some(1053 | 1927 | 4031) => Fault::Disconnected,
            // Read-only, because the server is a replica by now; a node that left its Galera cluster.
            Some(1290 | 1792 | 1836 | 1047) => Fault::Demoted,
            // The prepared statement does not exist, or no longer fits.
            Some(1243 | 1615) => Fault::Unprepared,
            Some(1021 | 1114) => Fault::Full,
            _ => Fault::Permanent,
        }
    }
}

/// The statements that only MySQL needs.
#[derive(Debug)]
pub(crate) struct MySqlStatements {
    /// The row of `(code_digest)`, because an UPDATE returns none.
    ///
    /// The method is cast, because sqlx 0.8 takes the collation `ascii_bin` for bytes.
    ///
    /// A code that was marked is recognised by its ticket. If the row shows by now that it could have been marked and was
    /// not, it was changed in between: see `Columns::redemption`.
    find: &'static str,
    // In the sql_mode EMPTY_STRING_IS_NULL, which MariaDB has, an empty value becomes NULL, and a code with an empty grant
    // would be one without. The result of a function stays empty.
    insert_empty_grant: &'static str,
    insert_empty_grant_again: &'static str,
}

impl MySqlStatements {
    pub(crate) fn of(placed: impl Fn(&'static str) -> &'static str) -> Self {
        Self {
            find: placed(
                r"SELECT CAST(code_challenge_method AS CHAR), proof, grant_record, issued_at, expires_at, ticket, redeemed_at,
                    @@autocommit
                FROM `pkce_codes` WHERE code_digest = ?",
            ),
            insert_empty_grant: placed(insert!("REPEAT('x', 0)")),
            insert_empty_grant_again: placed(insert_again!("REPEAT('x', 0)")),
        }
    }
}

/// The columns of a table. Takes its schema, if it has one, and its name.
const COLUMNS: &str = "
    SELECT CAST(COLUMN_NAME AS CHAR), LOWER(CAST(COLUMN_TYPE AS CHAR)), IS_NULLABLE = 'NO',
        COLUMN_DEFAULT IS NOT NULL OR EXTRA LIKE '%auto_increment%' OR EXTRA LIKE '%GENERATED%'
    FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ?";

/// Whether the code is unique, whether there is an index on the expiry, and the engine if it is another one than InnoDB.
/// Takes the same, three times.
const KEYS: &str = "
    SELECT
        EXISTS (SELECT 1 FROM information_schema.STATISTICS
            WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ? AND NON_UNIQUE = 0
            GROUP BY INDEX_NAME HAVING COUNT(*) = 1 AND MAX(COLUMN_NAME) = 'code_digest' AND MAX(SUB_PART) IS NULL),
        EXISTS (SELECT 1 FROM information_schema.STATISTICS
            WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ?
                AND COLUMN_NAME = 'expires_at' AND SEQ_IN_INDEX = 1),
        (SELECT CAST(ENGINE AS CHAR) FROM information_schema.TABLES
            WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ? AND ENGINE <> 'InnoDB')";

/// The server's number of an error.
fn number(error: &sqlx::Error) -> Option<u16> {
    let error = error.as_database_error()?.try_downcast_ref::<MySqlDatabaseError>()?;
    Some(error.number())
}

async fn check_autocommit(connection: &mut MySqlConnection) -> Result<(), Failure> {
    let on: i64 = sqlx::query_scalar("SELECT @@autocommit").fetch_one(connection).await?;
    if on == 1 { Ok(()) } else { Err(Failure::NotCommitted) }
}
