//! Redis or Valkey, alone or as a Cluster.

use std::sync::Arc;
use std::time::Duration;

use pkce_redis::{RedisStore, Renewed};
use redis::Client;
use redis::aio::{ConnectionLike as _, ConnectionManager, ConnectionManagerConfig};
use redis::cluster::ClusterClient;

use super::Opened;

/// How long Redis may take to answer: less than the policy's two seconds, so that the reason is in the log.
const RESPONSE: Duration = Duration::from_millis(1500);

/// A connection that is made again when it breaks.
pub(super) async fn open(url: &str) -> Opened {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(RESPONSE))
        .set_response_timeout(Some(RESPONSE))
        .set_max_delay(RESPONSE)
        .set_number_of_retries(1);
    let connection = ConnectionManager::new_with_config(Client::open(url)?, config).await?;
    Ok(Arc::new(RedisStore::new(connection)))
}

/// Some of the nodes are named; they know the others. Its client can stop for good, so it is replaced when it does.
pub(super) async fn open_cluster(url: &str) -> Opened {
    let nodes = url.trim_start_matches("redis+cluster://").split(',').map(|node| format!("redis://{node}"));
    let client = ClusterClient::builder(nodes).connection_timeout(RESPONSE).response_timeout(RESPONSE).build()?;
    let connection = Renewed::new(move || {
        let client = client.clone();
        async move { client.get_async_connection().await }
    });
    connection.clone().req_packed_command(&redis::cmd("PING")).await?;
    Ok(Arc::new(RedisStore::new(connection)))
}
