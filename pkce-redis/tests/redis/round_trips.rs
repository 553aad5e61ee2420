//! One round trip for each verb, two after Redis has lost its scripts.

use std::time::Duration;

use pkce_core::store::{ChallengeStore as _, Inserted};
use pkce_test_servers::Redis;

use crate::relay::Relay;
use crate::replicas::pair;
use crate::support::{Found, Monitor, attempt, bind, living, redeem, store};

#[tokio::test(flavor = "multi_thread")]
async fn each_verb_is_one_command_and_one_round_trip() {
    let Some(redis) = Redis::start() else { return };
    let relay = Relay::to(redis.port()).await;
    let store = store(relay.port());
    // Redis knows the scripts from here on.
    store.restore(&bind(&store).await, attempt().ticket()).await.unwrap();
    assert_eq!(redeem(&store, &bind(&store).await, &attempt()).await, Found::First);

    let (mut monitor, trips) = (Monitor::of(&redis), || relay.round_trips());
    let before = trips();
    let code = bind(&store).await;
    assert_eq!((monitor.commands(&redis), trips()), (vec!["SET".to_owned()], before + 1));
    let attempt = attempt();
    assert_eq!(redeem(&store, &code, &attempt).await, Found::First);
    assert_eq!((monitor.commands(&redis), trips()), (vec!["EVALSHA".to_owned()], before + 2));
    store.restore(&code, attempt.ticket()).await.unwrap();
    assert_eq!((monitor.commands(&redis), trips()), (vec!["EVALSHA".to_owned()], before + 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_insert_that_finds_a_record_takes_a_second_round_trip_to_read_it() {
    let Some(redis) = Redis::start() else { return };
    let relay = Relay::to(redis.port()).await;
    let store = store(relay.port());
    let code = bind(&store).await;
    let (mut monitor, before) = (Monitor::of(&redis), relay.round_trips());
    assert_eq!(store.insert(&code, &living(Duration::from_secs(61))).await.unwrap(), Inserted::Occupied);
    assert_eq!((monitor.commands(&redis), relay.round_trips()), (vec!["SET".to_owned(), "GET".to_owned()], before + 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_that_redis_has_lost_take_one_more_round_trip_once() {
    let Some(redis) = Redis::start() else { return };
    let relay = Relay::to(redis.port()).await;
    let store = store(relay.port());
    let (code, attempt) = (bind(&store).await, attempt());
    for _ in 0..2 {
        redis.ask(&["SCRIPT", "FLUSH"]).unwrap();
        let mut monitor = Monitor::of(&redis);
        let mut before = relay.round_trips();
        for trips in [2, 1] {
            assert_eq!(redeem(&store, &code, &attempt).await, Found::First);
            assert_eq!(relay.round_trips() - before, trips);
            before = relay.round_trips();
        }
        assert_eq!(monitor.commands(&redis), ["EVALSHA", "EVAL", "EVALSHA"]);
        for trips in [2, 1] {
            store.restore(&code, attempt.ticket()).await.unwrap();
            assert_eq!(relay.round_trips() - before, trips);
            before = relay.round_trips();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_for_replicas_takes_no_further_round_trip() {
    let Some((master, _replica)) = pair().await else { return };
    let relay = Relay::to(master.port()).await;
    let store = store(relay.port()).wait_for_replicas(1, Duration::from_millis(900));
    for trips in [2, 1] {
        let code = bind(&store).await;
        let before = relay.round_trips();
        assert_eq!(redeem(&store, &code, &attempt()).await, Found::First);
        assert_eq!(relay.round_trips() - before, trips);
    }
    let mut monitor = Monitor::of(&master);
    let code = bind(&store).await;
    assert_eq!(redeem(&store, &code, &attempt()).await, Found::First);
    assert_eq!(
        monitor.commands(&master).iter().filter(|name| *name != "REPLCONF" && *name != "PING").collect::<Vec<_>>(),
        ["SET", "EVALSHA", "WAIT"]
    );
}
