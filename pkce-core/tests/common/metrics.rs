//! What Prometheus would scrape, and what it has to be.

use std::collections::BTreeMap;

use metrics::with_local_recorder;
use metrics_exporter_prometheus::PrometheusBuilder;
use pkce_core::describe_metrics;

/// The labels of a count, and the count.
type Counts = BTreeMap<BTreeMap<String, String>, u64>;

/// What Prometheus would scrape after some work.
pub(crate) fn scraped<T>(work: impl FnOnce() -> T) -> String {
    let recorder = PrometheusBuilder::new().set_buckets(&[0.01, 60.0]).unwrap().build_recorder();
    with_local_recorder(&recorder, || {
        describe_metrics();
        work();
    });
    recorder.handle().render()
}

/// The counts of events in what was scraped, but for those that were set to zero and stayed there.
pub(crate) fn counts(scraped: &str) -> Counts {
    let lines = scraped.lines().filter_map(|line| line.strip_prefix("pkce_events_total{"));
    lines
        .map(|line| {
            let (labels, count) = line.rsplit_once("\"} ").unwrap();
            let labels = labels.split("\",").map(|label| label.split_once("=\"").unwrap());
            (labels.map(|(name, value)| (name.into(), value.into())).collect(), count.parse().unwrap())
        })
        .filter(|&(_, count)| count > 0)
        .collect()
}

/// The counts that belong to events as they are written down: all of their fields, but those that can have any value.
pub(crate) fn expected_of(events: &[String]) -> Counts {
    let mut counts = Counts::new();
    for event in events {
        let (_, fields) = event.split_once(" pkce ").unwrap();
        let mut labels = BTreeMap::<String, String>::new();
        let mut last = String::new();
        for word in fields.split(' ') {
            match word.split_once('=') {
                Some((name, value)) => {
                    last = name.into();
                    labels.insert(last.clone(), value.into());
                }
                None => labels.get_mut(&last).unwrap().extend([" ", word]),
            }
        }
        labels.retain(|name, _| !["age_ms", "client_id", "error", "lifetime_ms", "message"].contains(&name.as_str()));
        *counts.entry(labels).or_default() += 1;
    }
    counts
}
