//! MySQL 8.0 and later, MariaDB 10.6 and later.

use pkce_core::store::{Attempt, CodeDigest, Inserted};
use sqlx::SqlStr;
use sqlx::mysql::{MySql, MySqlArguments, MySqlDatabaseError};
use sqlx::query::Query;
use sqlx::{MySqlConnection, Row as _};

use crate::dialect::Dialect;
use crate::failure::{Failure, Fault};
use crate::row::Columns;
use crate::sql::{Sql, Statements, Value, millis};
use crate::store::SqlxStore;
use crate::table_name::TableName;

/// The store on MySQL and MariaDB: [`SqlxStore`] in a [`MySqlPool`](sqlx::MySqlPool).
pub type MySqlStore = SqlxStore<MySql>;

/// The table of the default name and its index, for your own migrations; [`SqlxStore::ddl`] has them for another name.
///
/// `LONGBLOB`, because a `BLOB` ends at 64 KiB and, without strict mode, cuts off what is longer. A grant must also
/// fit into the server's `max_allowed_packet`.
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

impl Dialect for MySql {}

impl Sql for MySql {
    const MARK: char = '`';

    // Without autocommit nothing that is written here would last: what was redeemed would be served again, and what was
    // bound be lost. So every statement writes only where it is switched on; here by a NULL where none may be. A look
    // before each would be a round trip more, and sqlx keeps nothing with a connection that could tell which of them
    // was looked at.
    //
    // Plain: INSERT IGNORE would turn every other error into a warning, and with the client flag CLIENT_FOUND_ROWS,
    // which sqlx sets, ON DUPLICATE KEY UPDATE counts a row that it did not touch.
    const INSERT: &'static str = r"
        INSERT INTO `pkce_codes` (code_digest, code_challenge_method, proof, grant_record, issued_at, expires_at)
        VALUES (?, IF(@@autocommit, ?, NULL), ?, ?, ?, ?)";

    // A look, once INSERT has found the code occupied.
    const INSERT_AGAIN: &'static str = r"
        SELECT 1 FROM `pkce_codes`
        WHERE code_digest = ? AND code_challenge_method = ? AND proof <=> ? AND grant_record <=> ?
            AND issued_at = ? AND expires_at = ? AND ticket IS NULL AND redeemed_at IS NULL";

    // Everything is decided in the WHERE clause, under the row's lock; an attempt that is not granted writes nothing.
    const REDEEM: &'static str = r"
        UPDATE `pkce_codes` SET ticket = ?, redeemed_at = ?
        WHERE code_digest = ? AND ticket IS NULL AND redeemed_at IS NULL AND expires_at > ?
            AND proof <=> ? AND (proof IS NULL) = (code_challenge_method = 'none') AND @@autocommit";

    // What was marked is found by its ticket. If the row says by now that it should have been marked and was not, it was
    // changed in between: see `Columns::answer`.
    const FIND: &'static str = r"
        SELECT code_challenge_method, proof, grant_record, issued_at, expires_at, ticket, redeemed_at, @@autocommit
        FROM `pkce_codes` WHERE code_digest = ?";

    const RESTORE: &'static str = r"UPDATE `pkce_codes` SET ticket = NULL, redeemed_at = NULL WHERE code_digest = ? AND ticket = ? AND @@autocommit";

    // By the index's own order, so that two servers at once lock the same rows one after the other.
    const DELETE_EXPIRED: &'static str =
        r"DELETE FROM `pkce_codes` WHERE expires_at < ? AND @@autocommit ORDER BY expires_at, code_digest LIMIT ?";

    fn ddl(table: &TableName) -> String {
        table.place(MYSQL_DDL, Self::MARK)
    }

    async fn execute(connection: &mut MySqlConnection, sql: &SqlStr, values: &[Value<'_>]) -> Result<u64, Failure> {
        let affected = query(sql, values).execute(&mut *connection).await?.rows_affected();
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
        let Err(error) = query(&statements.insert, values).execute(&mut *connection).await else {
            return Ok(Inserted::Recorded);
        };
        match number(&error) {
            Some(1062) if again => {
                let same = query(&statements.insert_again, values).fetch_all(connection).await?;
                Ok(if same.is_empty() { Inserted::Occupied } else { Inserted::Recorded })
            }
            Some(1062) => Ok(Inserted::Occupied),
            Some(1048) => Err(Failure::NotCommitted), // The NULL that none may be.
            _ => Err(error.into()),
        }
    }

    async fn execute_ddl(connection: &mut MySqlConnection, sql: SqlStr) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(sql).execute(connection).await.map(drop)
    }

    async fn redeem(
        connection: &mut MySqlConnection,
        statements: &Statements,
        code: &CodeDigest,
        attempt: &Attempt,
    ) -> Result<Option<Columns>, Failure> {
        let code = Value::Octets(Some(code.as_bytes()));
        let proof = Value::Octets(attempt.proof().map(|proof| proof.as_bytes().as_slice()));
        let ticket = attempt.ticket();
        let ticket = Value::Octets(Some(ticket.as_bytes()));
        let at = Value::Number(millis(attempt.at())?);
        query(&statements.redeem, &[ticket, at, code, at, proof]).execute(&mut *connection).await?;
        let rows = query(&statements.find, &[code]).fetch_all(&mut *connection).await?;
        match rows.first() {
            // What is found in a transaction that nobody ends may be long past.
            None => check_autocommit(connection).await?,
            Some(row) if row.try_get::<i64, _>(7).ok() != Some(1) => return Err(Failure::NotCommitted),
            Some(_) => {}
        }
        Ok(Columns::of(&rows)?)
    }

    fn fault(error: &sqlx::Error) -> Fault {
        match number(error) {
            // Lock wait time-out, deadlock.
            Some(1205 | 1213) => Fault::Passing,
            // The server is ending, or has ended this connection.
            Some(1053 | 1927 | 4031) => Fault::Broken,
            Some(1021 | 1114) => Fault::Full,
            _ => Fault::Lasting,
        }
    }
}

/// The server's number of an error.
fn number(error: &sqlx::Error) -> Option<u16> {
    let error = error.as_database_error()?.try_downcast_ref::<MySqlDatabaseError>()?;
    Some(error.number())
}

async fn check_autocommit(connection: &mut MySqlConnection) -> Result<(), Failure> {
    let on: i64 = sqlx::query_scalar("SELECT @@autocommit").fetch_one(connection).await?;
    if on == 1 { Ok(()) } else { Err(Failure::NotCommitted) }
}

fn query(sql: &SqlStr, values: &[Value<'_>]) -> Query<'static, MySql, MySqlArguments> {
    values.iter().fold(sqlx::query(sql.clone()), |query, value| match *value {
        Value::Octets(octets) => query.bind(octets),
        Value::Text(text) => query.bind(text),
        Value::Number(number) => query.bind(number),
    })
}
