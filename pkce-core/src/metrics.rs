//! The metrics: the events counted, and how long the store takes. Recorded by whatever recorder the host has installed
//! for the `metrics` crate, and by none if it has not.

use std::time::Duration;

use metrics::{Label, Level, Unit};

use crate::store_error::StoreErrorKind;

const EVENTS: &str = "pkce_events_total";
const STORE_CALLS: &str = "pkce_store_call_duration_seconds";

/// Gives the recorder the description and the unit of each metric. Call it once, after installing the recorder;
/// without it the metrics are the same, without their help texts.
pub fn describe_metrics() {
    metrics::describe_counter!(EVENTS, Unit::Count, "What PKCE made of the requests, by endpoint, outcome and reason.");
    metrics::describe_histogram!(
        STORE_CALLS,
        Unit::Seconds,
        "How long the challenge store took for a call, by verb and result."
    );
}

pub(crate) fn count(labels: &[(&'static str, &'static str)]) {
    let labels = labels.iter().map(|&(name, value)| Label::from_static_parts(name, value)).collect::<Vec<_>>();
    metrics::counter!(target: "pkce", level: Level::INFO, EVENTS, labels).increment(1);
}

pub(crate) fn store_answered(verb: &'static str, fault: Option<StoreErrorKind>, took: Duration) {
    let result = fault.map_or("ok", StoreErrorKind::as_str);
    metrics::histogram!(target: "pkce", level: Level::INFO, STORE_CALLS, "verb" => verb, "result" => result)
        .record(took.as_secs_f64());
}
