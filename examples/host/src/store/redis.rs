//! Redis or Valkey, alone or as a Cluster.

use std::sync::Arc;
use std::time::Duration;

use pkce_redis::RedisStore;
use redis::Client;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::cluster::ClusterClient;

use super::Opened;

/// How long Redis may take to answer: less than the policy's two seconds, so that the reason is in the log.
const RESPONSE: Duration = Duration::from_millis(1500);

/// A connection that is made again when it breaks.
pub(super) async fn open(url: &str) -> Opened {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(RESPONSE))
        .set_response_timeout(Some(RESPONSE))
        .set_number_of_retries(1);
    let connection = ConnectionManager::new_with_config(Client::open(url)?, config).await?;
    Ok(Arc::new(RedisStore::new(connection)))
}

/// Some of the nodes are named; they know the others.
pub(super) async fn open_cluster(url: &str) -> Opened {
    let nodes = url.trim_start_matches("redis+cluster://").split(',').map(|node| format!("redis://{node}"));
    let client = ClusterClient::builder(nodes).connection_timeout(RESPONSE).response_timeout(RESPONSE).build()?;
    Ok(Arc::new(RedisStore::new(client.get_async_connection().await?)))
}
