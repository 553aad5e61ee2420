//! The metrics, for Prometheus.

use std::time::Duration;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};

/// In seconds. Without buckets it would be a summary, whose quantiles cannot be added up over servers.
const BUCKETS: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0, 5.0];

/// Installs the recorder, and returns the server of `/metrics`.
pub(crate) fn router() -> Result<Router, String> {
    let store = Matcher::Full("pkce_store_call_duration_seconds".to_owned());
    let builder = PrometheusBuilder::new().set_buckets_for_metric(store, &BUCKETS);
    let handle = builder.and_then(PrometheusBuilder::install_recorder).map_err(|error| error.to_string())?;
    pkce_tower::pkce_core::describe_metrics();
    let upkeep = handle.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(5)).await;
            upkeep.run_upkeep();
        }
    });
    let scrape = || async move { ([(CONTENT_TYPE, "text/plain; version=0.0.4")], handle.render()) };
    Ok(Router::new().route("/metrics", get(scrape)))
}
