//! A server killed in the middle of redemptions. What is left after its restart: nothing without persistence, everything
//! that it answered with an append-only file, and an older state with snapshots alone.

use std::collections::HashMap;
use std::time::Duration;

use pkce_core::store::{ChallengeStore, CodeDigest};
use pkce_test_servers::Redis;

use crate::support::{Found, attempt, bind, recovered, redeem, store};

const CODES: usize = 400;

/// Two clients for each code, all at once; meanwhile the server is killed and started again.
/// Returns how often each code was served.
async fn killed_in_the_middle(redis: &mut Redis) -> HashMap<CodeDigest, usize> {
    let store = store(redis.port());
    let mut served = HashMap::new();
    let mut racers = Vec::new();
    for _ in 0..CODES {
        served.insert(bind(&store).await, 0);
    }
    for code in served.keys().flat_map(|code| [*code, *code]) {
        let store = store.clone();
        racers.push(tokio::spawn(async move { (code, redeem_until_answered(&store, &code).await) }));
    }
    let mut racers = racers.into_iter();
    for racer in racers.by_ref().take(CODES / 4) {
        let (code, found) = racer.await.unwrap();
        *served.entry(code).or_default() += usize::from(found == Found::First);
    }
    redis.kill();
    tokio::time::sleep(Duration::from_millis(50)).await;
    redis.restart();
    recovered(&store).await;
    for racer in racers {
        let (code, found) = racer.await.unwrap();
        *served.entry(code).or_default() += usize::from(found == Found::First);
    }
    served
}

/// As a client that tries again, each time with another attempt.
async fn redeem_until_answered(store: &impl ChallengeStore, code: &CodeDigest) -> Found {
    loop {
        match redeem(store, code, &attempt()).await {
            Found::Fault(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            found => return found,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_persistence_a_restart_forgets_every_code_and_serves_none_twice() {
    let Some(mut redis) = Redis::start() else { return };
    let served = killed_in_the_middle(&mut redis).await;
    assert!(served.values().all(|times| *times <= 1), "served twice");
    println!("killed without persistence: {} of {CODES} served", served.values().sum::<usize>());
    let store = store(redis.port());
    for code in served.keys() {
        assert_eq!(redeem(&store, code, &attempt()).await, Found::Unknown);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_an_append_only_file_a_restart_remembers_every_redemption() {
    // Deliberately not "everysec": while the disk is slow, Redis replies up to two seconds before it writes.
    let Some(mut redis) = Redis::start_with(&["--appendonly", "yes", "--appendfsync", "always"]) else { return };
    let served = killed_in_the_middle(&mut redis).await;
    assert!(served.values().all(|times| *times <= 1), "served twice");
    println!("killed with appendfsync always: {} of {CODES} served", served.values().sum::<usize>());
    let store = store(redis.port());
    for code in served.keys() {
        assert_eq!(redeem(&store, code, &attempt()).await, Found::Again);
    }
}

/// Why snapshots alone are not enough. The crate's page warns of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_alone_brings_back_a_code_that_was_redeemed_after_it() {
    let Some(mut redis) = Redis::start() else { return };
    let store = store(redis.port());
    let code = bind(&store).await;
    redis.ask(&["SAVE"]).unwrap();
    assert_eq!(redeem(&store, &code, &attempt()).await, Found::First);
    redis.restart();
    recovered(&store).await;
    assert_eq!(redeem(&store, &code, &attempt()).await, Found::First);
}
