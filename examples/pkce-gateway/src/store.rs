//! Where codes are kept.

use std::sync::Arc;
use std::time::Duration;

use pkce_redis::{RedisStore, Renewed};
use pkce_tower::MemoryStore;
use pkce_tower::pkce_core::store::ChallengeStore;
use redis::Client;
use redis::aio::{ConnectionLike as _, ConnectionManager, ConnectionManagerConfig};
use redis::cluster::ClusterClient;

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

async fn single(url: &str) -> Result<ConnectionManager, redis::RedisError> {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(RESPONSE))
        .set_response_timeout(Some(RESPONSE))
        .set_max_delay(RESPONSE)
        .set_number_of_retries(1);
    ConnectionManager::new_with_config(Client::open(url)?, config).await
}

/// Some of the nodes are named; they know the others. A client that stops for good is replaced.
async fn cluster(
    url: &str,
) -> Result<impl redis::aio::ConnectionLike + Clone + Send + Sync + 'static, redis::RedisError> {
    let nodes = url.trim_start_matches("redis+cluster://").split(',').map(|node| format!("redis://{node}"));
    let client = ClusterClient::builder(nodes).connection_timeout(RESPONSE).response_timeout(RESPONSE).build()?;
    let connection = Renewed::new(move || {
        let client = client.clone();
        async move { client.get_async_connection().await }
    });
    connection.clone().req_packed_command(&redis::cmd("PING")).await?;
    Ok(connection)
}
