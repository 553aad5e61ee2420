//! The store needs exactly the permissions that the crate's page lists.

use std::sync::Arc;
use std::time::Duration;

use pkce_core::store::{ChallengeStore, Inserted};
use pkce_redis::{ReconnectingConnection, RedisStore};
use pkce_test_servers::{MASTER, Redis, Sentinel};
use redis::RedisConnectionInfo;
use redis::cluster::ClusterClient;
use redis::sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType};
use tokio::sync::Mutex;

use crate::cluster::{ALONE, cluster};
use crate::replicas::pair;
use crate::support::{Found, attempt, bind, binding, code, key, redeem, words};

const STORE: &str = "~pkce:* +set +evalsha +eval +get +getrange +setrange +strlen +exists +wait";
const CLUSTER: [&str; 3] = ["+ping", "+cluster|slots", "+asking"];
const SENTINEL: &str = "+role";
const DATABASE: &str = "+select";

/// Replaces the user by one with these permissions and no others.
fn allow(redis: &Redis, further: &[&str]) {
    let user = ["ACL", "SETUSER", "codes", "reset", "on", ">secret"];
    let words: Vec<_> = user.into_iter().chain(STORE.split(' ')).chain(further.iter().copied()).collect();
    redis.ask(&words).unwrap();
}

/// Whether every verb works.
async fn works(store: &impl ChallengeStore) -> bool {
    let (code, attempt) = (code(), attempt());
    let binding = binding();
    store.insert(&code, &binding).await.is_ok_and(|inserted| inserted == Inserted::Recorded)
        // Once more, so that the existing record is read.
        && store.insert(&code, &binding).await.is_ok()
        && redeem(store, &code, &attempt).await == Found::First
        && store.restore(&code, attempt.ticket()).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_single_redis_the_store_needs_no_more_permissions_than_it_says() {
    let Some(redis) = Redis::start() else { return };
    allow(&redis, &[]);
    let url = |database| format!("redis://codes:secret@127.0.0.1:{}/{database}", redis.port());
    let client = redis::Client::open(url(0)).unwrap();
    let store = RedisStore::new(client.get_connection_manager().await.unwrap());
    assert!(works(&store).await);
    let waiting = store.wait_for_replicas(1, Duration::from_millis(1));
    let error = words(&waiting.redeem(&bind(&waiting).await, &attempt()).await.unwrap_err());
    assert!(error.contains("0 of 1 replicas"), "{error}");

    let other = redis::Client::open(url(1)).unwrap();
    assert!(other.get_multiplexed_async_connection().await.is_err());
    allow(&redis, &[DATABASE]);
    assert!(works(&RedisStore::new(other.get_multiplexed_async_connection().await.unwrap())).await);
}

/// The client sends `ASKING` only while a slot moves.
#[tokio::test(flavor = "multi_thread")]
async fn on_a_cluster_the_store_needs_the_permissions_that_it_says() {
    let _alone = ALONE.lock().await;
    let Some(cluster) = cluster().await else { return };
    let allow = |further: &[&str]| cluster.nodes().iter().for_each(|node| allow(node, further));
    let client = ClusterClient::builder(cluster.urls()).username("codes").password("secret");
    let client = client.response_timeout(Duration::from_secs(1)).retries(2).build().unwrap();
    allow(&CLUSTER);
    let store = RedisStore::new(client.get_async_connection().await.unwrap());
    for _ in 0..20 {
        assert!(works(&store).await);
    }
    let waiting = store.clone().wait_for_replicas(1, Duration::from_millis(500));
    assert_eq!(redeem(&waiting, &bind(&waiting).await, &attempt()).await, Found::First);

    let masters = cluster.masters();
    let (moving, binding) = (code(), binding());
    let slot = cluster.nodes()[0].ask(&["CLUSTER", "KEYSLOT", &key(&moving)]).unwrap();
    let has_it = |nth: &&usize| cluster.nodes()[**nth].ask(&["EXISTS", &key(&moving)]).is_ok();
    let from = &cluster.nodes()[*masters.iter().find(has_it).unwrap()];
    let to = &cluster.nodes()[*masters.iter().find(|nth| !has_it(nth)).unwrap()];
    to.ask(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from.ask(&["CLUSTER", "MYID"]).unwrap()]).unwrap();
    from.ask(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to.ask(&["CLUSTER", "MYID"]).unwrap()]).unwrap();
    assert_eq!(store.insert(&moving, &binding).await.unwrap(), Inserted::Recorded);
    assert_eq!(redeem(&store, &moving, &attempt()).await, Found::First);

    allow(&CLUSTER[..2]);
    assert!(store.insert(&moving, &binding).await.is_err(), "{} is not needed", CLUSTER[2]);
    // `PING` checks a connection. An error is an answer too, but then the client reconnects more often.
    let [ping, slots, asking] = CLUSTER;
    allow(&[slots, asking]);
    assert!(works(&RedisStore::new(client.get_async_connection().await.unwrap())).await);
    allow(&[ping, asking]);
    assert!(client.get_async_connection().await.is_err(), "{slots} is not needed");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_sentinel_the_store_needs_the_permissions_that_it_says() {
    let Some((master, _replica)) = pair().await else { return };
    let Some(sentinel) = Sentinel::of(master.port()) else { return };
    let user = RedisConnectionInfo::default().set_username("codes").set_password("secret");
    let user = SentinelNodeConnectionInfo::default().set_redis_connection_info(user);
    let connect = || {
        let (urls, user) = (vec![sentinel.url()], Some(user.clone()));
        let client = SentinelClient::build(urls, MASTER.to_owned(), user, SentinelServerType::Master).unwrap();
        let client = Arc::new(Mutex::new(client));
        RedisStore::new(ReconnectingConnection::new(move || {
            let client = Arc::clone(&client);
            async move { client.lock().await.get_async_connection().await }
        }))
    };
    allow(&master, &[]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!works(&connect()).await, "{SENTINEL} is not needed");
    allow(&master, &[SENTINEL]);
    assert!(works(&connect()).await);
}
