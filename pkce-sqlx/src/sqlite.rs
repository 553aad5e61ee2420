//! SQLite 3.37 and later.

use pkce_core::store::{Attempt, CodeDigest};
use sqlx::SqlStr;
use sqlx::SqliteConnection;
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments};

use crate::dialect::Dialect;
use crate::failure::{Failure, Fault};
use crate::row::Columns;
use crate::sql::{Sql, Statements, Value, millis};
use crate::store::SqlxStore;
use crate::table_name::TableName;

/// The store on SQLite: [`SqlxStore`] in a [`SqlitePool`](sqlx::SqlitePool).
pub type SqliteStore = SqlxStore<Sqlite>;

/// The table of the default name and its index, for your own migrations; [`SqlxStore::ddl`] has them for another name.
///
/// `STRICT`, so that a column holds what it says. Deliberately with a row id: a table without one keeps its rows in
/// the tree that is searched, which large grants make deep.
pub const SQLITE_DDL: &str = r#"CREATE TABLE IF NOT EXISTS "pkce_codes" (
    code_digest           BLOB    NOT NULL PRIMARY KEY CHECK (length(code_digest) = 32),
    code_challenge_method TEXT    NOT NULL CHECK (code_challenge_method IN ('S256', 'plain', 'none')),
    proof                 BLOB    CHECK (length(proof) = 32),
    grant_record          BLOB,
    issued_at             INTEGER NOT NULL CHECK (issued_at >= 0),
    expires_at            INTEGER NOT NULL CHECK (expires_at > issued_at),
    ticket                BLOB    CHECK (length(ticket) = 16),
    redeemed_at           INTEGER CHECK (redeemed_at >= 0),
    CHECK ((proof IS NULL) = (code_challenge_method = 'none')),
    CHECK ((ticket IS NULL) = (redeemed_at IS NULL))
) STRICT;
CREATE INDEX IF NOT EXISTS "pkce_codes_expires_at" ON "pkce_codes" (expires_at);
"#;

impl Dialect for Sqlite {}

impl Sql for Sqlite {
    // A database in memory would be gone with its connection.
    const IS_REMOTE: bool = false;
    const MARK: char = '"';

    const INSERT: &'static str = r#"
        INSERT INTO "pkce_codes" (code_digest, code_challenge_method, proof, grant_record, issued_at, expires_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (code_digest) DO NOTHING"#;

    // There is one writer at a time, so the row that comes back is the row that was judged. SQLite compares a row that
    // keeps its length with what is there, and writes no page that stays as it was: so an attempt that is not granted
    // writes nothing. One that is granted makes the row longer, and writes all of it, the grant too.
    const REDEEM: &'static str = r#"
        UPDATE "pkce_codes" SET
            ticket = CASE WHEN ticket IS NULL AND redeemed_at IS NULL AND expires_at > ?4
                AND proof IS ?2 AND (proof IS NULL) = (code_challenge_method = 'none') THEN ?3 ELSE ticket END,
            redeemed_at = CASE WHEN ticket IS NULL AND redeemed_at IS NULL AND expires_at > ?4
                AND proof IS ?2 AND (proof IS NULL) = (code_challenge_method = 'none') THEN ?4 ELSE redeemed_at END
        WHERE code_digest = ?1
        RETURNING code_challenge_method, proof, grant_record, issued_at, expires_at, ticket, redeemed_at"#;

    const FIND: &'static str = "";

    const RESTORE: &'static str =
        r#"UPDATE "pkce_codes" SET ticket = NULL, redeemed_at = NULL WHERE code_digest = ?1 AND ticket = ?2"#;

    const DELETE_EXPIRED: &'static str = r#"
        DELETE FROM "pkce_codes" WHERE rowid IN (
            SELECT rowid FROM "pkce_codes" WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)"#;

    fn ddl(table: &TableName) -> String {
        let (Some(schema), Some(index)) = (table.schema(), SQLITE_DDL.find("CREATE INDEX")) else {
            return table.place(SQLITE_DDL, Self::MARK);
        };
        // SQLite wants the schema in front of the index, and none in front of the table that it is on.
        let (create_table, create_index) = SQLITE_DDL.split_at(index);
        let create_index = table.unqualified().place(create_index, Self::MARK);
        table.place(create_table, Self::MARK) + &create_index.replacen("EXISTS ", &format!("EXISTS \"{schema}\"."), 1)
    }

    async fn execute(connection: &mut SqliteConnection, sql: &SqlStr, values: &[Value<'_>]) -> Result<u64, Failure> {
        Ok(query(sql, values).execute(connection).await?.rows_affected())
    }

    async fn execute_ddl(connection: &mut SqliteConnection, sql: SqlStr) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(sql).execute(connection).await.map(drop)
    }

    async fn redeem(
        connection: &mut SqliteConnection,
        statements: &Statements,
        code: &CodeDigest,
        attempt: &Attempt,
    ) -> Result<Option<Columns>, Failure> {
        let ticket = attempt.ticket();
        let values = [
            Value::Octets(Some(code.as_bytes())),
            Value::Octets(attempt.proof().map(|proof| proof.as_bytes().as_slice())),
            Value::Octets(Some(ticket.as_bytes())),
            Value::Number(millis(attempt.at())?),
        ];
        // All rows, although there is one at most: the row comes before the commit, and the commit may fail.
        Ok(Columns::of(&query(&statements.redeem, &values).fetch_all(connection).await?)?)
    }

    fn fault(error: &sqlx::Error) -> Fault {
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        // The extended code has the primary one in its lowest octet.
        match code.and_then(|code| code.parse::<u32>().ok()).map(|code| code & 0xff) {
            Some(5 | 6) => Fault::Passing, // SQLITE_BUSY, SQLITE_LOCKED
            Some(13) => Fault::Full,       // SQLITE_FULL
            _ => Fault::Lasting,
        }
    }
}

fn query(sql: &SqlStr, values: &[Value<'_>]) -> Query<'static, Sqlite, SqliteArguments> {
    values.iter().fold(sqlx::query(sql.clone()), |query, value| match *value {
        Value::Octets(octets) => query.bind(octets.map(<[u8]>::to_vec)),
        Value::Text(text) => query.bind(text),
        Value::Number(number) => query.bind(number),
    })
}
