//! [`Renewed`]: a connection that is made anew when it breaks.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use redis::aio::ConnectionLike;
use redis::{Cmd, Pipeline, RedisError, RedisFuture, RedisResult, Value};
use tokio::sync::Mutex;

use crate::fault;

type Connecting<C> = Pin<Box<dyn Future<Output = RedisResult<C>> + Send>>;
type Connect<C> = dyn Fn() -> Connecting<C> + Send + Sync;

/// A connection that is made anew, by your own `connect`, when it breaks or when its server is no master any more.
///
/// For Sentinel: ask it for the master in `connect`. (A `ConnectionManager` reconnects by itself, but always to the one
/// address; a `ClusterConnection` follows its Cluster by itself.)
///
/// * It connects when it is first used, and then again at the first call after one that found the connection closed or
///   not answering in time, or the server a replica.
/// * Nothing is sent twice: the call that found the fault reports it.
/// * One `connect` runs at a time, without a time-out of its own: bound it, as
///   [`Policy::store_timeout`](pkce_core::Policy::store_timeout) bounds the call that waits for it.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use pkce_redis::{RedisStore, Renewed};
/// use redis::sentinel::{SentinelClient, SentinelServerType};
/// use tokio::sync::Mutex;
///
/// # fn doc() -> Result<(), Box<dyn std::error::Error>> {
/// let sentinels = vec!["redis://10.0.0.1:26379", "redis://10.0.0.2:26379", "redis://10.0.0.3:26379"];
/// let client = SentinelClient::build(sentinels, "mymaster".to_owned(), None, SentinelServerType::Master)?;
/// let client = Arc::new(Mutex::new(client));
/// let master = Renewed::new(move || {
///     let client = Arc::clone(&client);
///     async move { client.lock().await.get_async_connection().await }
/// });
/// let store = RedisStore::new(master);
/// # Ok(())
/// # }
/// ```
pub struct Renewed<C> {
    connect: Arc<Connect<C>>,
    current: Arc<Mutex<Current<C>>>,
}

struct Current<C> {
    connection: Option<C>,
    /// How many there were before, so that a late fault of an old connection does not end a new one.
    number: u64,
}

impl<C> Renewed<C> {
    /// A connection that `connect` makes, when it is needed.
    pub fn new<F>(connect: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = RedisResult<C>> + Send + 'static,
    {
        let current = Current { connection: None, number: 0 };
        Self { connect: Arc::new(move || Box::pin(connect())), current: Arc::new(Mutex::new(current)) }
    }
}

impl<C: Clone> Renewed<C> {
    async fn current(&self) -> RedisResult<(C, u64)> {
        let mut current = self.current.lock().await;
        if let Some(connection) = &current.connection {
            return Ok((connection.clone(), current.number));
        }
        let connection = (self.connect)().await?;
        current.number = current.number.wrapping_add(1);
        current.connection = Some(connection.clone());
        Ok((connection, current.number))
    }

    async fn end(&self, number: u64) {
        let mut current = self.current.lock().await;
        if current.number == number {
            current.connection = None;
        }
    }
}

/// Whether the next call needs another connection: this one is broken or hangs, or its server is a replica now.
fn is_over(error: &RedisError) -> bool {
    error.is_unrecoverable_error() || error.is_io_error() || fault::code(error) == Some("READONLY")
}

fn is_by_a_replica(value: &Value) -> bool {
    matches!(value, Value::ServerError(error) if is_over(&error.clone().into()))
}

impl<C: ConnectionLike + Clone + Send + Sync> ConnectionLike for Renewed<C> {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let (mut connection, number) = self.current().await?;
            let answer = connection.req_packed_command(cmd).await;
            if answer.as_ref().map_or_else(is_over, is_by_a_replica) {
                self.end(number).await;
            }
            answer
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let (mut connection, number) = self.current().await?;
            let answer = connection.req_packed_commands(pipeline, offset, count).await;
            if answer.as_ref().map_or_else(is_over, |values| values.iter().any(is_by_a_replica)) {
                self.end(number).await;
            }
            answer
        })
    }

    /// Always 0: which database `connect` selects is not known here.
    fn get_db(&self) -> i64 {
        0
    }
}

impl<C> Clone for Renewed<C> {
    fn clone(&self) -> Self {
        Self { connect: Arc::clone(&self.connect), current: Arc::clone(&self.current) }
    }
}

impl<C> fmt::Debug for Renewed<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renewed").finish_non_exhaustive()
    }
}
