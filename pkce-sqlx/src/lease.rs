//! A connection from the pool for one attempt, and what becomes of it when the attempt is dropped half-way.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::{Database, Pool};

use crate::dialect::Dialect;

/// A connection that goes back to its pool when the attempt is over, with [`Lease::end`].
///
/// An attempt that is dropped before may have waited for an answer that never comes, because the machine behind the connection
/// vanished. sqlx would wait for it, too, before it takes the connection back: without end, and the pool would have one
/// connection less. So the connection is closed, as far as [`Closings`] allow.
pub(crate) struct Lease<'a, DB: Dialect> {
    connection: PoolConnection<DB>,
    closings: &'a Closings,
    at_most: u32,
    is_over: bool,
}

impl<'a, DB: Dialect> Lease<'a, DB> {
    pub(crate) async fn of(pool: &Pool<DB>, closings: &'a Closings) -> Result<Self, sqlx::Error> {
        let connection = pool.acquire().await?;
        Ok(Self { connection, closings, at_most: pool.options().get_max_connections(), is_over: false })
    }

    /// The database has answered, or the connection is known to be broken.
    pub(crate) fn end(mut self) {
        self.is_over = true;
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
        if !self.is_over && DB::IS_REMOTE && self.closings.allow(self.at_most) {
            self.connection.close_on_drop();
        }
    }
}

/// How many connections were closed lately: at most as many as the pool may have, in each minute.
///
/// That is enough for all that a machine takes along when it vanishes. It is no more, because what is closed here may go on
/// over there, as long as a statement waits for a lock, say; and because clients who hang up could otherwise have the
/// server make connections all the time.
#[derive(Debug, Default)]
pub(crate) struct Closings(Mutex<Option<Minute>>);

#[derive(Debug)]
struct Minute {
    since: Instant,
    closed: u32,
}

impl Closings {
    const PERIOD: Duration = Duration::from_mins(1);

    fn allow(&self, at_most: u32) -> bool {
        let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = match &mut *minute {
            Some(minute) if minute.since.elapsed() < Self::PERIOD => minute,
            over => over.insert(Minute { since: Instant::now(), closed: 0 }),
        };
        let allowed = minute.closed < at_most;
        minute.closed += u32::from(allowed);
        allowed
    }
}
