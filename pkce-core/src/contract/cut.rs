//! A call that is polled a few times and then dropped, as the core does when its client hangs up.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

use super::bound::Bound;
use super::case::Step;
use super::probe::Probe;
use super::sample::{self, Draft};

/// Where a call is cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    /// How often it is polled, at least once. It is polled again only when it was woken, so each poll takes it one wait
    /// further.
    pub(super) polls: usize,
    /// How long it is then left alone before it is dropped. What it sent is on its way, or answered and not read.
    pub(super) pause: Duration,
}

/// A call that makes no progress is dropped after this time.
const LONGEST: Duration = Duration::from_millis(50);

/// Shorter waits than this are spun, because the timer cannot measure them.
const SLEEPS: Duration = Duration::from_millis(2);

impl Cut {
    /// Returns the answer if the call was quicker than the cut.
    pub(super) async fn off<T>(self, call: impl Future<Output = Step<T>>) -> Option<Step<T>> {
        let mut call = pin!(call);
        let mut polls = 0;
        let answer = poll_fn(|context| {
            polls += 1;
            match call.as_mut().poll(context) {
                Poll::Ready(answer) => Poll::Ready(Some(answer)),
                Poll::Pending if polls >= self.polls => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        });
        let answer = timeout(LONGEST, answer).await.unwrap_or(None);
        if answer.is_none() {
            pause(self.pause).await;
        }
        answer
    }

    /// Returns the pauses to try with a store whose calls take `usual`.
    pub(super) fn pauses(usual: Duration) -> [Duration; 5] {
        [Duration::ZERO, usual / 2, usual, usual / 4, usual * 2].map(|pause| pause.min(LONGEST))
    }
}

async fn pause(length: Duration) {
    if length >= SLEEPS {
        return sleep(length).await;
    }
    let since = Instant::now();
    while since.elapsed() < length {
        yield_now().await;
    }
}

/// Measures how long a call takes at its quickest.
pub(super) async fn usual(probe: &Probe) -> Step<Duration> {
    let bound = Bound::new(probe, Draft::fresh()?.binding()?).await?;
    let mut usual = Duration::MAX;
    for _ in 0..6 {
        let since = Instant::now();
        bound.refused("a wrong proof", &sample::wrong()?).await?;
        usual = usual.min(since.elapsed());
    }
    Ok(usual)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_call_gets_one_wait_further_with_each_poll() {
        for polls in 1..=4 {
            let passed = AtomicUsize::new(0);
            let call = async {
                for _ in 0..3 {
                    yield_now().await;
                    passed.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            };
            let answer = Cut { polls, pause: Duration::ZERO }.off(call).await;
            assert_eq!(passed.load(Ordering::Relaxed), polls - 1);
            assert_eq!(answer, (polls == 4).then_some(Ok(())));
        }
    }

    #[tokio::test]
    async fn a_call_that_never_wakes_is_dropped_too() {
        let call = std::future::pending::<Step>();
        assert_eq!(Cut { polls: 2, pause: Duration::ZERO }.off(call).await, None);
    }
}
