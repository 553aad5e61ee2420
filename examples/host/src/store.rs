//! Where the codes are kept: what `--store` names.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use pkce_core::MemoryStore;
use pkce_core::store::ChallengeStore;

#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "sqlx")]
mod sqlx;

/// A store by its URL: `memory:`, `redis://…`, `redis+cluster://HOST:PORT,…`, `postgres://…`, `mysql://…`, `sqlite://…`.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreUrl {
    kind: Kind,
    url: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Memory,
    #[cfg(feature = "redis")]
    Redis,
    #[cfg(feature = "redis")]
    RedisCluster,
    #[cfg(feature = "sqlx")]
    Postgres,
    #[cfg(feature = "sqlx")]
    MySql,
    #[cfg(feature = "sqlx")]
    Sqlite,
}

impl StoreUrl {
    /// Connects, and makes the table if there is none.
    ///
    /// # Errors
    ///
    /// One line that says why the store cannot be used. No password stands in it.
    #[cfg_attr(
        not(any(feature = "redis", feature = "sqlx")),
        expect(clippy::unused_async, reason = "memory is there at once")
    )]
    pub async fn open(&self) -> Result<Arc<dyn ChallengeStore>, String> {
        let opened: Opened = match self.kind {
            Kind::Memory => Ok(Arc::new(MemoryStore::new())),
            #[cfg(feature = "redis")]
            Kind::Redis => redis::open(&self.url).await,
            #[cfg(feature = "redis")]
            Kind::RedisCluster => redis::open_cluster(&self.url).await,
            #[cfg(feature = "sqlx")]
            Kind::Postgres => sqlx::open_postgres(&self.url).await,
            #[cfg(feature = "sqlx")]
            Kind::MySql => sqlx::open_mysql(&self.url).await,
            #[cfg(feature = "sqlx")]
            Kind::Sqlite => sqlx::open_sqlite(&self.url).await,
        };
        opened.map_err(|error| format!("the store cannot be used: {error}").replace('\n', " "))
    }
}

type Opened = Result<Arc<dyn ChallengeStore>, Box<dyn std::error::Error + Send + Sync>>;

impl Default for StoreUrl {
    fn default() -> Self {
        Self { kind: Kind::Memory, url: "memory:".to_owned() }
    }
}

impl FromStr for StoreUrl {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        let kind = match url.split_once(':') {
            Some(("memory", "")) => Kind::Memory,
            #[cfg(feature = "redis")]
            Some(("redis", _)) => Kind::Redis,
            #[cfg(feature = "redis")]
            Some(("redis+cluster", _)) => Kind::RedisCluster,
            #[cfg(feature = "sqlx")]
            Some(("postgres" | "postgresql", _)) => Kind::Postgres,
            #[cfg(feature = "sqlx")]
            Some(("mysql" | "mariadb", _)) => Kind::MySql,
            #[cfg(feature = "sqlx")]
            Some(("sqlite", _)) => Kind::Sqlite,
            // Not the rest of it: that can be a password.
            scheme => {
                let scheme = scheme.map_or("", |(scheme, _)| scheme);
                return Err(format!("this server was built with no store for {scheme:?} URLs"));
            }
        };
        Ok(Self { kind, url: url.to_owned() })
    }
}

/// Without what follows the scheme: that can be a password.
impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreUrl({:?})", self.kind)
    }
}
