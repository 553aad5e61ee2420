//! A connection from the pool for one attempt.

use std::ops::{Deref, DerefMut};

use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, Database, Pool};

use crate::close_limit::CloseLimits;
use crate::dialect::Dialect;
use crate::fault::{Failure, Fault};

/// A connection that returns to its pool when the attempt is over, by [`Lease::end`].
///
/// An attempt that is dropped before may be waiting for a response that never comes, because the machine at the other end
/// vanished. sqlx would wait for it, too, before it takes the connection back: without end, and the pool would have one
/// connection less. So the connection is closed, as far as [`CloseLimits`] allow.
pub(crate) struct Lease<'a, DB: Dialect> {
    connection: PoolConnection<DB>,
    limits: &'a CloseLimits,
    at_most: u32,
    is_over: bool,
}

impl<'a, DB: Dialect> Lease<'a, DB> {
    pub(crate) async fn of(pool: &Pool<DB>, limits: &'a CloseLimits) -> Result<Self, sqlx::Error> {
        let connection = pool.acquire().await?;
        Ok(Self { connection, limits, at_most: pool.options().get_max_connections(), is_over: false })
    }

    /// Ends the attempt: the database has responded, or the connection is known to be broken.
    ///
    /// A connection to a demoted server is closed; if the limit does not allow that, the failure is final. One with a
    /// prepared statement of no use forgets all of them.
    pub(crate) async fn end<T>(mut self, result: Result<T, Failure>) -> Result<T, Failure> {
        let result = match result {
            Err(Failure::Statement(error)) => Err(self.repaired(error).await),
            result => result,
        };
        self.is_over = true;
        result
    }

    async fn repaired(&mut self, error: sqlx::Error) -> Failure {
        match DB::fault(&error) {
            Fault::Demoted if !self.limits.demoted.allows(self.at_most) => return Failure::StillDemoted(error),
            Fault::Demoted => self.connection.close_on_drop(),
            Fault::Unprepared => {
                if let Err(error) = self.connection.clear_cached_statements().await {
                    return error.into();
                }
            }
            _ => {}
        }
        error.into()
    }
}

impl<DB: Dialect> Deref for Lease<'_, DB> {
    type Target = <DB as Database>::Connection;

    fn deref(&self) -> &Self::Target {
        &self.connection
    }
}

impl<DB: Dialect> DerefMut for Lease<'_, DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.connection
    }
}

impl<DB: Dialect> Drop for Lease<'_, DB> {
    fn drop(&mut self) {
        if !self.is_over && DB::IS_REMOTE && self.limits.dropped.allows(self.at_most) {
            self.connection.close_on_drop();
        }
    }
}
