//! The contract suite.

use pkce_core::contract::Contract;
use pkce_redis::RedisStore;
use pkce_test_servers::Redis;

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_keeps_the_contract() {
    let Some(redis) = Redis::start() else { return };
    let client = redis::Client::open(redis.url()).unwrap();
    let manager = client.get_connection_manager().await.unwrap();
    let multiplexed = client.get_multiplexed_async_connection().await.unwrap();
    let contract = Contract::new(RedisStore::new(manager)).also_through(RedisStore::new(multiplexed));
    contract.live_codes(10_000).check().await.assert_passed();
}
