//! Where codes are kept.

use std::sync::Arc;
use std::time::Duration;

use pkce_redis::{ReconnectingConnection, RedisStore};
use pkce_tower::MemoryStore;
use pkce_tower::pkce_core::store::ChallengeStore;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::{AsyncConnectionConfig, Client, RedisResult};

/// How long Redis may take to respond: less than the policy's two seconds, so that the reason is in the log.
const RESPONSE: Duration = Duration::from_millis(1500);

/// Opens the store at `memory:`, `redis://…` or `redis+cluster://HOST:PORT,…`. No error has a password in it.
pub(crate) async fn open(url: &str) -> Result<Arc<dyn ChallengeStore>, String> {
    let unusable = |error: redis::RedisError| format!("the store cannot be used: {error}").replace('\n', " ");
    match url.split_once(':') {
        Some(("memory", "")) => Ok(Arc::new(MemoryStore::new())),
        Some(("redis", _)) => Ok(Arc::new(RedisStore::new(single(url).await.map_err(unusable)?))),
        Some(("redis+cluster", _)) => Ok(Arc::new(RedisStore::new(cluster(url).await.map_err(unusable)?))),
        // The rest of the URL may have a password in it.
        _ => Err("the store's URL begins with none of memory:, redis:, redis+cluster:".to_owned()),
    }
}

async fn single(url: &str) -> RedisResult<ReconnectingConnection<MultiplexedConnection>> {
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
async fn cluster(url: &str) -> RedisResult<ReconnectingConnection<ClusterConnection>> {
    let nodes = url.trim_start_matches("redis+cluster://").split(',').map(|node| format!("redis://{node}"));
    let client = ClusterClient::builder(nodes).connection_timeout(RESPONSE).response_timeout(RESPONSE).build()?;
    checked(ReconnectingConnection::new(move || {
        let client = client.clone();
        async move { client.get_async_connection().await }
    }))
    .await
}

/// Connects at once, so that a wrong URL is an error at the start.
async fn checked<C: ConnectionLike>(mut connection: C) -> RedisResult<C> {
    connection.req_packed_command(&redis::cmd("PING")).await?;
    Ok(connection)
}
