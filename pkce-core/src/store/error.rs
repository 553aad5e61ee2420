//! Why a call of a store failed.

use std::error::Error;
use std::fmt;

type Source = Box<dyn Error + Send + Sync>;

/// A call of a store failed, or it is not known whether it succeeded. The request is rejected.
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    source: Option<Source>,
}

/// Which kind of fault a [`StoreError`] is, for metrics and alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The store could not be reached, or rejected the call.
    Unavailable,
    /// The store did not respond within [`Policy::store_timeout`](crate::Policy::store_timeout).
    TimedOut,
    /// The store has no room for another live code.
    Full,
    /// The store holds a record that it did not write, or that was changed since.
    InvalidRecord,
}

impl StoreErrorKind {
    #[cfg(feature = "metrics")]
    pub(crate) const ALL: [Self; 4] = [Self::Unavailable, Self::TimedOut, Self::Full, Self::InvalidRecord];

    /// Returns its name in events and metrics: `unavailable`, `timed_out`, `full` or `invalid_record`. Stable.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::TimedOut => "timed_out",
            Self::Full => "full",
            Self::InvalidRecord => "invalid_record",
        }
    }
}

impl StoreError {
    /// Creates an error of a store that could not be reached, or rejected the call.
    pub fn unavailable(source: impl Into<Source>) -> Self {
        Self { kind: StoreErrorKind::Unavailable, source: Some(source.into()) }
    }

    /// Creates an error for a record that cannot be parsed. It is never taken for a code without a challenge.
    pub fn invalid_record(source: impl Into<Source>) -> Self {
        Self { kind: StoreErrorKind::InvalidRecord, source: Some(source.into()) }
    }

    /// Creates an error of a store that has no room for another live code.
    pub const fn full() -> Self {
        Self { kind: StoreErrorKind::Full, source: None }
    }

    pub(crate) const fn timed_out() -> Self {
        Self { kind: StoreErrorKind::TimedOut, source: None }
    }

    /// Returns the kind of the fault.
    pub const fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            StoreErrorKind::Unavailable => "the challenge store is unavailable",
            StoreErrorKind::TimedOut => "the challenge store did not respond in time",
            StoreErrorKind::Full => "the challenge store is full",
            StoreErrorKind::InvalidRecord => "the challenge store holds an invalid record",
        })
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn Error + 'static))
    }
}
