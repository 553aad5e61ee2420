//! Prefixes, and how long a record is kept.

use std::time::Duration;

use pkce_core::store::{ChallengeStore as _, Inserted};
use pkce_test_servers::Redis;

use crate::support::{Found, attempt, bind, binding, code, key, living, redeem, store};

#[tokio::test(flavor = "multi_thread")]
async fn stores_with_different_prefixes_do_not_see_each_others_codes() {
    let Some(redis) = Redis::start() else { return };
    let one = store(redis.port());
    let other = one.clone().prefix("pkce:0").unwrap();
    let code = bind(&one).await;
    assert_eq!(redeem(&other, &code, &attempt()).await, Found::Unknown);
    assert_eq!(other.insert(&code, &binding()).await.unwrap(), Inserted::Recorded);
    let attempt_at_other = attempt();
    assert_eq!(redeem(&other, &code, &attempt_at_other).await, Found::First);
    one.restore(&code, attempt_at_other.ticket()).await.unwrap();
    assert_eq!(redeem(&other, &code, &attempt()).await, Found::Again);
    assert_eq!(redeem(&one, &code, &attempt()).await, Found::First);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_has_a_time_to_live_that_no_verb_prolongs() {
    let Some(redis) = Redis::start() else { return };
    let store = store(redis.port());
    let (code, attempt) = (code(), attempt());
    assert_eq!(store.insert(&code, &living(Duration::from_millis(2_500))).await.unwrap(), Inserted::Recorded);
    let left = || redis.ask(&["PTTL", &key(&code)]).unwrap().parse::<i64>().unwrap();
    let mut before = left();
    // Five seconds longer than the lifetime, for servers whose clocks are slow.
    assert!((7_000..=7_500).contains(&before), "{before}");
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(redeem(&store, &code, &attempt).await, Found::First);
        assert!((1..before).contains(&left()));
        before = left();
        assert_eq!(store.insert(&code, &binding()).await.unwrap(), Inserted::Occupied);
        store.restore(&code, attempt.ticket()).await.unwrap();
        assert!((1..=before).contains(&left()));
    }
    redis.ask(&["PEXPIRE", &key(&code), "1"]).unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(redeem(&store, &code, &attempt).await, Found::Unknown);
    store.restore(&code, attempt.ticket()).await.unwrap();
    assert_eq!(redis.ask(&["EXISTS", &key(&code)]).unwrap(), "0");
}

/// Redis gets a duration, so its clock need not be right. A binding that has expired by the host's clock is kept just as
/// long; the core knows that it has expired.
#[tokio::test(flavor = "multi_thread")]
async fn a_binding_that_is_over_already_is_kept_as_well() {
    let Some(redis) = Redis::start() else { return };
    let store = store(redis.port());
    let (code, binding) = (code(), living(Duration::from_millis(1)));
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert_eq!(store.insert(&code, &binding).await.unwrap(), Inserted::Recorded);
    assert_eq!(redeem(&store, &code, &attempt()).await, Found::First);
}
