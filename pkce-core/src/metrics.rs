//! The metrics: the events counted, and how long the store takes. Recorded by whatever recorder the host has installed
//! for the `metrics` crate, and by none if it has not.

use std::time::Duration;

use metrics::{Counter, Label, Level, Unit};

use crate::reason::Reason;
use crate::store_error::StoreErrorKind;

const EVENTS: &str = "pkce_events_total";
const STORE_CALLS: &str = "pkce_store_call_duration_seconds";

/// Gives the recorder the description and the unit of each metric, and sets the counts that alerts watch to zero: what
/// comes into being as 1 is no increase to Prometheus, so the first theft after a start would go unseen.
///
/// Call it once, after installing the recorder. The counts are those of the token requests refused for what a thief of
/// codes would cause or for a fault of the server, of the store's faults, and of codes that could not be bound.
pub fn describe_metrics() {
    metrics::describe_counter!(EVENTS, Unit::Count, "What PKCE made of the requests, by endpoint, outcome and reason.");
    metrics::describe_histogram!(
        STORE_CALLS,
        Unit::Seconds,
        "How long the challenge store took for a call, by verb and result."
    );
    for reason in Reason::OF_THIEVES.iter().chain(&Reason::OF_FAULTS) {
        counter(&[("endpoint", "token"), ("outcome", "rejected"), ("reason", reason.as_str())]).increment(0);
    }
    for verb in ["insert", "redeem", "restore"] {
        for kind in StoreErrorKind::ALL {
            let kind = kind.as_str();
            counter(&[("endpoint", "store"), ("outcome", "failed"), ("verb", verb), ("kind", kind)]).increment(0);
        }
    }
    counter(&[("endpoint", "bind"), ("outcome", "failed")]).increment(0);
}

pub(crate) fn count(labels: &[(&'static str, &'static str)]) {
    counter(labels).increment(1);
}

fn counter(labels: &[(&'static str, &'static str)]) -> Counter {
    let labels = labels.iter().map(|&(name, value)| Label::from_static_parts(name, value)).collect::<Vec<_>>();
    metrics::counter!(target: "pkce", level: Level::INFO, EVENTS, labels)
}

pub(crate) fn store_answered(verb: &'static str, fault: Option<StoreErrorKind>, took: Duration) {
    let result = fault.map_or("ok", StoreErrorKind::as_str);
    metrics::histogram!(target: "pkce", level: Level::INFO, STORE_CALLS, "verb" => verb, "result" => result)
        .record(took.as_secs_f64());
}
