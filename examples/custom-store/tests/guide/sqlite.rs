//! SQLite, by sqlx 0.8.

use std::path::PathBuf;
use std::time::Duration;

use pkce_core::Timestamp;
use pkce_core::store::{
    Attempt, Binding, ChallengeStore, CodeDigest, Inserted, Redemption, StoreError, Ticket, async_trait,
};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use sqlx::{Row as _, SqlitePool};

use crate::row::{Row, bytes, millis};
use crate::statements::Statements;
use crate::{GuideStore, keeps_the_contract, sweeps_what_has_expired};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_statements_for_sqlite_keep_the_contract() {
    let file = File::new("contract");
    let store = Store::open(&file).await;
    sqlx::raw_sql(store.sql.named("table")).execute(&store.pool).await.unwrap();
    keeps_the_contract(store, Store::open(&file).await).await;
}

#[tokio::test]
async fn the_sweep_for_sqlite_deletes_what_has_expired() {
    let file = File::new("sweep");
    let store = Store::open(&file).await;
    sqlx::raw_sql(store.sql.named("table")).execute(&store.pool).await.unwrap();
    sweeps_what_has_expired(store).await;
}

/// A directory for the database, removed when it is dropped.
struct File(PathBuf);

impl File {
    fn new(test: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("store-guide-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        Self(directory)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.0);
    }
}

struct Store {
    pool: SqlitePool,
    sql: Statements,
}

impl Store {
    /// Patient: on a busy machine the suite's writers overtake each other for longer than a server would wait.
    async fn open(file: &File) -> Self {
        let patience = Duration::from_secs(20);
        let options = SqliteConnectOptions::new()
            .filename(file.0.join("codes.sqlite"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(patience);
        let pool = SqlitePoolOptions::new().max_connections(4).acquire_timeout(patience).connect_with(options).await;
        Self { pool: pool.unwrap(), sql: Statements::of("SQLite") }
    }
}

#[async_trait]
impl ChallengeStore for Store {
    async fn insert(&self, code: &CodeDigest, binding: &Binding) -> Result<Inserted, StoreError> {
        let inserted = sqlx::query(self.sql.named("insert"))
            .bind(&code.as_bytes()[..])
            .bind(binding.method_str())
            .bind(bytes(binding.proof()))
            .bind(binding.grant().map(|grant| &grant[..]))
            .bind(millis(binding.issued_at()))
            .bind(millis(binding.expires_at()))
            .execute(&self.pool)
            .await
            .map_err(StoreError::unavailable)?;
        Ok(if inserted.rows_affected() == 1 { Inserted::Recorded } else { Inserted::Occupied })
    }

    async fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Result<Redemption, StoreError> {
        let rows = sqlx::query(self.sql.named("redeem"))
            .bind(&code.as_bytes()[..])
            .bind(bytes(attempt.proof()))
            .bind(&attempt.ticket().as_bytes()[..])
            .bind(millis(attempt.at()))
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::unavailable)?;
        let Some(row) = rows.first() else { return Ok(Redemption::Unknown) };
        let row = Row {
            method: row.get(0),
            proof: row.get(1),
            grant_record: row.get(2),
            issued_at: row.get(3),
            expires_at: row.get(4),
            redeemed_by: row.get(5),
            redeemed_at: row.get(6),
        };
        row.redemption(attempt)
    }

    async fn restore(&self, code: &CodeDigest, ticket: Ticket) -> Result<(), StoreError> {
        let restore = sqlx::query(self.sql.named("restore")).bind(&code.as_bytes()[..]).bind(&ticket.as_bytes()[..]);
        restore.execute(&self.pool).await.map(drop).map_err(StoreError::unavailable)
    }
}

#[async_trait]
impl GuideStore for Store {
    async fn sweep(&self, before: Timestamp) -> u64 {
        let swept = sqlx::query(self.sql.named("sweep")).bind(millis(before)).execute(&self.pool).await;
        swept.unwrap().rows_affected()
    }
}
