//! Sentinel: the store follows the master.

use std::sync::Arc;
use std::time::Duration;

use pkce_redis::{ReconnectingConnection, RedisStore};
use pkce_test_servers::{MASTER, Redis, Sentinel};
use redis::sentinel::{SentinelClient, SentinelServerType};
use tokio::sync::Mutex;

use crate::replicas::pair;
use crate::support::{Found, attempt, bind, recovered, redeem, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_store_follows_the_master_that_sentinel_names_and_serves_no_code_twice() {
    let Some((mut master, replica)) = pair().await else { return };
    let Some(sentinel) = Sentinel::of(master.port()) else { return };
    let client =
        SentinelClient::build(vec![sentinel.url()], MASTER.to_owned(), None, SentinelServerType::Master).unwrap();
    let client = Arc::new(Mutex::new(client));
    let connection = ReconnectingConnection::new(move || {
        let client = Arc::clone(&client);
        async move { client.lock().await.get_async_connection().await }
    });
    let store = RedisStore::new(connection).wait_for_replicas(1, Duration::from_millis(300));
    recovered(&store).await;
    let (served, live) = (bind(&store).await, bind(&store).await);
    assert_eq!(redeem(&store, &served, &attempt()).await, Found::First);
    // Sentinel must know the replica before it can promote it.
    until("Sentinel knows the replica", || sentinel.replicas() == 1).await;

    // The replica does not know the script.
    assert_eq!((scripts(&master), scripts(&replica)), (1, 0));
    master.kill();
    // There is no replica left to wait for.
    let store = store.wait_for_replicas(0, Duration::ZERO);
    recovered(&store).await;
    assert_eq!(redeem(&store, &served, &attempt()).await, Found::Again);
    assert_eq!(redeem(&store, &live, &attempt()).await, Found::First);
    assert_eq!(scripts(&replica), 1);
}

/// The number of scripts that it knows.
fn scripts(redis: &Redis) -> usize {
    let info = redis.ask(&["INFO", "memory"]).unwrap();
    info.lines().find_map(|line| line.strip_prefix("number_of_cached_scripts:")?.parse().ok()).unwrap()
}
