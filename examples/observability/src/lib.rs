//! The axum example with metrics for Prometheus and logs in JSON.
//!
//! What a server needs for both stands here. The rest is for show: [`Traffic`] plays honest clients and attacks against
//! it, and [`Flawed`] is a store that is slow now and then and fails now and then.

mod flawed;
mod options;
mod traffic;

use std::io;
use std::time::Duration;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

pub use flawed::Flawed;
pub use options::Options;
pub use traffic::Traffic;

/// The upper limits of the histogram's buckets, in seconds: from a store in memory to the longest time-out that makes
/// sense, some two for each doubling where a store on the network answers.
pub const BUCKETS: [f64; 14] =
    [0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Installs the recorder: from here on the layer's metrics are kept for Prometheus to scrape. Once in a program.
///
/// # Errors
///
/// When there is a recorder already.
pub fn install_recorder() -> Result<PrometheusHandle, BuildError> {
    // Without buckets it would be a summary, whose quantiles cannot be added up over servers.
    let store = Matcher::Full("pkce_store_call_duration_seconds".to_owned());
    let handle = PrometheusBuilder::new().set_buckets_for_metric(store, &BUCKETS)?.install_recorder()?;
    pkce_tower::describe_metrics();
    Ok(handle)
}

/// `GET /metrics`: for a listener that only Prometheus reaches. The counts tell a stranger how an attack goes.
pub fn metrics(handle: PrometheusHandle) -> Router {
    let scrape = || async move { ([(CONTENT_TYPE, "text/plain; version=0.0.4")], handle.render()) };
    Router::new().route("/metrics", get(scrape))
}

/// Takes what was measured into the buckets, for ever: else it would pile up while nobody scrapes.
pub async fn keep_up(handle: PrometheusHandle) {
    loop {
        tokio::time::sleep(Duration::from_secs(5)).await;
        handle.run_upkeep();
    }
}

/// Logs to stderr: each event of PKCE from this level on is a line of JSON, and nothing else is.
pub fn start_logging(level: LevelFilter) {
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(io::stderr);
    let pkce = Targets::new().with_target("pkce", level);
    tracing_subscriber::registry().with(lines.with_filter(pkce)).init();
}

/// The guide's examples, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/observability.md")]
mod guide {}
