//! Why a store could not do what it was asked.

use std::error::Error;
use std::fmt;

type Source = Box<dyn Error + Send + Sync>;

/// A store could not do, or cannot tell whether it did, what it was asked. The core refuses on every one.
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    source: Option<Source>,
}

/// Which kind of fault a [`StoreError`] is, for metrics and alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// It could not be reached, or it refused.
    Unavailable,
    /// It did not answer within [`Policy::store_timeout`](crate::Policy::store_timeout).
    TimedOut,
    /// It has no room for another live code.
    Full,
    /// It holds a record that was not written by it, or was changed since.
    InvalidRecord,
}

impl StoreErrorKind {
    #[cfg(feature = "metrics")]
    pub(crate) const ALL: [Self; 4] = [Self::Unavailable, Self::TimedOut, Self::Full, Self::InvalidRecord];

    /// Its name in events and metrics: `unavailable`, `timed_out`, `full` or `invalid_record`. Stable.
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
    /// The store could not be reached, or refused.
    pub fn unavailable(source: impl Into<Source>) -> Self {
        Self { kind: StoreErrorKind::Unavailable, source: Some(source.into()) }
    }

    /// A record cannot be parsed. It is never taken for a code without a challenge.
    pub fn invalid_record(source: impl Into<Source>) -> Self {
        Self { kind: StoreErrorKind::InvalidRecord, source: Some(source.into()) }
    }

    /// There is no room for another live code.
    pub const fn full() -> Self {
        Self { kind: StoreErrorKind::Full, source: None }
    }

    pub(crate) const fn timed_out() -> Self {
        Self { kind: StoreErrorKind::TimedOut, source: None }
    }

    /// Which kind of fault it is.
    pub const fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            StoreErrorKind::Unavailable => "the challenge store is unavailable",
            StoreErrorKind::TimedOut => "the challenge store did not answer in time",
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
