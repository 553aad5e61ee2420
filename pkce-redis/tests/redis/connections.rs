//! Connections that are cut, answers that are lost, and a server that hangs.

use std::time::{Duration, Instant};

use pkce_core::Pkce;
use pkce_core::store::{ChallengeStore as _, Inserted, StoreErrorKind};
use pkce_redis::{ReconnectingConnection, RedisStore};
use pkce_test_servers::{Proxy, Redis};
use redis::AsyncConnectionConfig;
use tokio::runtime::Runtime;
use tokio::time::timeout;

use crate::load::load;
use crate::support::{Found, attempt, bind, binding, code, living, managed_store, recovered, redeem, store};

const FAULT: Found = Found::Fault(StoreErrorKind::Unavailable);

/// The redemption happened, and its reply was lost. Sent again under its own ticket it is the same redemption. The
/// client's next attempt has another ticket, and has to start over.
#[tokio::test(flavor = "multi_thread")]
async fn a_redemption_whose_reply_was_lost_is_the_same_when_sent_again_and_nobody_elses() {
    let Some(redis) = Redis::start() else { return };
    let proxy = Proxy::to(redis.port());
    let (through, direct) = (store(proxy.port()), store(redis.port()));
    // Redis knows the script from here on; otherwise the lost reply would be `NOSCRIPT`.
    assert_eq!(redeem(&through, &bind(&direct).await, &attempt()).await, Found::First);
    let (code, lost) = (bind(&direct).await, attempt());
    proxy.lose_answers();
    assert_eq!(redeem(&through, &code, &lost).await, FAULT);
    assert_eq!(redeem(&direct, &code, &attempt()).await, Found::Again);
    proxy.resume();
    recovered(&through).await;
    assert_eq!(redeem(&through, &code, &lost).await, Found::First);
    assert_eq!(redeem(&through, &code, &attempt()).await, Found::Again);

    // The core does not send it again, but may restore what it knows to have failed.
    direct.restore(&code, lost.ticket()).await.unwrap();
    assert_eq!(redeem(&direct, &code, &attempt()).await, Found::First);
    // A restore that arrives twice, late, restores nothing.
    direct.restore(&code, lost.ticket()).await.unwrap();
    assert_eq!(redeem(&direct, &code, &attempt()).await, Found::Again);
}

/// The client of a Cluster sends again what was not answered.
#[tokio::test(flavor = "multi_thread")]
async fn an_insert_whose_reply_was_lost_is_the_same_when_sent_again_and_nobody_elses() {
    let Some(redis) = Redis::start() else { return };
    let proxy = Proxy::to(redis.port());
    let through = store(proxy.port());
    let (code, binding) = (code(), binding());
    proxy.lose_answers();
    assert_eq!(through.insert(&code, &binding).await.unwrap_err().kind(), StoreErrorKind::Unavailable);
    proxy.resume();
    recovered(&through).await;
    assert_eq!(through.insert(&code, &binding).await.unwrap(), Inserted::Recorded);
    let other = living(Duration::from_secs(61));
    assert_eq!(through.insert(&code, &other).await.unwrap(), Inserted::Occupied);
    assert_eq!(redeem(&through, &code, &attempt()).await, Found::First);
    assert_eq!(through.insert(&code, &binding).await.unwrap(), Inserted::Occupied);
    assert_eq!(redeem(&through, &code, &attempt()).await, Found::Again);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_cut_again_and_again_serve_no_code_twice() {
    let Some(redis) = Redis::start() else { return };
    let proxy = Proxy::to(redis.port());
    let (through, direct) = (store(proxy.port()), store(redis.port()));
    let (mut firsts, mut faults) = (0, 0);
    for round in 0..8 {
        let mut racers = Vec::new();
        for _ in 0..500 {
            let (store, code) = (through.clone(), bind(&direct).await);
            racers.push(async move { (code, redeem(&store, &code, &attempt()).await) });
        }
        let racers: Vec<_> = racers.into_iter().map(tokio::spawn).collect();
        tokio::time::sleep(Duration::from_millis(2 * round)).await;
        proxy.cut();
        for racer in racers {
            let (code, found) = racer.await.unwrap();
            let later = redeem(&direct, &code, &attempt()).await;
            match found {
                Found::First => {
                    firsts += 1;
                    assert_eq!(later, Found::Again);
                }
                FAULT => {
                    // Whether it arrived or not: nobody was served, so one may be served now.
                    faults += 1;
                    assert!(matches!(later, Found::First | Found::Again), "{later:?}");
                }
                found => panic!("{found:?}"),
            }
            assert_eq!(redeem(&direct, &code, &attempt()).await, Found::Again);
        }
        recovered(&through).await;
    }
    println!(
        "of 4000 redemptions over a connection that was cut eight times {firsts} were answered, {faults} were not"
    );
    assert!(firsts > 0 && faults > 0, "{firsts} first, {faults} faults");
}

/// The connection's response time-out ends the call.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_is_an_error_in_time_and_works_again_when_it_is_back() {
    let Some(redis) = Redis::start() else { return };
    let client = redis::Client::open(redis.url()).unwrap();
    let reconnecting = RedisStore::new(ReconnectingConnection::with_client(client));
    let managed = managed_store(redis.port()).await;
    let (code, lost) = (bind(&managed).await, attempt());
    assert_eq!(redeem(&reconnecting, &bind(&reconnecting).await, &attempt()).await, Found::First);

    redis.pause();
    let began = Instant::now();
    let calls = async {
        (redeem(&managed, &code, &lost).await, reconnecting.insert(&code, &binding()).await.unwrap_err().kind())
    };
    let said = timeout(Duration::from_secs(2), calls).await.expect("answers within the policy's time-out");
    assert_eq!(said, (FAULT, StoreErrorKind::Unavailable));
    assert!(began.elapsed() >= Duration::from_millis(400), "it hung");
    redis.resume();

    recovered(&managed).await;
    recovered(&reconnecting).await;
    // It had arrived, and was executed when the server went on.
    assert_eq!(redeem(&managed, &code, &attempt()).await, Found::Again);
    assert_eq!(redeem(&managed, &code, &lost).await, Found::First);
}

/// The policy's time-out ends the call if nothing else does, in a process without an adapter too.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_is_an_error_in_time_without_a_layer_and_without_a_response_time_out() {
    let Some(redis) = Redis::start() else { return };
    let client = redis::Client::open(redis.url()).unwrap();
    let pkce = Pkce::new(RedisStore::new(ReconnectingConnection::new(move || {
        let client = client.clone();
        let endless = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        async move { client.get_multiplexed_async_connection_with_config(&endless).await }
    })));
    let verifier = "a".repeat(43);
    let unknown = pkce.redeem("code", Some(&verifier)).await.unwrap_err();
    assert_eq!(unknown.status(), 400);
    redis.pause();
    let redeeming = timeout(Duration::from_secs(10), pkce.redeem("code", Some(&verifier))).await;
    assert_eq!(redeeming.expect("ends in time").unwrap_err().status(), 503);
}

/// The call that has waited longest is the first to give up: if it made the connection, nobody would ever have one.
#[tokio::test(flavor = "multi_thread")]
async fn callers_that_give_up_do_not_keep_the_others_from_a_connection() {
    let Some(redis) = Redis::start() else { return };
    let codes = [bind(&store(redis.port())).await];
    let client = redis::Client::open(redis.url()).unwrap();
    let reconnecting = RedisStore::new(ReconnectingConnection::new(move || {
        let client = client.clone();
        async move {
            // A server at some distance, with TLS.
            tokio::time::sleep(Duration::from_millis(30)).await;
            client.get_multiplexed_async_connection().await
        }
    }));
    redis.pause();
    let hung = load(&reconnecting, &codes, Duration::from_secs(4)).await;
    assert_eq!(hung.answered, 0, "it hung");
    // Calls are still waiting when the server goes on.
    let (waiting, ()) = tokio::join!(load(&reconnecting, &codes, Duration::from_secs(6)), async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        redis.resume();
    });
    println!(
        "a server that hung for seven seconds: {hung:?}, then, in six seconds with three more of that, {waiting:?}"
    );
    assert!(waiting.answered > 150, "{waiting:?}");
}

/// A server may have a runtime for each thread, and the one that connects may end.
#[test]
fn a_connection_is_made_by_another_runtime_if_the_one_that_began_is_gone() {
    let Some(redis) = Redis::start() else { return };
    let client = redis::Client::open(redis.url()).unwrap();
    let store = RedisStore::new(ReconnectingConnection::new(move || {
        let client = client.clone();
        let patient = AsyncConnectionConfig::new().set_connection_timeout(None);
        async move { client.get_multiplexed_async_connection_with_config(&patient).await }
    }));
    let inserted = |runtime: &Runtime| {
        let (code, binding) = (code(), binding());
        runtime.block_on(async { timeout(Duration::from_secs(2), store.insert(&code, &binding)).await })
    };
    redis.pause();
    let first = Runtime::new().unwrap();
    assert!(inserted(&first).is_err(), "it hung");
    first.shutdown_background();
    redis.resume();
    let second = Runtime::new().unwrap();
    assert_eq!(inserted(&second).unwrap().unwrap(), Inserted::Recorded);
}
