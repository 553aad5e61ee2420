//! The event of every outcome: a `tracing` event with a fixed set of fields and, with the feature `metrics`, a count with
//! the same. Never a code, verifier or challenge.
//!
//! The crate's documentation has the table of events. Only this file emits any.

use std::error::Error;
use std::time::Duration;
#[cfg(feature = "metrics")]
use std::time::Instant;

use tracing::{debug, error, info, warn};

use crate::clearance::ClearanceKind;
use crate::method::CodeChallengeMethod;
#[cfg(feature = "metrics")]
use crate::metrics;
use crate::reason::{ErrorCode, Reason};
#[cfg(feature = "metrics")]
use crate::series::Series;
use crate::settle::Settle;
use crate::store::StoreError;

/// Emits an event at a level, of an endpoint, with an outcome. Fields with a few fixed values follow, which are labels of
/// the count too; then, after a semicolon, a field with any value, which is no label.
macro_rules! event {
    ($level:ident, $endpoint:literal, $outcome:expr $(, $field:ident = $value:expr)* $(; $free:ident)?) => {{
        let outcome: &'static str = $outcome;
        $(let $field: &'static str = $value;)*
        #[cfg(feature = "metrics")]
        {
            static SERIES: Series = Series::of(metrics::EVENTS);
            metrics::count(&SERIES, &[("endpoint", $endpoint), ("outcome", outcome) $(, (stringify!($field), $field))*], 1);
        }
        $level!(target: "pkce", endpoint = $endpoint, outcome $(, $field)* $(, $free)?);
    }};
}

pub(crate) fn challenge(method: CodeChallengeMethod) {
    event!(debug, "authorization", "challenge", method = method.as_str());
}

pub(crate) fn no_challenge() {
    event!(debug, "authorization", "no_challenge");
}

pub(crate) fn no_code() {
    event!(debug, "authorization", "no_code");
}

pub(crate) fn authorization_tolerated(reason: Reason, client_id: Option<&str>) {
    event!(warn, "authorization", "tolerated", reason = reason.as_str(); client_id);
}

pub(crate) fn authorization_rejected(reason: Reason, client_id: Option<&str>) {
    event!(info, "authorization", "rejected", reason = reason.as_str(); client_id);
}

pub(crate) fn capture_rejected(reason: Reason, client_id: Option<&str>) {
    if reason.error() == ErrorCode::InvalidRequest {
        event!(info, "capture", "rejected", reason = reason.as_str(); client_id);
    } else {
        event!(error, "capture", "rejected", reason = reason.as_str(); client_id);
    }
}

pub(crate) fn capture_tolerated(reason: Reason, client_id: Option<&str>) {
    event!(warn, "capture", "tolerated", reason = reason.as_str(); client_id);
}

pub(crate) fn misconfigured(message: &'static str) {
    event!(error, "adapter", "misconfigured"; message);
}

pub(crate) fn metadata_advertised() {
    event!(debug, "metadata", "advertised");
}

pub(crate) fn metadata_signed() {
    event!(warn, "metadata", "signed");
}

pub(crate) fn metadata_untouched(why: &'static str) {
    event!(warn, "metadata", "untouched", why = why);
}

pub(crate) fn metadata_failed(why: &'static str) {
    event!(error, "metadata", "failed", why = why);
}

pub(crate) fn bound(method: &'static str, lifetime: Duration) {
    let lifetime_ms = millis(lifetime);
    event!(debug, "bind", "bound", method = method; lifetime_ms);
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

pub(crate) fn not_bound() {
    event!(warn, "bind", "tolerated", reason = Reason::ChallengeRequired.as_str());
}

/// The message of the error without its sources: a serialiser's message quotes the grant.
pub(crate) fn bind_failed(error: &str) {
    event!(error, "bind", "failed"; error);
}

pub(crate) fn preflight() {
    event!(debug, "token", "preflight");
}

pub(crate) fn cleared(kind: ClearanceKind, age: Option<Duration>) {
    let (name, age_ms) = (kind.as_str(), age.map(millis));
    match kind {
        ClearanceKind::Verified(method) => {
            event!(debug, "token", "cleared", clearance = name, method = method.as_str(); age_ms);
        }
        ClearanceKind::WithoutChallenge | ClearanceKind::OtherGrant => {
            event!(debug, "token", "cleared", clearance = name; age_ms);
        }
        ClearanceKind::Unverified(reason) => {
            event!(warn, "token", "tolerated", clearance = name, reason = reason.as_str(); age_ms);
        }
    }
}

pub(crate) fn rejected(reason: Reason) {
    let name = reason.as_str();
    if matches!(reason.error(), ErrorCode::TemporarilyUnavailable | ErrorCode::ServerError) {
        event!(error, "token", "rejected", reason = name);
    } else if Reason::OF_STOLEN_CODES.contains(&reason) {
        event!(warn, "token", "rejected", reason = name);
    } else {
        event!(info, "token", "rejected", reason = name);
    }
}

pub(crate) fn settled(settle: Settle) {
    let outcome = match settle {
        Settle::Keep => "kept",
        Settle::Restore => "restored",
    };
    event!(debug, "token", outcome);
}

/// A call of the store that has begun.
pub(crate) struct StoreCall {
    verb: &'static str,
    #[cfg(feature = "metrics")]
    begun: Instant,
}

impl StoreCall {
    pub(crate) fn begin(verb: &'static str) -> Self {
        Self {
            verb,
            #[cfg(feature = "metrics")]
            begun: Instant::now(),
        }
    }

    /// It has ended with this result, or timed out.
    pub(crate) fn end<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        #[cfg(feature = "metrics")]
        metrics::store_call_ended(self.verb, result.as_ref().err().map(StoreError::kind), self.begun.elapsed());
        if let Err(error) = &result {
            let (kind, error) = (error.kind().as_str(), chain(error));
            event!(error, "store", "failed", verb = self.verb, kind = kind; error);
        }
        result
    }
}

/// An error and all its sources.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
