//! PostgreSQL 12 and later.

use pkce_core::store::{Attempt, CodeDigest};
use sqlx::PgConnection;
use sqlx::SqlStr;
use sqlx::postgres::{PgArguments, Postgres};
use sqlx::query::Query;

use crate::dialect::Dialect;
use crate::failure::{Failure, Fault};
use crate::row::Columns;
use crate::sql::{Sql, Statements, Value, millis};
use crate::store::SqlxStore;
use crate::table_name::TableName;

/// The store on PostgreSQL: [`SqlxStore`] in a [`PgPool`](sqlx::PgPool).
pub type PgStore = SqlxStore<Postgres>;

/// The table of the default name and its index, for your own migrations; [`SqlxStore::ddl`] has them for another name.
///
/// A fifth of each page is left free, so that a redemption is written beside the row that it changes and touches no index.
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

    const INSERT: &'static str = r#"
        INSERT INTO "pkce_codes" (code_digest, code_challenge_method, proof, grant_record, issued_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (code_digest) DO NOTHING"#;

    // Under the row's lock: the first one may still be at it, on a connection that is gone only at this end.
    const INSERT_AGAIN: &'static str = r#"
        INSERT INTO "pkce_codes" AS found
            (code_digest, code_challenge_method, proof, grant_record, issued_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (code_digest) DO UPDATE SET issued_at = excluded.issued_at
        WHERE found.code_challenge_method = excluded.code_challenge_method
            AND found.proof IS NOT DISTINCT FROM excluded.proof
            AND found.grant_record IS NOT DISTINCT FROM excluded.grant_record
            AND found.issued_at = excluded.issued_at AND found.expires_at = excluded.expires_at
            AND found.ticket IS NULL AND found.redeemed_at IS NULL"#;

    // An attempt that is not granted writes nothing and locks nothing: whoever has the code alone must not be able to
    // keep the client waiting. The SELECT sees the table as it was when the statement began. If the code was redeemed
    // by somebody else since then, the UPDATE waits for them and then marks nothing, because under the row's lock it
    // looks at the row again, while the SELECT still shows a code that should have been marked. That contradiction is
    // told from every true answer (`Columns::answer`), and the statement is sent again.
    //
    // A redemption that a crash undoes would be served twice, so it is flushed also where `synchronous_commit` is off.
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

    const FIND: &'static str = "";

    const RESTORE: &'static str =
        r#"UPDATE "pkce_codes" SET ticket = NULL, redeemed_at = NULL WHERE code_digest = $1 AND ticket = $2"#;

    // Two servers at once: each takes rows that the other has not locked.
    const DELETE_EXPIRED: &'static str = r#"
        DELETE FROM "pkce_codes" WHERE expires_at < $1 AND code_digest = ANY (ARRAY(
            SELECT code_digest FROM "pkce_codes" WHERE expires_at < $1
            ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))"#;

    fn ddl(table: &TableName) -> String {
        table.place(POSTGRES_DDL, Self::MARK)
    }

    async fn execute(connection: &mut PgConnection, sql: &SqlStr, values: &[Value<'_>]) -> Result<u64, Failure> {
        Ok(query(sql, values).execute(connection).await?.rows_affected())
    }

    async fn execute_ddl(connection: &mut PgConnection, sql: SqlStr) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(sql).execute(connection).await.map(drop)
    }

    async fn redeem(
        connection: &mut PgConnection,
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
        match code(error).as_deref() {
            // Serialization failure, deadlock; the server is starting.
            Some("40001" | "40P01" | "57P03") => Fault::Passing,
            // The server is ending, or has ended this connection.
            Some("57P01" | "57P02" | "57P05") => Fault::Broken,
            Some("53100") => Fault::Full,
            _ => Fault::Lasting,
        }
    }

    /// `IF NOT EXISTS` looks first and creates then: a server that was faster is an error of uniqueness, or of a row of
    /// the catalogue that changed meanwhile (`XX000`).
    fn ddl_fault(error: &sqlx::Error) -> Fault {
        match code(error).as_deref() {
            Some("23505" | "42P07" | "42710" | "XX000") => Fault::Passing,
            _ => Self::fault(error),
        }
    }
}

fn code(error: &sqlx::Error) -> Option<std::borrow::Cow<'_, str>> {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code)
}

fn query(sql: &SqlStr, values: &[Value<'_>]) -> Query<'static, Postgres, PgArguments> {
    values.iter().fold(sqlx::query(sql.clone()), |query, value| match *value {
        Value::Octets(octets) => query.bind(octets),
        Value::Text(text) => query.bind(text),
        Value::Number(number) => query.bind(number),
    })
}
