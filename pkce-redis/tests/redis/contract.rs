//! The contract suite, through two connections.

use std::time::Duration;

use pkce_core::contract::Contract;
use pkce_redis::{ReconnectingConnection, RedisStore};
use pkce_test_servers::Redis;

use crate::replicas::pair;
use crate::support::store;

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_keeps_the_contract() {
    let Some(redis) = Redis::start() else { return };
    let client = redis::Client::open(redis.url()).unwrap();
    let multiplexed = RedisStore::new(client.get_multiplexed_async_connection().await.unwrap());
    let contract = Contract::new(store(redis.port())).also_through(multiplexed);
    contract.live_codes(10_000).check().await.assert_passed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_speaks_the_newer_protocol_keeps_the_contract() {
    let Some(redis) = Redis::start() else { return };
    let client = redis::Client::open(format!("{}/?protocol=resp3", redis.url())).unwrap();
    let reconnecting = ReconnectingConnection::with_client(client.clone());
    let manager = RedisStore::new(client.get_connection_manager().await.unwrap());
    Contract::new(manager).also_through(RedisStore::new(reconnecting)).check().await.assert_passed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_whose_replica_is_waited_for_keeps_the_contract() {
    let Some((master, _replica)) = pair().await else { return };
    let store = || store(master.port()).wait_for_replicas(1, Duration::from_millis(900));
    Contract::new(store()).also_through(store()).check().await.assert_passed();
}
