//! [`ReconnectingConnection`]: a connection that is replaced when it breaks.

use std::fmt;
use std::sync::Arc;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Client, Cmd, Pipeline, RedisFuture, RedisResult, Value};

use crate::call_outcome::CallOutcome;
use crate::reconnector::Reconnector;

/// A connection that is replaced when it breaks, and when its server is no longer the master.
///
/// After a failover an address can lead to another server: that of a Kubernetes service, of a load balancer, of a DNS
/// name, of the master that Sentinel names. The connection is made again then, as often as it takes, and the address is
/// looked up again each time. (A `ConnectionManager` reconnects only after the connection is closed, so it stays with a
/// server that was demoted, and every call fails with `READONLY`.)
///
/// * It connects at its first call, and again when a call finds the connection closed or unanswered, or the server
///   demoted: a replica (`READONLY`, `MASTERDOWN`), a server that loads its data (`LOADING`), or a master without enough
///   replicas (`NOREPLICAS`).
/// * It sends nothing twice: the call that finds the fault reports it. [`RedisStore`](crate::RedisStore) sends a command
///   again if a demoted server rejected it, because that server wrote nothing.
/// * While the server is demoted, it connects at most four times a second.
/// * A connection that is closed, or leads to a demoted server, is dropped at once, and the next calls wait for the new
///   one. A connection that is only unanswered stays in use until a new one has answered for the same key.
/// * If other calls were answered meanwhile, the connection stays in use until there is a new one, which is tried at most
///   every five seconds. This is for a Cluster, whose other masters may answer, and whose client goes on asking a master
///   that hangs even after another has taken over.
/// * One attempt to connect runs at a time, for at most ten seconds, in a task of its own on the Tokio runtime of the
///   call that needed it. Dropping the call does not end the attempt, and all calls that wait share its result.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use pkce_redis::{ReconnectingConnection, RedisStore};
/// use redis::sentinel::{SentinelClient, SentinelServerType};
/// use tokio::sync::Mutex;
///
/// # fn doc() -> Result<(), Box<dyn std::error::Error>> {
/// let sentinels = vec!["redis://10.0.0.1:26379", "redis://10.0.0.2:26379", "redis://10.0.0.3:26379"];
/// let client = SentinelClient::build(sentinels, "mymaster".to_owned(), None, SentinelServerType::Master)?;
/// let client = Arc::new(Mutex::new(client));
/// let master = ReconnectingConnection::new(move || {
///     let client = Arc::clone(&client);
///     async move { client.lock().await.get_async_connection().await }
/// });
/// let store = RedisStore::new(master);
/// # Ok(())
/// # }
/// ```
pub struct ReconnectingConnection<C>(Arc<Reconnector<C>>);

impl ReconnectingConnection<MultiplexedConnection> {
    /// Creates a connection to the one address of `client`.
    ///
    /// It has the time-outs of [`Client::get_multiplexed_async_connection`]: one second to connect, 500 milliseconds for
    /// each reply. For others use [`new`](Self::new).
    pub fn with_client(client: Client) -> Self {
        Self::new(move || {
            let client = client.clone();
            async move { client.get_multiplexed_async_connection().await }
        })
    }
}

impl<C> ReconnectingConnection<C> {
    /// Creates a connection that calls `connect` whenever it needs a new one.
    pub fn new<F>(connect: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = RedisResult<C>> + Send + 'static,
    {
        Self(Arc::new(Reconnector::new(Box::new(move || Box::pin(connect())))))
    }
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> ConnectionLike for ReconnectingConnection<C> {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let live = self.0.live().await?;
            let answers = live.answers();
            let reply = live.connection().req_packed_command(cmd).await;
            self.0.settle(&live, answers, CallOutcome::of_reply(&reply), Some(cmd));
            reply
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let live = self.0.live().await?;
            let answers = live.answers();
            let replies = live.connection().req_packed_commands(pipeline, offset, count).await;
            self.0.settle(&live, answers, CallOutcome::of_replies(&replies), pipeline.cmd_iter().next());
            replies
        })
    }

    /// Returns 0: the database that `connect` selects is not known here.
    fn get_db(&self) -> i64 {
        0
    }
}

impl<C> Clone for ReconnectingConnection<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C> fmt::Debug for ReconnectingConnection<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReconnectingConnection").finish_non_exhaustive()
    }
}
