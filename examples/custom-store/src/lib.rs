//! PKCE in the `authorization_codes` table that a server already has.
//!
//! [`AuthorizationCodes`] is a [`ChallengeStore`] on the host's own rows: no second table, and a code's digest beside
//! the code. SQLite here; PostgreSQL takes the same statements, with `$1`, `BYTEA` and `BIGINT`, and with
//! `IS NOT DISTINCT FROM` where two values are compared by `IS`.
//!
//! # How the two fit together
//!
//! 1. Consent is given: the host INSERTs its row as ever, and fills `code_digest`. Nobody can redeem that row yet.
//! 2. `pkce.bind(&code, challenge).grant(&id)` calls *insert*, which attaches the challenge to that row. Without the
//!    row it is an error, and the code must not leave.
//! 3. At the token endpoint the layer calls *redeem*, which marks the row, and the handler gets the row's `id` back
//!    from its `Clearance`. It checks client and redirect URI in the row as ever, and sets `used` when it issues.
//! 4. If it refuses, the layer calls *restore*.
//!
//! The grant is only the row's `id`, because the row *is* the grant. So the handler does not look for the code itself,
//! and a replay hook knows what to revoke.
//!
//! # What changes for the rest of the server
//!
//! * A row stays until it expires, also once it is used: a replay must be recognised. A server that deletes the row when
//!   it issues has to stop that.
//! * Its clean-up deletes what is past `expires_at` **and** past `pkce_expires_at` ([`host::DELETE_EXPIRED`]).
//! * `used` stays what it was; that a code is served once no longer depends on it.
//! * Codes from before [`MIGRATION`] have no digest and are refused: those clients start over.

pub mod host;

use pkce_tower::Timestamp;
use pkce_tower::pkce_core::store::{
    Attempt, Binding, ChallengeStore, CodeDigest, Inserted, Redemption, StoreError, Ticket, async_trait,
};
use sqlx::error::DatabaseError;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqlitePool};

/// What has to be added to the table, once. No column has a default: a row without a binding is not redeemable.
///
/// The ticket and its time are the store's own; `used` could not tell who redeemed the code.
pub const MIGRATION: &str = "
    ALTER TABLE authorization_codes ADD COLUMN code_digest BLOB;        -- SHA-256 of the code, 32 octets
    ALTER TABLE authorization_codes ADD COLUMN pkce_method TEXT;        -- S256, plain or none; NULL: not bound yet
    ALTER TABLE authorization_codes ADD COLUMN pkce_proof BLOB;         -- 32 octets; NULL with the method none
    ALTER TABLE authorization_codes ADD COLUMN pkce_grant BLOB;         -- any octets; NULL is no grant
    ALTER TABLE authorization_codes ADD COLUMN pkce_issued_at INTEGER;  -- milliseconds since the epoch
    ALTER TABLE authorization_codes ADD COLUMN pkce_expires_at INTEGER; -- milliseconds since the epoch
    ALTER TABLE authorization_codes ADD COLUMN redeemed_by BLOB;        -- the ticket, 16 octets; NULL: redeemable
    ALTER TABLE authorization_codes ADD COLUMN redeemed_at INTEGER;     -- milliseconds since the epoch
    CREATE UNIQUE INDEX authorization_codes_by_digest ON authorization_codes (code_digest);";

/// Only a row that has nothing of a binding is unbound. One that lost a part of it is not bound anew.
const ATTACH: &str = "
    UPDATE authorization_codes
    SET pkce_method = ?2, pkce_proof = ?3, pkce_grant = ?4, pkce_issued_at = ?5, pkce_expires_at = ?6
    WHERE code_digest = ?1
      AND coalesce(pkce_method, pkce_proof, pkce_grant, pkce_issued_at, pkce_expires_at, redeemed_by) IS NULL";

/// Looks at the row and marks it in one statement. Every `SET` sees the row as it was; RETURNING, as it is now.
/// `IS` compares octets and lets no proof equal no proof. What is not bound is not found.
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

/// The challenge store on the host's rows. It works inside the pool that the host has.
#[derive(Debug, Clone)]
pub struct AuthorizationCodes {
    pool: SqlitePool,
}

impl AuthorizationCodes {
    /// The store on the table of this database, after [`MIGRATION`].
    ///
    /// Leave `synchronous` at `FULL`: with less, a power cut can take back a redemption that was answered for.
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
        // Nothing was written, and nothing follows from this look but which refusal it is.
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
        // To the end, although there is one row at most: it comes before the commit, and the commit may fail.
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

/// Parses what the row holds: a row that somebody changed is an error, never a code without a challenge.
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

/// Who redeemed the code and when: both or neither.
fn redeemed(row: &SqliteRow) -> Result<Option<(Ticket, Timestamp)>, StoreError> {
    match (column::<Option<Vec<u8>>>(row, "redeemed_by")?, column(row, "redeemed_at")?) {
        (None, None) => Ok(None),
        (Some(ticket), Some(at)) => {
            let ticket = ticket.try_into().map_err(|_| StoreError::invalid_record("a ticket is not of 16 octets"))?;
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

/// A disk that is full has no room for another code; whatever else went wrong, the call may have happened or not.
///
/// Of the database's own words only the code is passed on: they may be a trigger's, and the log gets them.
fn failed(error: &sqlx::Error) -> StoreError {
    const SQLITE_FULL: &str = "13";
    match error.as_database_error().map(|error| DatabaseError::code(error).unwrap_or_default()) {
        Some(code) if code == SQLITE_FULL => StoreError::full(),
        Some(code) => StoreError::unavailable(format!("the database reported {code}")),
        None if matches!(error, sqlx::Error::PoolTimedOut) => StoreError::unavailable("no connection was free in time"),
        None => StoreError::unavailable("the statement could not be sent"),
    }
}
