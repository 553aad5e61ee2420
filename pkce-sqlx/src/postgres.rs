//! PostgreSQL 12 and later.

use pkce_core::store::{Attempt, CodeDigest};
use sqlx::postgres::Postgres;
use sqlx::{Executor as _, PgConnection, Row as _};

use crate::dialect::Dialect;
use crate::fault::{Failure, Fault};
use crate::row::Columns;
use crate::sql::{Sql, Value, millis, query};
use crate::statements::Statements;
use crate::store::SqlxStore;
use crate::table::{FoundColumn, FoundTable};
use crate::table_name::TableName;

/// The store on PostgreSQL: [`SqlxStore`] in a [`PgPool`](sqlx::PgPool).
pub type PgStore = SqlxStore<Postgres>;

/// Creates the table `pkce_codes` and its index. For your own migrations; [`SqlxStore::ddl`] returns the statements for
/// another name.
///
/// A fifth of each page stays free, so that a redemption writes the new row into the same page and touches no index.
pub const POSTGRES_DDL: &str = r#"CREATE TABLE IF NOT EXISTS "pkce_codes" (
    code_digest           BYTEA  NOT NULL PRIMARY KEY CHECK (octet_length(code_digest) = 32),
    code_challenge_method TEXT   NOT NULL CHECK (code_challenge_method IN ('S256', 'plain', 'none')),
    proof                 BYTEA  CHECK (octet_length(proof) = 32),
    grant_record          BYTEA,
    issued_at             BIGINT NOT NULL CHECK (issued_at >= 0),
    expires_at            BIGINT NOT NULL CHECK (expires_at > issued_at),
    ticket                BYTEA  CHECK (octet_length(ticket) = 16),
    redeemed_at           BIGINT CHECK (redeemed_at >= 0),
    CHECK ((proof IS NULL) = (code_challenge_method = 'none')),
    CHECK ((ticket IS NULL) = (redeemed_at IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX IF NOT EXISTS "pkce_codes_expires_at" ON "pkce_codes" (expires_at);
"#;

impl Dialect for Postgres {}

impl Sql for Postgres {
    const MARK: char = '"';
    const TYPES: [&'static str; 8] = ["bytea", "text", "bytea", "bytea", "bigint", "bigint", "bytea", "bigint"];

    const INSERT: &'static str = r#"
        INSERT INTO "pkce_codes" (code_digest, code_challenge_method, proof, grant_record, issued_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (code_digest) DO NOTHING"#;

    // Under the row's lock: the first INSERT may still be running, on a connection that broke at our end only.
    const INSERT_AGAIN: &'static str = r#"
        INSERT INTO "pkce_codes" AS found
            (code_digest, code_challenge_method, proof, grant_record, issued_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (code_digest) DO UPDATE SET issued_at = excluded.issued_at
        WHERE found.code_challenge_method = excluded.code_challenge_method
            AND found.proof IS NOT DISTINCT FROM excluded.proof
            AND found.grant_record IS NOT DISTINCT FROM excluded.grant_record
            AND found.issued_at = excluded.issued_at AND found.expires_at = excluded.expires_at
            AND found.ticket IS NULL AND found.redeemed_at IS NULL"#;

    // An attempt that is refused writes nothing and locks nothing: whoever holds the code alone must not be able to
    // delay the client. The SELECT sees the table as it was when the statement began. If another attempt redeemed the
    // code since then, the UPDATE waits for it and then marks nothing, because it reads the row again under the row's
    // lock, while the SELECT still shows a code that could be redeemed. `Columns::redemption` recognises that
    // contradiction, and the statement is sent again.
    //
    // A redemption that a crash undoes could be repeated, so it is flushed even where `synchronous_commit` is off.
    const REDEEM: &'static str = r#"
        WITH marked AS (
            UPDATE "pkce_codes" SET ticket = $3, redeemed_at = $4
            WHERE code_digest = $1 AND ticket IS NULL AND redeemed_at IS NULL AND expires_at > $4
                AND proof IS NOT DISTINCT FROM $2 AND (proof IS NULL) = (code_challenge_method = 'none')
            RETURNING code_challenge_method, proof, grant_record, issued_at, expires_at, ticket, redeemed_at,
                CASE current_setting('synchronous_commit')
                    WHEN 'off' THEN set_config('synchronous_commit', 'local', true)
                END
        )
        SELECT code_challenge_method, proof, grant_record, issued_at, expires_at, ticket, redeemed_at FROM marked
        UNION ALL
        SELECT code_challenge_method, proof, grant_record, issued_at, expires_at, ticket, redeemed_at
        FROM "pkce_codes" WHERE code_digest = $1 AND NOT EXISTS (SELECT FROM marked)"#;

    const RESTORE: &'static str =
        r#"UPDATE "pkce_codes" SET ticket = NULL, redeemed_at = NULL WHERE code_digest = $1 AND ticket = $2"#;

    // Of two servers at once each takes the rows that the other has not locked.
    const DELETE_EXPIRED: &'static str = r#"
        DELETE FROM "pkce_codes" WHERE expires_at < $1 AND code_digest = ANY (ARRAY(
            SELECT code_digest FROM "pkce_codes" WHERE expires_at < $1
            ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))"#;

    fn ddl(table: &TableName) -> String {
        table.place(POSTGRES_DDL, Self::MARK)
    }

    async fn execute(connection: &mut PgConnection, sql: &'static str, values: &[Value<'_>]) -> Result<u64, Failure> {
        Ok(query!(Postgres, sql, values).execute(connection).await?.rows_affected())
    }

    async fn execute_ddl(connection: &mut PgConnection, sql: &'static str) -> Result<(), Failure> {
        connection.execute(sql).await?;
        Ok(())
    }

    async fn redeem(
        connection: &mut PgConnection,
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
        Ok(Columns::of(&query!(Postgres, statements.redeem, values).fetch_all(connection).await?)?)
    }

    async fn describe(connection: &mut PgConnection, table: &TableName) -> Result<Option<FoundTable>, Failure> {
        let quoted = table.quoted(Self::MARK);
        let name = [Value::Text(Some(&quoted))];
        let mut columns = Vec::new();
        for row in query!(Postgres, COLUMNS, name).fetch_all(&mut *connection).await? {
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
        let row = query!(Postgres, KEYS, name).fetch_one(connection).await?;
        let missing: Option<String> = row.try_get(2)?;
        Ok(Some(FoundTable {
            columns,
            has_unique_code: row.try_get(0)?,
            has_expiry_index: row.try_get(1)?,
            other: missing.map(|commands| format!("row level security has no policy for {commands}")),
        }))
    }

    async fn has_row_security(connection: &mut PgConnection, table: &TableName) -> Result<bool, Failure> {
        let quoted = table.quoted(Self::MARK);
        let name = [Value::Text(Some(&quoted))];
        let row = query!(Postgres, "SELECT row_security_active(to_regclass($1)::oid)", name);
        Ok(row.fetch_one(connection).await?.try_get::<Option<bool>, _>(0)?.unwrap_or_default())
    }

    fn fault(error: &sqlx::Error) -> Fault {
        match code(error).as_deref() {
            // Serialization failure, deadlock; the server is starting.
            Some("40001" | "40P01" | "57P03") => Fault::Transient,
            // The server is ending, or has ended this connection.
            Some("57P01" | "57P02" | "57P05") => Fault::Disconnected,
            // Read-only, because the server is a standby by now.
            Some("25006") => Fault::Demoted,
            // The cached plan has another result type by now; the prepared statement does not exist.
            Some("0A000" | "26000") => Fault::Unprepared,
            Some("53100") => Fault::Full,
            _ => Fault::Permanent,
        }
    }

    /// `IF NOT EXISTS` first looks and then creates: if another server was faster, that is a uniqueness error, or one of a
    /// row of the catalogue that changed meanwhile (`XX000`).
    fn ddl_fault(error: &sqlx::Error) -> Fault {
        match code(error).as_deref() {
            Some("23505" | "42P07" | "42710" | "XX000") => Fault::Transient,
            _ => Self::fault(error),
        }
    }
}

/// The columns of a table. Takes its quoted name.
const COLUMNS: &str = "
    SELECT attname::text, format_type(atttypid, atttypmod), attnotnull, atthasdef OR attidentity <> ''
    FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped";

/// Whether the code is unique, whether there is an index on the expiry, and for which commands row level security has no
/// policy that applies to this role. Takes the quoted name.
const KEYS: &str = "
    SELECT
        EXISTS (SELECT FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
            WHERE indrelid = to_regclass($1) AND attname = 'code_digest' AND indnkeyatts = 1
                AND indisunique AND indimmediate AND indisvalid AND indpred IS NULL),
        EXISTS (SELECT FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
            WHERE indrelid = to_regclass($1) AND attname = 'expires_at' AND indisvalid AND indpred IS NULL),
        (SELECT string_agg(name, ', ') FROM (VALUES ('r', 'SELECT'), ('a', 'INSERT'), ('w', 'UPDATE'), ('d', 'DELETE'))
            AS needed (command, name)
            WHERE row_security_active(to_regclass($1)::oid) AND NOT EXISTS (
                SELECT FROM pg_policy WHERE polrelid = to_regclass($1) AND polpermissive
                    AND polcmd::text IN ('*', command) AND (polroles = '{0}'
                        OR EXISTS (SELECT FROM unnest(polroles) AS role WHERE pg_has_role(role, 'MEMBER')))))";

fn code(error: &sqlx::Error) -> Option<std::borrow::Cow<'_, str>> {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code)
}
