//! Pools and the stores in them, whatever the database.

use std::sync::Arc;

use async_trait::async_trait;
use pkce_core::store::{ChallengeStore, StoreError};
use pkce_sqlx::{MySqlStore, PgStore, SqliteStore, TableName};
use sqlx::{MySqlPool, PgPool, SqlitePool};

/// What every store of this crate can do.
#[async_trait]
pub(crate) trait Store: ChallengeStore {
    async fn create_table(&self) -> Result<(), StoreError>;
    async fn check_table(&self) -> Result<(), StoreError>;
    async fn delete_expired(&self) -> Result<u64, StoreError>;
}

macro_rules! is_a_store {
    ($($store:ty),*) => {$(
        #[async_trait]
        impl Store for $store {
            async fn create_table(&self) -> Result<(), StoreError> {
                self.create_table().await
            }

            async fn check_table(&self) -> Result<(), StoreError> {
                self.check_table().await
            }

            async fn delete_expired(&self) -> Result<u64, StoreError> {
                self.delete_expired().await
            }
        }
    )*};
}

is_a_store!(PgStore, MySqlStore, SqliteStore);

/// What both sqlx 0.8 and 0.9 take for a statement.
pub(crate) fn leaked(sql: &str) -> &'static str {
    sql.to_owned().leak()
}

/// A pool of connections to one of the databases.
#[derive(Clone)]
pub(crate) enum Pool {
    Postgres(PgPool),
    MySql(MySqlPool),
    Sqlite(SqlitePool),
}

impl Pool {
    pub(crate) fn store(&self, table: &TableName) -> Arc<dyn Store> {
        let table = table.clone();
        match self {
            Self::Postgres(pool) => Arc::new(PgStore::with_table(pool.clone(), table)),
            Self::MySql(pool) => Arc::new(MySqlStore::with_table(pool.clone(), table)),
            Self::Sqlite(pool) => Arc::new(SqliteStore::with_table(pool.clone(), table)),
        }
    }

    /// Sends SQL as it is, and says how many rows it affected.
    pub(crate) async fn send(&self, sql: &str) -> u64 {
        self.try_send(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    pub(crate) async fn try_send(&self, sql: &str) -> Result<u64, sqlx::Error> {
        let statement = sqlx::raw_sql(leaked(sql));
        match self {
            Self::Postgres(pool) => statement.execute(pool).await.map(|done| done.rows_affected()),
            Self::MySql(pool) => statement.execute(pool).await.map(|done| done.rows_affected()),
            Self::Sqlite(pool) => statement.execute(pool).await.map(|done| done.rows_affected()),
        }
    }

    /// Opens this many connections, and leaves them idle.
    pub(crate) async fn open(&self, connections: usize) {
        drop(self.hold(connections).await);
    }

    /// Takes this many connections from the pool, which has them back when the returned value is dropped.
    pub(crate) async fn hold(&self, connections: usize) -> Box<dyn Send> {
        async fn hold<DB: sqlx::Database>(pool: &sqlx::Pool<DB>, connections: usize) -> Box<dyn Send> {
            let mut held = Vec::new();
            for _ in 0..connections {
                held.push(pool.acquire().await.unwrap());
            }
            Box::new(held)
        }
        match self {
            Self::Postgres(pool) => hold(pool, connections).await,
            Self::MySql(pool) => hold(pool, connections).await,
            Self::Sqlite(pool) => hold(pool, connections).await,
        }
    }

    /// The one number that a query gives.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let sql = leaked(sql);
        match self {
            Self::Postgres(pool) => sqlx::query_scalar(sql).fetch_one(pool).await,
            Self::MySql(pool) => sqlx::query_scalar(sql).fetch_one(pool).await,
            Self::Sqlite(pool) => sqlx::query_scalar(sql).fetch_one(pool).await,
        }
        .unwrap()
    }
}
