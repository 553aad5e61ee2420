//! The contract suite, through two connections.

use std::time::Duration;

use pkce_core::contract::Contract;
use pkce_redis::{ReconnectingConnection, RedisStore};
use pkce_test_servers::Redis;
use redis::AsyncConnectionConfig;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};

use crate::replicas::pair;
use crate::support::Store;

/// The suite wants a reply to every call, on a busy machine too.
const RESPONSE: Option<Duration> = Some(Duration::from_secs(5));

fn reconnecting(url: &str) -> Store {
    let client = redis::Client::open(url).unwrap();
    RedisStore::new(ReconnectingConnection::new(move || {
        let client = client.clone();
        let config = AsyncConnectionConfig::new().set_connection_timeout(RESPONSE).set_response_timeout(RESPONSE);
        async move { client.get_multiplexed_async_connection_with_config(&config).await }
    }))
}

async fn managed(url: &str) -> RedisStore<ConnectionManager> {
    let config = ConnectionManagerConfig::new().set_connection_timeout(RESPONSE).set_response_timeout(RESPONSE);
    let client = redis::Client::open(url).unwrap();
    RedisStore::new(client.get_connection_manager_with_config(config).await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_keeps_the_contract() {
    let Some(redis) = Redis::start() else { return };
    let contract = Contract::new(reconnecting(&redis.url())).also_through(reconnecting(&redis.url()));
    contract.live_codes(10_000).check().await.assert_passed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_speaks_the_newer_protocol_keeps_the_contract() {
    let Some(redis) = Redis::start() else { return };
    let url = format!("{}/?protocol=resp3", redis.url());
    Contract::new(managed(&url).await).also_through(reconnecting(&url)).check().await.assert_passed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_whose_replica_is_waited_for_keeps_the_contract() {
    let Some((master, _replica)) = pair().await else { return };
    let store = || reconnecting(&master.url()).wait_for_replicas(1, Duration::from_secs(4));
    Contract::new(store()).also_through(store()).check().await.assert_passed();
}
