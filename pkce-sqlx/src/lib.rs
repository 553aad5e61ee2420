//! The challenge store of `pkce-core` on PostgreSQL, MySQL, MariaDB and SQLite.

mod dialect;
mod failure;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
mod row;
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;
mod table_name;

pub use dialect::Dialect;
#[cfg(feature = "mysql")]
pub use mysql::{MYSQL_DDL, MySqlStore};
#[cfg(feature = "postgres")]
pub use postgres::{POSTGRES_DDL, PgStore};
#[cfg(feature = "sqlite")]
pub use sqlite::{SQLITE_DDL, SqliteStore};
pub use store::SqlxStore;
pub use table_name::{InvalidTableName, TableName};
