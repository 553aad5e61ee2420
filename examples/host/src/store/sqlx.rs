//! `PostgreSQL`, `MySQL` or `MariaDB`, `SQLite`.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use pkce_sqlx::{Dialect, MySqlStore, PgStore, SqliteStore, SqlxStore};
use sqlx::mysql::MySqlConnectOptions;
use sqlx::pool::PoolOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};

use super::Opened;

/// How long a request waits for a connection: less than the policy's two seconds, so that the reason is in the log.
const ACQUIRE: Duration = Duration::from_millis(1500);

/// How often expired rows are deleted.
const SWEEP: Duration = Duration::from_secs(60);

pub(super) async fn open_postgres(url: &str) -> Opened {
    let options = PgConnectOptions::from_str(url)?;
    let pool = PoolOptions::new().acquire_timeout(ACQUIRE).connect_with(options).await?;
    ready(PgStore::new(pool)).await
}

pub(super) async fn open_mysql(url: &str) -> Opened {
    let url = url.replacen("mariadb:", "mysql:", 1);
    let options = MySqlConnectOptions::from_str(&url)?;
    let pool = PoolOptions::new().acquire_timeout(ACQUIRE).connect_with(options).await?;
    ready(MySqlStore::new(pool)).await
}

pub(super) async fn open_sqlite(url: &str) -> Opened {
    let options = SqliteConnectOptions::from_str(url)?.create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
    let pool = PoolOptions::new().acquire_timeout(ACQUIRE).connect_with(options).await?;
    ready(SqliteStore::new(pool)).await
}

/// The table is there from here on, and swept now and then.
async fn ready<DB: Dialect>(store: SqlxStore<DB>) -> Opened {
    store.create_table().await?;
    let sweeping = store.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(SWEEP).await;
            if let Err(error) = sweeping.delete_expired().await {
                tracing::warn!(%error, "expired codes were not deleted");
            }
        }
    });
    Ok(Arc::new(store))
}
