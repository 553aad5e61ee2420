//! SQLite 3.37 and later.

use pkce_core::store::{Attempt, CodeDigest};
use sqlx::sqlite::Sqlite;
use sqlx::{Executor as _, Row as _, SqliteConnection};

use crate::dialect::Dialect;
use crate::fault::{Failure, Fault};
use crate::row::Columns;
use crate::sql::{Sql, Value, millis, query};
use crate::statements::Statements;
use crate::store::SqlxStore;
use crate::table::{FoundColumn, FoundTable};
use crate::table_name::TableName;

/// The store on SQLite: [`SqlxStore`] in a [`SqlitePool`](sqlx::SqlitePool).
pub type SqliteStore = SqlxStore<Sqlite>;

/// Creates the table `pkce_codes` and its index. For your own migrations; [`SqlxStore::ddl`] returns the statements for
/// another name.
///
/// It is `STRICT`, so that a column holds values of its type only. Deliberately with a row id: a table without one keeps
/// its rows in the tree that is searched, and large grants make that tree deep.
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
    const TYPES: [&'static str; 8] = ["blob", "text", "blob", "blob", "integer", "integer", "blob", "integer"];

    const INSERT: &'static str = r#"
        INSERT INTO "pkce_codes" (code_digest, code_challenge_method, proof, grant_record, issued_at, expires_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (code_digest) DO NOTHING"#;

    // There is one writer at a time, so the row that is returned is the row that was judged. SQLite compares a row that
    // keeps its length with the stored one, and writes no page that stays the same: so an attempt that is refused
    // writes nothing. One that is granted makes the row longer, and writes all of it, the grant included.
    const REDEEM: &'static str = r#"
        UPDATE "pkce_codes" SET
            ticket = CASE WHEN ticket IS NULL AND redeemed_at IS NULL AND expires_at > ?4
                AND proof IS ?2 AND (proof IS NULL) = (code_challenge_method = 'none') THEN ?3 ELSE ticket END,
            redeemed_at = CASE WHEN ticket IS NULL AND redeemed_at IS NULL AND expires_at > ?4
                AND proof IS ?2 AND (proof IS NULL) = (code_challenge_method = 'none') THEN ?4 ELSE redeemed_at END
        WHERE code_digest = ?1
        RETURNING code_challenge_method, proof, grant_record, issued_at, expires_at, ticket, redeemed_at"#;

    const RESTORE: &'static str =
        r#"UPDATE "pkce_codes" SET ticket = NULL, redeemed_at = NULL WHERE code_digest = ?1 AND ticket = ?2"#;

    const DELETE_EXPIRED: &'static str = r#"
        DELETE FROM "pkce_codes" WHERE rowid IN (
            SELECT rowid FROM "pkce_codes" WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)"#;

    fn ddl(table: &TableName) -> String {
        let (Some(schema), Some(index)) = (table.schema(), SQLITE_DDL.find("CREATE INDEX")) else {
            return table.place(SQLITE_DDL, Self::MARK);
        };
        // SQLite takes the schema before the name of the index, and not before the name of its table.
        let (create_table, create_index) = SQLITE_DDL.split_at(index);
        let create_index = table.unqualified().place(create_index, Self::MARK);
        table.place(create_table, Self::MARK) + &create_index.replacen("EXISTS ", &format!("EXISTS \"{schema}\"."), 1)
    }

    async fn execute(
        connection: &mut SqliteConnection,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<u64, Failure> {
        Ok(query!(Sqlite, sql, values).execute(connection).await?.rows_affected())
    }

    async fn execute_ddl(connection: &mut SqliteConnection, sql: &'static str) -> Result<(), Failure> {
        connection.execute(sql).await?;
        Ok(())
    }

    async fn redeem(
        connection: &mut SqliteConnection,
        statements: &Statements,
        code: &CodeDigest,
        attempt: &Attempt,
    ) -> Result<Option<Columns>, Failure> {
        let ticket = attempt.ticket();
        let values = [
            Value::Bytes(Some(code.as_bytes())),
            Value::Bytes(attempt.proof().map(|proof| proof.as_bytes().as_slice())),
            Value::Bytes(Some(ticket.as_bytes())),
            Value::Number(millis(attempt.at())?),
        ];
        // All rows, although there is one at most: the row arrives before the commit, and the commit may fail.
        Ok(Columns::of(&query!(Sqlite, statements.redeem, values).fetch_all(connection).await?)?)
    }

    async fn describe(connection: &mut SqliteConnection, table: &TableName) -> Result<Option<FoundTable>, Failure> {
        let name = [Value::Text(Some(table.table())), Value::Text(table.schema())];
        let mut columns = Vec::new();
        for row in query!(Sqlite, COLUMNS, name).fetch_all(&mut *connection).await? {
            columns.push(FoundColumn {
                name: row.try_get(0)?,
                kind: row.try_get(1)?,
                not_null: row.try_get(2)?,
                has_default: row.try_get(3)?,
            });
        }
        if columns.is_empty() {
            return Ok(None);
        }
        let row = query!(Sqlite, KEYS, name).fetch_one(connection).await?;
        let (has_unique_code, has_expiry_index) = (row.try_get(0)?, row.try_get(1)?);
        Ok(Some(FoundTable { columns, has_unique_code, has_expiry_index, other: None }))
    }

    fn fault(error: &sqlx::Error) -> Fault {
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        // The primary code is the lowest byte of the extended one.
        match code.and_then(|code| code.parse::<u32>().ok()).map(|code| code & 0xff) {
            Some(5 | 6) => Fault::Transient, // SQLITE_BUSY, SQLITE_LOCKED
            Some(13) => Fault::Full,         // SQLITE_FULL
            _ => Fault::Permanent,
        }
    }
}

/// The columns of a table. Takes its name and its schema, if it has one. The row id is always filled in.
const COLUMNS: &str = r#"
    SELECT name, lower(type), "notnull" <> 0, dflt_value IS NOT NULL OR (pk = 1 AND lower(type) = 'integer')
    FROM pragma_table_info(?1, ?2)"#;

/// Whether the code is unique, and whether there is an index on the expiry. Takes the same.
const KEYS: &str = r#"
    SELECT
        EXISTS (SELECT 1 FROM pragma_index_list(?1, ?2) AS list WHERE list."unique" AND NOT list.partial
            AND (SELECT group_concat(name) FROM pragma_index_info(list.name, ?2)) = 'code_digest'),
        EXISTS (SELECT 1 FROM pragma_index_list(?1, ?2) AS list WHERE NOT list.partial
            AND (SELECT name FROM pragma_index_info(list.name, ?2) WHERE seqno = 0) = 'expires_at')"#;
