//! Why a pool has no connection.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::{ConnectOptions as _, Connection as _, Pool};

use crate::dialect::Dialect;
use crate::report::Report;

/// Finds out why the pool gave no connection in time: sqlx tries again until then, and does not tell the reason.
///
/// It makes one connection beside the pool, at most once a second, and only after a call has waited in vain.
#[derive(Debug, Default)]
pub(crate) struct Probe(Mutex<Option<Finding>>);

#[derive(Debug)]
struct Finding {
    since: Instant,
    /// `None` while the connection is being made.
    reason: Option<Report>,
}

impl Probe {
    const PERIOD: Duration = Duration::from_secs(1);

    /// Returns why there was no connection.
    pub(crate) async fn reason<DB: Dialect>(&self, pool: &Pool<DB>) -> Report {
        if let Some(reason) = self.recent() {
            return reason;
        }
        let reason = match pool.connect_options().connect().await {
            Ok(connection) => {
                let _ = connection.close().await;
                "every connection of the pool is in use, and none became free within its acquire_timeout".into()
            }
            Err(error) => Report::of_connect(error),
        };
        if let Some(finding) = &mut *self.finding() {
            finding.reason = Some(reason.clone());
        }
        reason
    }

    /// Returns what was found in this second; `None` if nothing was looked for yet, which is then this caller's task.
    fn recent(&self) -> Option<Report> {
        match &mut *self.finding() {
            Some(finding) if finding.since.elapsed() < Self::PERIOD => {
                Some(finding.reason.clone().unwrap_or_else(|| Report::of_connect(sqlx::Error::PoolTimedOut)))
            }
            other => {
                *other = Some(Finding { since: Instant::now(), reason: None });
                None
            }
        }
    }

    fn finding(&self) -> MutexGuard<'_, Option<Finding>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
