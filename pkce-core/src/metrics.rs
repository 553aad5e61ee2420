//! The metrics: the events counted, and how long the store takes. Recorded by whatever recorder the host has installed
//! for the `metrics` crate, and by none if it has not.

use std::time::Duration;

use metrics::{Level, Metadata, Unit, with_recorder};

use crate::reason::Reason;
use crate::series::{Pair, Series};
use crate::store::StoreErrorKind;

pub(crate) const EVENTS: &str = "pkce_events_total";
const STORE_CALLS: &str = "pkce_store_call_duration_seconds";

static METADATA: Metadata<'static> = Metadata::new("pkce", Level::INFO, Some("pkce_core"));

/// Gives the recorder the description and the unit of each metric, and sets the counts that alerts watch to zero:
/// Prometheus sees no increase in a counter that appears with the value 1, so it would miss the first theft after a
/// start.
///
/// Call it once, after installing the recorder. The counts are those of token requests rejected for what a
/// stolen code may cause or for a fault of the server, of the store's faults, and of codes that could not be bound.
pub fn describe_metrics() {
    metrics::describe_counter!(EVENTS, Unit::Count, "What PKCE made of the requests, by endpoint, outcome and reason.");
    metrics::describe_histogram!(
        STORE_CALLS,
        Unit::Seconds,
        "How long the challenge store took for a call, by verb and result."
    );
    let watched = Series::of(EVENTS);
    let zero = |labels: &[Pair]| count(&watched, labels, 0);
    for reason in Reason::OF_STOLEN_CODES.iter().chain(&Reason::OF_FAULTS) {
        zero(&[("endpoint", "token"), ("outcome", "rejected"), ("reason", reason.as_str())]);
    }
    for verb in ["insert", "redeem", "restore"] {
        for kind in StoreErrorKind::ALL {
            zero(&[("endpoint", "store"), ("outcome", "failed"), ("verb", verb), ("kind", kind.as_str())]);
        }
    }
    zero(&[("endpoint", "bind"), ("outcome", "failed")]);
}

/// Adds to the counter with these labels. Each place in the code has a list of its own.
pub(crate) fn count(series: &Series, labels: &[Pair], events: u64) {
    let key = series.key(labels);
    with_recorder(|recorder| recorder.register_counter(key, &METADATA).increment(events));
}

pub(crate) fn store_call_ended(verb: &'static str, fault: Option<StoreErrorKind>, took: Duration) {
    static SERIES: Series = Series::of(STORE_CALLS);
    let key = SERIES.key(&[("verb", verb), ("result", fault.map_or("ok", StoreErrorKind::as_str))]);
    with_recorder(|recorder| recorder.register_histogram(key, &METADATA).record(took.as_secs_f64()));
}
