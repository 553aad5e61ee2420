//! What the benchmarks share: measuring in pairs, reporting against a target, the requests, the rivals, the servers.

pub mod client;
pub mod paired;
pub mod plot;
pub mod process;
pub mod report;
pub mod requests;
pub mod rivals;
pub mod servers;
pub mod stores;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// What a future yields that is never pending: those of a store in memory are not.
///
/// # Panics
///
/// When it is pending.
#[expect(clippy::panic, reason = "there is nothing to measure then")]
pub fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(ready) => ready,
        Poll::Pending => panic!("a store in memory was pending"),
    }
}
