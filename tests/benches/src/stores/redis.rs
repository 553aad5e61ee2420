//! Redis, over one multiplexed connection.

use std::fmt::Write as _;

use pkce_redis::RedisStore;
use pkce_test_servers::Redis;
use redis::aio::MultiplexedConnection;
use redis::{Script, Value};

use super::{Ours, Side, digest, now};

/// What the store makes of `PROOF` and of `TICKET`.
const PROOF: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
const TICKET: &str = "03030303030303030303030303030303";

/// The script that the store sends the digest of.
const REDEEM: &str = concat!(
    include_str!("../../../../pkce-redis/src/fields.lua"),
    include_str!("../../../../pkce-redis/src/redeem.lua")
);

/// The bare client: the same commands, made of strings that are ready but for the key and the time.
pub struct ByHand {
    connection: MultiplexedConnection,
    record: String,
    redeem: String,
}

/// The store and the bare client, each over a connection of its own.
pub async fn sides(server: &Redis) -> (Ours<RedisStore<MultiplexedConnection>>, ByHand) {
    let client = redis::Client::open(server.url()).unwrap();
    let connect = async || client.get_multiplexed_async_connection().await.unwrap();
    let (ours, mut connection) = (Ours(RedisStore::new(connect().await)), connect().await);
    ours.insert(u64::MAX).await;
    let record = redis::cmd("GET").arg(key("pkce", u64::MAX)).query_async(&mut connection).await.unwrap();
    let redeem = Script::new(REDEEM);
    redeem.load_async(&mut connection).await.unwrap();
    (ours, ByHand { connection, record, redeem: redeem.get_hash().to_owned() })
}

fn key(prefix: &str, nth: u64) -> String {
    digest(nth).iter().fold(format!("{prefix}:"), |mut key, octet| {
        // Writing into a string cannot fail.
        let _ = write!(key, "{octet:02x}");
        key
    })
}

impl Side for ByHand {
    async fn insert(&self, nth: u64) {
        let mut command = redis::cmd("SET");
        command.arg(key("hand", nth)).arg(&self.record).arg("NX").arg("PX").arg(605_000);
        let said: Value = command.query_async(&mut self.connection.clone()).await.unwrap();
        assert_eq!(said, Value::Okay);
    }

    async fn redeem(&self, nth: u64) {
        let mut command = redis::cmd("EVALSHA");
        command.arg(&self.redeem).arg(1).arg(key("hand", nth)).arg(PROOF).arg(TICKET).arg(format!("{:020}", now()));
        let said: (i64, String) = command.query_async(&mut self.connection.clone()).await.unwrap();
        assert_eq!(said.0, 1);
    }
}

impl std::fmt::Debug for ByHand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("redis::ByHand")
    }
}
