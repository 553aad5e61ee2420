//! The databases under test: one server of each kind for the whole run, a table of its own for each test.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use std::{env, fs, process};

use pkce_core::store::CodeDigest;
use pkce_sqlx::TableName;
use pkce_test_servers::{MariaDb, Postgres, Proxy};
use sqlx::Executor as _;
use sqlx::mysql::MySqlPoolOptions;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};

use crate::pool::{Pool, Store};

/// One of the databases, a table in it, and how to connect.
pub(crate) struct Database {
    pub(crate) name: &'static str,
    pub(crate) table: TableName,
    pub(crate) address: String,
    /// What is sent first on every connection to a server.
    pub(crate) on_connect: Option<&'static str>,
    pub(crate) test_before_acquire: bool,
    _directory: Option<Directory>,
}

impl Database {
    /// `None` if it is not installed here.
    pub(crate) fn postgres() -> Option<Self> {
        static SERVER: OnceLock<Option<Postgres>> = OnceLock::new();
        SERVER.get_or_init(Postgres::start).as_ref().map(|server| Self::at("PostgreSQL", server.url()))
    }

    /// `None` if it is not installed here.
    pub(crate) fn mariadb() -> Option<Self> {
        static SERVER: OnceLock<Option<MariaDb>> = OnceLock::new();
        SERVER.get_or_init(MariaDb::start).as_ref().map(|server| Self::at("MariaDB", server.url()))
    }

    /// A file in a directory of its own.
    #[expect(clippy::unnecessary_wraps, reason = "as the others")]
    pub(crate) fn sqlite() -> Option<Self> {
        let directory = Directory::new();
        let address = directory.0.join("codes.db").to_str().unwrap().to_owned();
        Some(Self { _directory: Some(directory), ..Self::at("SQLite", address) })
    }

    /// A fresh table at this address.
    pub(crate) fn at(name: &'static str, address: String) -> Self {
        let table = fresh_table();
        Self { name, table, address, on_connect: None, test_before_acquire: true, _directory: None }
    }

    /// From now on the connections go through a proxy.
    pub(crate) fn by_proxy(&mut self) -> Proxy {
        let (before, rest) = self.address.split_once("127.0.0.1:").unwrap();
        let (port, after) = rest.split_once('/').unwrap();
        let proxy = Proxy::to(port.parse().unwrap());
        self.address = format!("{before}127.0.0.1:{}/{after}", proxy.port());
        proxy
    }

    /// A pool of ten connections, as a server has one.
    pub(crate) async fn pool(&self) -> Pool {
        self.pool_of(10).await
    }

    pub(crate) async fn pool_of(&self, connections: u32) -> Pool {
        let (patience, test) = (Duration::from_secs(20), self.test_before_acquire);
        match self.name {
            "PostgreSQL" => {
                let options = PgPoolOptions::new().max_connections(connections).acquire_timeout(patience);
                let first = self.on_connect;
                let options = options.after_connect(move |connection, _| {
                    Box::pin(async move {
                        if let Some(first) = first {
                            connection.execute(first).await?;
                        }
                        Ok(())
                    })
                });
                Pool::Postgres(options.test_before_acquire(test).connect(&self.address).await.unwrap())
            }
            "MariaDB" => {
                let options = MySqlPoolOptions::new().max_connections(connections).acquire_timeout(patience);
                let first = self.on_connect.unwrap_or("DO 0");
                let options = options.after_connect(move |connection, _| {
                    Box::pin(async move { connection.execute(first).await.map(drop) })
                });
                Pool::MySql(options.test_before_acquire(test).connect(&self.address).await.unwrap())
            }
            _ => {
                let options = SqlitePoolOptions::new().max_connections(connections).acquire_timeout(patience);
                let file = SqliteConnectOptions::new().filename(&self.address).create_if_missing(true);
                let file = file.journal_mode(SqliteJournalMode::Wal).busy_timeout(patience);
                Pool::Sqlite(options.test_before_acquire(test).connect_with(file).await.unwrap())
            }
        }
    }

    /// The store in this table, in a pool of its own; the table exists.
    pub(crate) async fn store(&self) -> Arc<dyn Store> {
        let store = self.pool().await.store(&self.table);
        store.create_table().await.unwrap();
        store
    }

    /// The name of another schema than the connection's own, where there are such.
    pub(crate) async fn another_schema(&self) -> String {
        let schema = format!("other_{}", unique());
        match self.name {
            "PostgreSQL" => self.pool_of(1).await.send(&format!("CREATE SCHEMA {schema}")).await,
            "MariaDB" => self.pool_of(1).await.send(&format!("CREATE DATABASE {schema}")).await,
            _ => return "main".to_owned(),
        };
        schema
    }

    /// Bytes as an SQL literal.
    pub(crate) fn literal(&self, bytes: &[u8]) -> String {
        let hex = hex(bytes);
        if self.name == "PostgreSQL" { format!("'\\x{hex}'::bytea") } else { format!("X'{hex}'") }
    }

    /// Changes the row of a code as nobody should. `BYTE` is a single byte, `NOTHING` none.
    pub(crate) async fn change(&self, pool: &Pool, code: &CodeDigest, slip: &str) -> Result<u64, sqlx::Error> {
        let slip = slip.replace("BYTE", &self.literal(&[7])).replace("NOTHING", &self.literal(&[]));
        let code = self.literal(code.as_bytes());
        pool.try_send(&format!("UPDATE {} SET {slip} WHERE code_digest = {code}", self.table)).await
    }
}

/// Bytes in lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// A table that no other test has.
pub(crate) fn fresh_table() -> TableName {
    format!("codes_{}", unique()).parse().unwrap()
}

/// A directory that is removed with what is in it.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let path = env::temp_dir().join(format!("pkce-sqlx-{}-{}", process::id(), unique()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn unique() -> u32 {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

/// Makes of each body that takes a [`Database`] a test on a server of each kind.
macro_rules! on_every_server {
    ($($test:ident)*) => {
        crate::database::on!(postgres: $($test)*);
        crate::database::on!(mariadb: $($test)*);
    };
}

/// The same, and on a file of SQLite.
macro_rules! on_every_database {
    ($($test:ident)*) => {
        crate::database::on_every_server!($($test)*);
        crate::database::on!(sqlite: $($test)*);
    };
}

macro_rules! on {
    ($database:ident: $($test:ident)*) => {
        mod $database {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                if let Some(database) = crate::database::Database::$database() {
                    super::$test(database).await;
                }
            })*
        }
    };
}

pub(crate) use {on, on_every_database, on_every_server};
