//! Redis or Valkey, alone or as a Cluster.

use std::sync::Arc;
use std::time::Duration;

use pkce_redis::{ReconnectingConnection, RedisStore};
use redis::aio::ConnectionLike;
use redis::cluster::ClusterClient;
use redis::{AsyncConnectionConfig, Client};

use super::Opened;

/// The response time-out of Redis: less than the policy's two seconds, so that the reason reaches the log.
const RESPONSE: Duration = Duration::from_millis(1500);

/// A connection to the server that the address leads to, also after a failover.
pub(super) async fn open(url: &str) -> Opened {
    let client = Client::open(url)?;
    let config =
        AsyncConnectionConfig::new().set_connection_timeout(Some(RESPONSE)).set_response_timeout(Some(RESPONSE));
    checked(ReconnectingConnection::new(move || {
        let (client, config) = (client.clone(), config.clone());
        async move { client.get_multiplexed_async_connection_with_config(&config).await }
    }))
    .await
}

/// The URL names some of the nodes. They know the others.
pub(super) async fn open_cluster(url: &str) -> Opened {
    let nodes = url.trim_start_matches("redis+cluster://").split(',').map(|node| format!("redis://{node}"));
    let client = ClusterClient::builder(nodes).connection_timeout(RESPONSE).response_timeout(RESPONSE).build()?;
    checked(ReconnectingConnection::new(move || {
        let client = client.clone();
        async move { client.get_async_connection().await }
    }))
    .await
}

/// Connects at once, so that a wrong URL is an error at the start.
async fn checked<C: ConnectionLike + Clone + Send + Sync + 'static>(connection: ReconnectingConnection<C>) -> Opened {
    connection.clone().req_packed_command(&redis::cmd("PING")).await?;
    Ok(Arc::new(RedisStore::new(connection)))
}
