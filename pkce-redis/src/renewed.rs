//! [`Renewed`]: a connection that is made anew when it breaks.

use std::fmt;
use std::sync::Arc;

use redis::aio::ConnectionLike;
use redis::{Cmd, Pipeline, RedisFuture, RedisResult, Value};

use crate::renewal::Renewal;
use crate::sign::Sign;

/// A connection that is made anew, by your own `connect`, when it breaks or when its server is no master any more.
///
/// For Sentinel: ask it for the master in `connect`. (A `ConnectionManager` reconnects by itself, but always to the one
/// address; a `ClusterConnection` follows its Cluster by itself.)
///
/// * It connects when it is first used, and then again when a call finds the connection closed or not answering in time, or
///   the server a replica.
/// * Nothing is sent twice: the call that found the fault reports it.
/// * One that is closed, or leads to a replica, is given up at once, and the next calls wait for the new one. One that is
///   merely silent stays in use until a new one has answered for the key that was not answered for: a Cluster's other masters may
///   answer, and its client, if it is made while a master hangs, keeps the calls to the others waiting too.
/// * If other calls were answered in the meantime, that is tried every five seconds at most, and no call waits for it. (The client
///   of a Cluster goes on asking a master that says nothing, even when another has followed it. A new client finds the other.)
/// * One `connect` runs at a time, in a task of its own on the Tokio runtime of the call that asked for it. A call that is given
///   up does not end it, and all that wait share what comes of it. One that takes longer than ten seconds is given up.
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
pub struct Renewed<C>(Arc<Renewal<C>>);

impl<C> Renewed<C> {
    /// A connection that `connect` makes, when it is needed.
    pub fn new<F>(connect: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = RedisResult<C>> + Send + 'static,
    {
        Self(Arc::new(Renewal::new(Box::new(move || Box::pin(connect())))))
    }
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> ConnectionLike for Renewed<C> {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let link = self.0.link().await?;
            let answers = link.answers();
            let answer = link.connection().req_packed_command(cmd).await;
            let sign = answer.as_ref().map_or_else(Sign::of_error, Sign::of_value);
            self.0.settle(&link, answers, sign, Some(cmd));
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
            let link = self.0.link().await?;
            let answers = link.answers();
            let answer = link.connection().req_packed_commands(pipeline, offset, count).await;
            let sign = answer.as_ref().map_or_else(Sign::of_error, |values| Sign::of_values(values));
            self.0.settle(&link, answers, sign, pipeline.cmd_iter().next());
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
        Self(Arc::clone(&self.0))
    }
}

impl<C> fmt::Debug for Renewed<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renewed").finish_non_exhaustive()
    }
}
