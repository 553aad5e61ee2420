//! What one load showed.

use std::time::Duration;

use pkce_benches::report;

/// The calls in a second, and the microseconds that one took: the median, and what 99 and 99.9 of a hundred do not exceed.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub(crate) rate: f64,
    p50: f64,
    pub(crate) p99: f64,
    p999: f64,
}

impl Load {
    /// Of calls that took these times, all of them in `whole`.
    pub(crate) fn of(mut times: Vec<Duration>, whole: Duration) -> Self {
        times.sort_unstable();
        let at = |per_mille: usize| {
            let time = times.get((times.len() * per_mille / 1_000).min(times.len() - 1)).unwrap();
            time.as_secs_f64() * 1e6
        };
        let calls = f64::from(u32::try_from(times.len()).unwrap());
        Self { rate: calls / whole.as_secs_f64(), p50: at(500), p99: at(990), p999: at(999) }
    }

    /// Prints a row of a table.
    pub(crate) fn print(&self, name: &str) {
        let Self { rate, p50, p99, p999 } = self;
        report::note(&format!("| {name} | {rate:.0} | {p50:.0} | {p99:.0} | {p999:.0} |"));
    }
}
