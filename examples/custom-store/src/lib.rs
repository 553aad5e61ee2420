//! PKCE in the `authorization_codes` table that a server already has.
//!
//! [`AuthorizationCodes`] is a [`ChallengeStore`] on the host's own rows: there is no second table, and a code's digest
//! is in a column beside the code. It is written for sqlx 0.8 and SQLite. `docs/writing-a-store.md` has the statements
//! for PostgreSQL and MySQL, and what other drivers need.
//!
//! # How the two fit together
//!
//! 1. Consent is given: the host inserts its row as before, and fills `code_digest`. Nobody can redeem that row yet.
//! 2. `pkce.bind(&code, challenge).grant(&id)` calls *insert*, which writes the challenge into that row. Without the
//!    row it is an error, and the code must not leave the server.
//! 3. At the token endpoint the layer calls *redeem*, which marks the row, and the handler gets the row's `id` back
//!    from its `Clearance`. The layer has compared client and redirect URI, which are bound with the code. The handler
//!    sets `used` when it issues tokens.
//! 4. If the handler rejects the request, the layer calls *restore*.
//!
//! The grant is the row's `id` alone, because the row *is* the grant. The handler therefore does not search for the code,
//! and a replay hook knows what to revoke.
//!
//! # What changes for the rest of the server
//!
//! * A row stays until it expires, also after it is used: a replay must be recognized. A server that deletes the row when
//!   it issues tokens must no longer do that.
//! * Its clean-up deletes what is past `expires_at` **and** past `pkce_expires_at` ([`host::DELETE_EXPIRED`]).
//! * `used` stays as it is, but the store now ensures that a code is served once.
//! * Codes from before [`MIGRATION`] have no digest and are rejected: those clients start over.

pub mod host;

use pkce_tower::pkce_core::Timestamp;
use pkce_tower::pkce_core::store::{
    Attempt, Binding, BindingParts, ChallengeStore, CodeDigest, Inserted, Redemption, StoreError, Ticket, async_trait,
};
use sqlx::error::DatabaseError;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqlitePool};

/// The columns to add to the table, once. No column has a default: a row without a binding cannot be redeemed.
///
/// The store needs a ticket and a time of its own, because `used` does not tell who redeemed the code.
pub const MIGRATION: &str = "
    ALTER TABLE authorization_codes ADD COLUMN code_digest BLOB;        -- SHA-256 of the code, 32 bytes
    ALTER TABLE authorization_codes ADD COLUMN pkce_method TEXT;        -- S256, plain or none; NULL: not bound yet
    ALTER TABLE authorization_codes ADD COLUMN pkce_proof BLOB;         -- 32 bytes; NULL with the method none
    ALTER TABLE authorization_codes ADD COLUMN pkce_grant BLOB;         -- any bytes; NULL is no grant
    ALTER TABLE authorization_codes ADD COLUMN pkce_issued_at INTEGER;  -- milliseconds since the epoch
    ALTER TABLE authorization_codes ADD COLUMN pkce_expires_at INTEGER; -- milliseconds since the epoch
    ALTER TABLE authorization_codes ADD COLUMN redeemed_by BLOB;        -- the ticket, 16 bytes; NULL: redeemable
    ALTER TABLE authorization_codes ADD COLUMN redeemed_at INTEGER;     -- milliseconds since the epoch
    CREATE UNIQUE INDEX authorization_codes_by_digest ON authorization_codes (code_digest);";

/// A row is unbound only if it has no part of a binding. A row that lost a part is not bound anew.
const ATTACH: &str = "
    UPDATE authorization_codes
    SET pkce_method = ?2, pkce_proof = ?3, pkce_grant = ?4, pkce_issued_at = ?5, pkce_expires_at = ?6
    WHERE code_digest = ?1
      AND coalesce(pkce_method, pkce_proof, pkce_grant, pkce_issued_at, pkce_expires_at, redeemed_by) IS NULL";

/// Reads the row and marks it in one statement. Each `CASE` sees the row as it was; RETURNING shows it as it is now.
/// `IS` compares bytes and lets NULL equal NULL. A row that is not bound is not found.
const REDEEM: &str = "
    UPDATE authorization_codes
    SET redeemed_by = CASE WHEN redeemed_by IS NULL AND redeemed_at IS NULL AND pkce_proof IS ?2
                           THEN ?3 ELSE redeemed_by END,
        redeemed_at = CASE WHEN redeemed_by IS NULL AND redeemed_at IS NULL AND pkce_proof IS ?2
                           THEN ?4 ELSE redeemed_at END
    WHERE code_digest = ?1
      AND coalesce(pkce_method, pkce_proof, pkce_grant, pkce_issued_at, pkce_expires_at, redeemed_by) IS NOT NULL
    RETURNING pkce_method, pkce_proof, pkce_grant, pkce_issued_at, pkce_expires_at, redeemed_by, redeemed_at";

const RESTORE: &str = "
    UPDATE authorization_codes SET redeemed_by = NULL, redeemed_at = NULL
    WHERE code_digest = ?1 AND redeemed_by = ?2";

/// The challenge store on the host's rows, in the host's own pool.
#[derive(Debug, Clone)]
pub struct AuthorizationCodes {
    pool: SqlitePool,
}

impl AuthorizationCodes {
    /// Creates the store on the table of this database, after [`MIGRATION`].
    ///
    /// Leave `synchronous` at `FULL`: with less, a power cut can take back a redemption that was already reported.
    pub const fn new(pool: SqlitePool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl ChallengeStore for AuthorizationCodes {
    async fn insert(&self, code: &CodeDigest, binding: &Binding) -> Result<Inserted, StoreError> {
        let attached = sqlx::query(ATTACH)
            .bind(&code.as_bytes()[..])
            .bind(binding.method_str())
            .bind(binding.proof().map(|proof| &proof.as_bytes()[..]))
            .bind(binding.grant().map(|grant| &grant[..]))
            .bind(millis(binding.issued_at())?)
            .bind(millis(binding.expires_at())?)
            .execute(&self.pool)
            .await
            .map_err(|error| failed(&error))?;
        if attached.rows_affected() == 1 {
            return Ok(Inserted::Recorded);
        }
        // Nothing was written. This only tells an occupied row from a missing one.
        let row = sqlx::query("SELECT 1 FROM authorization_codes WHERE code_digest = ?1")
            .bind(&code.as_bytes()[..])
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| failed(&error))?;
        match row {
            Some(_) => Ok(Inserted::Occupied),
            None => Err(StoreError::unavailable("the host has not inserted its row for this code")),
        }
    }

    async fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Result<Redemption, StoreError> {
        // All rows, although there is at most one: it comes before the commit, and the commit may fail.
        let rows = sqlx::query(REDEEM)
            .bind(&code.as_bytes()[..])
            .bind(attempt.proof().map(|proof| &proof.as_bytes()[..]))
            .bind(&attempt.ticket().as_bytes()[..])
            .bind(millis(attempt.at())?)
            .fetch_all(&self.pool)
            .await
            .map_err(|error| failed(&error))?;
        let Some(row) = rows.first() else { return Ok(Redemption::Unknown) };
        let binding = binding(row)?;
        Ok(match redeemed(row)? {
            Some((ticket, _)) if ticket == attempt.ticket() => Redemption::First(binding),
            Some((ticket, at)) => Redemption::Again { binding, ticket, at },
            None => Redemption::Refused(binding),
        })
    }

    async fn restore(&self, code: &CodeDigest, ticket: Ticket) -> Result<(), StoreError> {
        sqlx::query(RESTORE)
            .bind(&code.as_bytes()[..])
            .bind(&ticket.as_bytes()[..])
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(|error| failed(&error))
    }
}

/// Parses the binding of a row. A row that somebody changed is an error, never a code without a challenge.
fn binding(row: &SqliteRow) -> Result<Binding, StoreError> {
    let method: String = column(row, "pkce_method")?;
    let proof: Option<Vec<u8>> = column(row, "pkce_proof")?;
    let grant: Option<Vec<u8>> = column(row, "pkce_grant")?;
    let (issued_at, expires_at) =
        (timestamp(column(row, "pkce_issued_at")?)?, timestamp(column(row, "pkce_expires_at")?)?);
    Binding::from_parts(BindingParts {
        method: &method,
        proof: proof.as_deref(),
        grant: grant.map(Into::into),
        issued_at,
        expires_at,
    })
    .map_err(StoreError::invalid_record)
}

/// Parses who redeemed the code, and when: both or neither.
fn redeemed(row: &SqliteRow) -> Result<Option<(Ticket, Timestamp)>, StoreError> {
    match (column::<Option<Vec<u8>>>(row, "redeemed_by")?, column(row, "redeemed_at")?) {
        (None, None) => Ok(None),
        (Some(ticket), Some(at)) => {
            let ticket =
                ticket.try_into().map_err(|_| StoreError::invalid_record("a ticket does not have 16 bytes"))?;
            Ok(Some((Ticket::from_bytes(ticket), timestamp(at)?)))
        }
        _ => Err(StoreError::invalid_record("a ticket without its time, or a time without its ticket")),
    }
}

fn column<'r, T>(row: &'r SqliteRow, name: &str) -> Result<T, StoreError>
where
    T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    row.try_get(name)
        .map_err(|_| StoreError::invalid_record(format!("the column {name} does not hold what was written")))
}

fn timestamp(millis: i64) -> Result<Timestamp, StoreError> {
    u64::try_from(millis).map(Timestamp::from_epoch_millis).map_err(StoreError::invalid_record)
}

fn millis(time: Timestamp) -> Result<i64, StoreError> {
    i64::try_from(time.as_epoch_millis()).map_err(StoreError::unavailable)
}

/// A full disk has no room for another code. After any other error the call may or may not have happened.
///
/// Of the database's message only the code is passed on: the message may be a trigger's, and it would be logged.
fn failed(error: &sqlx::Error) -> StoreError {
    const SQLITE_FULL: &str = "13";
    match error.as_database_error().map(|error| DatabaseError::code(error).unwrap_or_default()) {
        Some(code) if code == SQLITE_FULL => StoreError::full(),
        Some(code) => StoreError::unavailable(format!("the database reported {code}")),
        None if matches!(error, sqlx::Error::PoolTimedOut) => StoreError::unavailable("no connection was free in time"),
        None => StoreError::unavailable("the statement could not be sent"),
    }
}
