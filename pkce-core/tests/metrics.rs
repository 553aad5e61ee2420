//! The metrics that are no counts of events: `events.rs` looks at those.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::Duration;

use common::metrics::scraped;
use common::{CODE, VERIFIER, WRONG, redeem, s256};
use pkce_core::store::{
    Attempt, Binding, ChallengeStore, CodeDigest, Inserted, Redemption, StoreError, Ticket, async_trait,
};
use pkce_core::{MemoryStore, Pkce, Policy};

fn in_runtime<T>(work: impl Future<Output = T>) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    scraped(|| runtime.block_on(work))
}

#[test]
fn every_call_of_the_store_is_timed_by_verb_and_result() {
    let pkce = Pkce::new(MemoryStore::builder().capacity(1).build());
    let scraped = in_runtime(async {
        pkce.bind(CODE, s256()).await.unwrap();
        assert!(pkce.bind("another", s256()).await.is_err());
        _ = redeem(&pkce, Some(WRONG)).await;
        _ = redeem(&pkce, Some(VERIFIER)).await;
    });
    for line in [
        "# TYPE pkce_store_call_duration_seconds histogram",
        "pkce_store_call_duration_seconds_count{verb=\"insert\",result=\"ok\"} 1",
        "pkce_store_call_duration_seconds_count{verb=\"insert\",result=\"full\"} 1",
        "pkce_store_call_duration_seconds_count{verb=\"redeem\",result=\"ok\"} 2",
    ] {
        assert!(scraped.lines().any(|found| found == line), "{line}\n{scraped}");
    }
}

struct Hung;

#[async_trait]
impl ChallengeStore for Hung {
    async fn insert(&self, _: &CodeDigest, _: &Binding) -> Result<Inserted, StoreError> {
        std::future::pending().await
    }

    async fn redeem(&self, _: &CodeDigest, _: &Attempt) -> Result<Redemption, StoreError> {
        std::future::pending().await
    }

    async fn restore(&self, _: &CodeDigest, _: Ticket) -> Result<(), StoreError> {
        std::future::pending().await
    }
}

#[test]
fn a_call_that_times_out_is_timed_with_the_time_out() {
    let policy = Policy::new().store_timeout(Duration::from_millis(50));
    let pkce = Pkce::builder(Hung).policy(policy).timer(tokio::time::sleep).build();
    let scraped = in_runtime(async { redeem(&pkce, Some(VERIFIER)).await.err() });
    // Buckets of up to 10 ms and up to a minute.
    for line in [
        "pkce_store_call_duration_seconds_bucket{verb=\"redeem\",result=\"timed_out\",le=\"0.01\"} 0",
        "pkce_store_call_duration_seconds_bucket{verb=\"redeem\",result=\"timed_out\",le=\"60\"} 1",
    ] {
        assert!(scraped.lines().any(|found| found == line), "{line}\n{scraped}");
    }
}

#[test]
fn every_metric_says_what_it_is() {
    let pkce = Pkce::new(MemoryStore::new());
    let scraped = in_runtime(async { pkce.bind(CODE, s256()).await.unwrap() });
    let help = scraped.lines().filter(|line| line.starts_with("# HELP pkce_"));
    assert_eq!(help.count(), 2, "{scraped}");
}

#[test]
fn what_alerts_watch_is_there_before_it_happens() {
    let pkce = Pkce::new(MemoryStore::builder().capacity(1).build());
    let untouched = scraped(|| ());
    let touched = in_runtime(async {
        pkce.bind(CODE, s256()).await.unwrap();
        assert!(pkce.bind("another", s256()).await.is_err());
        assert!(pkce.bind(CODE, s256()).await.is_err());
        _ = redeem(&pkce, Some(WRONG)).await;
    });
    let counts = |scraped: &str| scraped.lines().filter(|line| line.starts_with("pkce_events_total")).count();
    // Twelve reasons, three verbs with four faults each, and binding.
    assert_eq!(counts(&untouched), 25, "{untouched}");
    // They are the very counts that events increase; only `bind` `bound` is new.
    assert_eq!(counts(&touched), 26, "{touched}");
    for labels in [
        r#"endpoint="token",outcome="rejected",reason="verifier_mismatch""#,
        r#"endpoint="store",outcome="failed",verb="insert",kind="full""#,
        r#"endpoint="bind",outcome="failed""#,
    ] {
        for (count, scraped) in [(0, &untouched), (1, &touched)] {
            let line = format!("pkce_events_total{{{labels}}} {count}");
            assert!(scraped.lines().any(|found| found == line), "{line}\n{scraped}");
        }
    }
}
