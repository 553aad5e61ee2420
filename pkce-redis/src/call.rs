//! [`call`]: one command and its reply.

use redis::aio::ConnectionLike;
use redis::{Cmd, ErrorKind, RedisError, Value};

use crate::replicas::Replicas;
use crate::server_error::Refusal;

/// What a command returned.
pub(crate) struct Reply {
    pub(crate) value: Value,
    /// How many replicas acknowledged it, if that was asked.
    pub(crate) acknowledged: Option<i64>,
}

/// Sends a command, and sends it again if a server that accepts no writes rejected it.
///
/// Such a server has written nothing, and by then a [`ReconnectingConnection`](crate::ReconnectingConnection) leads to
/// the new master, if the address does.
pub(crate) async fn call(
    connection: &mut (impl ConnectionLike + Send),
    command: &Cmd,
    replicas: Option<&Replicas>,
) -> Result<Reply, RedisError> {
    match send(connection, command, replicas).await {
        Err(error) if Refusal::of_error(&error).is_some_and(|refusal| refusal.is_by_a_demoted_server()) => {
            send(connection, command, replicas).await
        }
        reply => reply,
    }
}

async fn send(
    connection: &mut (impl ConnectionLike + Send),
    command: &Cmd,
    replicas: Option<&Replicas>,
) -> Result<Reply, RedisError> {
    let Some(replicas) = replicas else {
        return Ok(Reply { value: command.query_async(connection).await?, acknowledged: None });
    };
    // A Cluster's client sends a pipeline to the node that has the key of its first command with one. `WAIT` alone
    // would go to every master.
    let mut pipeline = redis::pipe();
    pipeline.add_command(command.clone()).add_command(replicas.command()).ignore_errors();
    let [value, acknowledged] = pipeline.query_async::<[Result<Value, RedisError>; 2]>(connection).await?;
    let value = value?;
    match acknowledged? {
        Value::Int(acknowledged) => Ok(Reply { value, acknowledged: Some(acknowledged) }),
        _ => Err((ErrorKind::UnexpectedReturnType, "WAIT did not return a number").into()),
    }
}
