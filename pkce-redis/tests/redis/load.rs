//! A steady load of calls that are given up after two seconds, as the core's are.

use std::time::{Duration, Instant};

use pkce_core::store::{ChallengeStore, CodeDigest};
use tokio::time::{interval, timeout};

use crate::support::{Found, attempt, redeem};

/// The results of the calls.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) answered: usize,
    pub(crate) failed: usize,
}

/// Redeems these codes in turn, a hundred times a second, for `length`.
pub(crate) async fn load<S: ChallengeStore + Clone>(store: &S, codes: &[CodeDigest], length: Duration) -> Load {
    let began = Instant::now();
    let mut tick = interval(Duration::from_millis(10));
    let mut calls = Vec::new();
    for code in codes.iter().cycle() {
        if began.elapsed() >= length {
            break;
        }
        tick.tick().await;
        let (store, code) = (store.clone(), *code);
        calls.push(tokio::spawn(async move {
            let found = timeout(Duration::from_secs(2), redeem(&store, &code, &attempt())).await;
            matches!(found, Ok(Found::First | Found::Again))
        }));
    }
    let mut load = Load::default();
    for call in calls {
        if call.await.unwrap() {
            load.answered += 1;
        } else {
            load.failed += 1;
        }
    }
    load
}
