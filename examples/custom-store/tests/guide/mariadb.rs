//! MariaDB, by sqlx 0.8.

use std::time::Duration;

use pkce_core::Timestamp;
use pkce_core::store::{
    Attempt, Binding, ChallengeStore, CodeDigest, Inserted, Redemption, StoreError, Ticket, async_trait,
};
use pkce_test_servers::MariaDb;
use sqlx::mysql::{MySqlDatabaseError, MySqlPoolOptions, MySqlQueryResult};
use sqlx::{MySqlPool, Row as _};

use crate::row::{Row, bytes, millis};
use crate::statements::Statements;
use crate::{GuideStore, keeps_the_contract, sweeps_what_has_expired};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_statements_for_mariadb_keep_the_contract() {
    let Some(server) = MariaDb::start() else { return };
    let store = Store::connect(&server).await;
    sqlx::raw_sql(store.sql.named("table")).execute(&store.pool).await.unwrap();
    keeps_the_contract(store, Store::connect(&server).await).await;
}

#[tokio::test]
async fn the_sweep_for_mariadb_deletes_what_has_expired() {
    let Some(server) = MariaDb::start() else { return };
    let store = Store::connect(&server).await;
    sqlx::raw_sql(store.sql.named("table")).execute(&store.pool).await.unwrap();
    sweeps_what_has_expired(store).await;
}

struct Store {
    pool: MySqlPool,
    sql: Statements,
}

const DUPLICATE_KEY: u16 = 1062;
const LOCK_WAIT_TIMEOUT: u16 = 1205;
const DEADLOCK: u16 = 1213;

/// How often a statement that changed nothing is sent again.
const ROUNDS: usize = 64;

impl Store {
    async fn connect(server: &MariaDb) -> Self {
        let options = MySqlPoolOptions::new().max_connections(4).acquire_timeout(Duration::from_secs(20));
        Self { pool: options.connect(&server.url()).await.unwrap(), sql: Statements::of("MySQL and MariaDB") }
    }

    async fn mark(&self, code: &CodeDigest, attempt: &Attempt) -> sqlx::Result<MySqlQueryResult> {
        sqlx::query(self.sql.named("redeem"))
            .bind(&attempt.ticket().as_bytes()[..])
            .bind(millis(attempt.at()))
            .bind(&code.as_bytes()[..])
            .bind(bytes(attempt.proof()))
            .execute(&self.pool)
            .await
    }

    async fn find(&self, code: &CodeDigest) -> sqlx::Result<Option<Row>> {
        let rows = sqlx::query(self.sql.named("find")).bind(&code.as_bytes()[..]).fetch_all(&self.pool).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(Some(Row {
            method: row.try_get(0)?,
            proof: row.try_get(1)?,
            grant_record: row.try_get(2)?,
            issued_at: row.try_get(3)?,
            expires_at: row.try_get(4)?,
            redeemed_by: row.try_get(5)?,
            redeemed_at: row.try_get(6)?,
        }))
    }
}

fn number(error: &sqlx::Error) -> Option<u16> {
    Some(error.as_database_error()?.try_downcast_ref::<MySqlDatabaseError>()?.number())
}

fn changed_nothing(error: &sqlx::Error) -> bool {
    matches!(number(error), Some(LOCK_WAIT_TIMEOUT | DEADLOCK))
}

#[async_trait]
impl ChallengeStore for Store {
    async fn insert(&self, code: &CodeDigest, binding: &Binding) -> Result<Inserted, StoreError> {
        for _ in 0..ROUNDS {
            let inserted = sqlx::query(self.sql.named("insert"))
                .bind(&code.as_bytes()[..])
                .bind(binding.method_str())
                .bind(bytes(binding.proof()))
                .bind(binding.grant().map(|grant| &grant[..]))
                .bind(millis(binding.issued_at()))
                .bind(millis(binding.expires_at()))
                .execute(&self.pool)
                .await;
            match inserted {
                Ok(_) => return Ok(Inserted::Recorded),
                Err(error) if number(&error) == Some(DUPLICATE_KEY) => return Ok(Inserted::Occupied),
                Err(error) if changed_nothing(&error) => {}
                Err(error) => return Err(StoreError::unavailable(error)),
            }
        }
        Err(StoreError::unavailable("too many conflicts"))
    }

    async fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Result<Redemption, StoreError> {
        for _ in 0..ROUNDS {
            match self.mark(code, attempt).await {
                Err(error) if changed_nothing(&error) => continue,
                marked => marked.map_err(StoreError::unavailable)?,
            };
            let Some(row) = self.find(code).await.map_err(StoreError::unavailable)? else {
                return Ok(Redemption::Unknown);
            };
            let seen = row.redemption(attempt)?;
            // Not redeemed, and yet the proof is the right one: it was restored in between.
            if !matches!(&seen, Redemption::Refused(binding) if binding.proof() == attempt.proof()) {
                return Ok(seen);
            }
        }
        Err(StoreError::unavailable("too many conflicts"))
    }

    async fn restore(&self, code: &CodeDigest, ticket: Ticket) -> Result<(), StoreError> {
        for _ in 0..ROUNDS {
            let restore =
                sqlx::query(self.sql.named("restore")).bind(&code.as_bytes()[..]).bind(&ticket.as_bytes()[..]);
            match restore.execute(&self.pool).await {
                Err(error) if changed_nothing(&error) => {}
                restored => return restored.map(drop).map_err(StoreError::unavailable),
            }
        }
        Err(StoreError::unavailable("too many conflicts"))
    }
}

#[async_trait]
impl GuideStore for Store {
    async fn sweep(&self, before: Timestamp) -> u64 {
        let swept = sqlx::query(self.sql.named("sweep")).bind(millis(before)).execute(&self.pool).await;
        swept.unwrap().rows_affected()
    }
}
