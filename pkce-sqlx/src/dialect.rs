//! Which databases there are.

use crate::sql::Sql;

/// A database that [`SqlxStore`](crate::SqlxStore) knows, each by the feature of its name: `sqlx::Postgres`,
/// `sqlx::MySql` (MariaDB, too) and `sqlx::Sqlite`.
///
/// Sealed: nobody else can implement it, because a statement that is wrong serves a code twice. It is there for code
/// that is written once for all of them. For another database implement
/// [`ChallengeStore`](pkce_core::store::ChallengeStore) itself.
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
