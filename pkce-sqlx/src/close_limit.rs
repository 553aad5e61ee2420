//! How many connections may be closed in a period of time.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Allows a number of closed connections in each period, and no more until the next one begins.
#[derive(Debug)]
pub(crate) struct CloseLimit {
    period: Duration,
    current: Mutex<Option<Period>>,
}

#[derive(Debug)]
struct Period {
    since: Instant,
    closed: u32,
}

impl CloseLimit {
    pub(crate) const fn per(period: Duration) -> Self {
        Self { period, current: Mutex::new(None) }
    }

    /// Counts one more, if that is allowed.
    pub(crate) fn allows(&self, at_most: u32) -> bool {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let current = match &mut *current {
            Some(current) if current.since.elapsed() < self.period => current,
            over => over.insert(Period { since: Instant::now(), closed: 0 }),
        };
        let allowed = current.closed < at_most;
        current.closed += u32::from(allowed);
        allowed
    }
}

/// The limits of one store.
#[derive(Debug)]
pub(crate) struct CloseLimits {
    /// For calls that were dropped before the database responded: as many in a minute as the pool may have.
    ///
    /// That replaces all that lead to a machine that vanished. It is not more, because closing a connection does not
    /// cancel its statement on the server, and because clients that hang up must not make the server open
    /// connections all the time.
    pub(crate) dropped: CloseLimit,
    /// For connections to a server that was demoted: as many in a second as the pool may have.
    ///
    /// Closing such a connection leaves nothing running, because the server has responded. The period is short, because
    /// during a fail-over new connections may lead to the old server, too: at most a second after the address leads to
    /// the new one, every connection can be replaced once more.
    pub(crate) demoted: CloseLimit,
}

impl Default for CloseLimits {
    fn default() -> Self {
        Self { dropped: CloseLimit::per(Duration::from_secs(60)), demoted: CloseLimit::per(Duration::from_secs(1)) }
    }
}
