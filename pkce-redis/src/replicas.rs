//! The replicas that must acknowledge a redemption before it counts.

use std::time::Duration;

use redis::Cmd;

/// Their number, and how long to wait for them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Replicas {
    pub(crate) number: u16,
    millis: u64,
}

impl Replicas {
    /// Rounds up to whole milliseconds, at least one: `WAIT` with 0 waits for ever.
    pub(crate) fn new(number: u16, timeout: Duration) -> Self {
        let millis = u64::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
        // Redis adds the time-out, a signed number, to the time of day.
        Self { number, millis: millis.clamp(1, 3_600_000) }
    }

    pub(crate) fn command(&self) -> Cmd {
        let mut command = redis::cmd("WAIT");
        command.arg(self.number).arg(self.millis);
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_always_ends() {
        for (timeout, millis) in [
            (Duration::ZERO, 1),
            (Duration::from_nanos(1), 1),
            (Duration::from_micros(1_500), 2),
            (Duration::from_millis(200), 200),
            (Duration::MAX, 3_600_000),
        ] {
            assert_eq!(Replicas::new(1, timeout).millis, millis);
        }
    }
}
