//! Serves so many token requests to a client in the same process: what callgrind counts the instructions of.
//!
//! `token_endpoint_instructions ADAPTER VARIANT REQUESTS [recorded]`
//!
//! With the feature `metrics` the last word installs a recorder for Prometheus.

use std::error::Error;
use std::{env, process};

use pkce_benches::client::Client;
use pkce_benches::requests::{code, token_request};
use pkce_benches::servers::{self, Adapter, Variant};

/// Whatever the number of requests, so many are made ready, so that it does not count.
const READY: u64 = 4_096;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [adapter, variant, requests, recorded @ ..] = arguments.as_slice() else {
        return Err("usage: token_endpoint_instructions ADAPTER VARIANT REQUESTS [recorded]".into());
    };
    if !recorded.is_empty() {
        record()?;
    }
    let (adapter, variant): (Adapter, Variant) = (adapter.parse()?, variant.parse()?);
    let ready: Vec<_> = (1..READY).map(|nth| token_request(&code(nth))).collect();
    let mut client = Client::connect(servers::start(adapter, variant, 0..READY)?, 1, &code(0))?;
    client.send(ready.get(..requests.parse()?).ok_or("too many requests")?)?;
    process::exit(0);
}

/// With as many buckets as the example `observability` has.
#[cfg(feature = "metrics")]
fn record() -> Result<(), Box<dyn Error>> {
    const BUCKETS: [f64; 14] =
        [0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
    Ok(metrics_exporter_prometheus::PrometheusBuilder::new().set_buckets(&BUCKETS)?.install_recorder().map(drop)?)
}

#[cfg(not(feature = "metrics"))]
fn record() -> Result<(), Box<dyn Error>> {
    Err("it was built without the feature `metrics`".into())
}
