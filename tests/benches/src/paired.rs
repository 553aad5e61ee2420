//! Measuring two things against each other on a machine that does other things too.

use std::time::{Duration, Instant};

/// The median, over so many pairs, of what `ours` took by what `yardstick` took.
///
/// The two batches of a pair run one right after the other, in turn this one and that one first: what else the machine
/// does meanwhile slows both or spoils one pair. Each closure runs one batch and says how long it took.
pub fn ratio(pairs: usize, mut ours: impl FnMut() -> Duration, mut yardstick: impl FnMut() -> Duration) -> f64 {
    let (_warm, _up) = (ours(), yardstick());
    median((0..pairs).map(|pair| {
        let (ours, yardstick) = if pair % 2 == 0 {
            let first = ours();
            (first, yardstick())
        } else {
            let first = yardstick();
            (ours(), first)
        };
        ours.as_secs_f64() / yardstick.as_secs_f64()
    }))
}

/// How long so many calls take.
pub fn batch<T>(calls: usize, mut call: impl FnMut() -> T) -> Duration {
    let start = Instant::now();
    for _ in 0..calls {
        std::hint::black_box(call());
    }
    start.elapsed()
}

/// The middle one; not a number if there is none.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_that_was_disturbed_does_not_count() {
        let mut disturbances = [1, 1, 50, 1, 1, 1].iter().cycle();
        let ours = || Duration::from_micros(20 * disturbances.next().unwrap());
        assert!((ratio(5, ours, || Duration::from_micros(10)) - 2.0).abs() < 1e-9);
    }
}
