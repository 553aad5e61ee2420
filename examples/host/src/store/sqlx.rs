//! `PostgreSQL`, `MySQL` or `MariaDB`, `SQLite`.

use std::error::Error as _;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use pkce_sqlx::{Dialect, SqlxStore};
use sqlx::mysql::MySqlConnectOptions;
use sqlx::pool::PoolOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{Connection, MySql, Postgres, Sqlite};
use tokio::time::{sleep, timeout};

use super::Opened;

/// How long the first connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a request waits for a connection: less than the policy's two seconds, so that the log has the reason.
const ACQUIRE: Duration = Duration::from_millis(1500);

/// How often expired rows are deleted.
const SWEEP: Duration = Duration::from_secs(60);

pub(super) async fn open_postgres(url: &str) -> Opened {
    open::<Postgres>(PgConnectOptions::from_str(url)?).await
}

pub(super) async fn open_mysql(url: &str) -> Opened {
    open::<MySql>(MySqlConnectOptions::from_str(&url.replacen("mariadb:", "mysql:", 1))?).await
}

pub(super) async fn open_sqlite(url: &str) -> Opened {
    let options = SqliteConnectOptions::from_str(url)?.create_if_missing(true);
    open::<Sqlite>(options.journal_mode(SqliteJournalMode::Wal)).await
}

/// Makes one connection at once, because a pool tries again until its time is over. Creates the table or checks it, and
/// deletes its expired rows once a minute.
async fn open<DB: Dialect>(options: <DB::Connection as Connection>::Options) -> Opened {
    timeout(CONNECT, DB::Connection::connect_with(&options)).await??.close().await?;
    let store = SqlxStore::<DB>::new(PoolOptions::new().acquire_timeout(ACQUIRE).connect_lazy_with(options));
    store
        .create_table()
        .await
        .map_err(|error| error.source().map_or_else(|| error.to_string(), ToString::to_string))?;
    let sweeping = store.clone();
    tokio::spawn(async move {
        loop {
            sleep(SWEEP).await;
            if let Err(error) = sweeping.delete_expired().await {
                tracing::warn!(%error, source = error.source(), "expired codes were not deleted");
            }
        }
    });
    Ok(Arc::new(store))
}
