//! The databases.

use crate::sql::Sql;

/// A database that [`SqlxStore`](crate::SqlxStore) supports, each by the feature of its name: `sqlx::Postgres`,
/// `sqlx::MySql` (MariaDB too) and `sqlx::Sqlite`.
///
/// The trait is a bound for code that is written once for all of them. It is sealed, because a wrong statement serves a
/// code twice. For another database implement [`ChallengeStore`](pkce_core::store::ChallengeStore).
///
/// ```
/// use pkce_core::Pkce;
/// use pkce_sqlx::{Dialect, SqlxStore};
/// use sqlx::Pool;
///
/// fn pkce<DB: Dialect>(pool: Pool<DB>) -> Pkce {
///     Pkce::new(SqlxStore::new(pool))
/// }
/// ```
pub trait Dialect: Sql {}
