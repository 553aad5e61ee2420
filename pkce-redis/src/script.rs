//! The scripts: one atomic step on one key, in one round trip.

use std::sync::LazyLock;

use redis::aio::ConnectionLike;
use redis::{Cmd, ErrorKind, RedisError, ServerErrorKind, Value};

use crate::replicas::Replicas;

pub(crate) static REDEEM: LazyLock<Script> =
    LazyLock::new(|| Script::new(concat!(include_str!("fields.lua"), include_str!("redeem.lua"))));

pub(crate) static RESTORE: LazyLock<Script> =
    LazyLock::new(|| Script::new(concat!(include_str!("fields.lua"), include_str!("restore.lua"))));

/// A script on one key.
pub(crate) struct Script {
    source: &'static str,
    digest: String,
}

/// What a script answered, and how many replicas have acknowledged it, if that was asked.
pub(crate) struct Answer {
    pub(crate) value: Value,
    pub(crate) acknowledged: Option<i64>,
}

impl Script {
    fn new(source: &'static str) -> Self {
        Self { source, digest: redis::Script::new(source).get_hash().to_owned() }
    }

    /// Runs it by its digest and, if Redis does not have it (it was restarted, say), once more by its source.
    ///
    /// Deliberately not `redis::Script`, which takes three round trips for that and may ask a Cluster's other nodes.
    pub(crate) async fn run(
        &self,
        connection: &mut (impl ConnectionLike + Send),
        key: &str,
        arguments: &[&str],
        replicas: Option<&Replicas>,
    ) -> Result<Answer, RedisError> {
        match send(connection, command("EVALSHA", &self.digest, key, arguments), replicas).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                send(connection, command("EVAL", self.source, key, arguments), replicas).await
            }
            answer => answer,
        }
    }
}

fn command(name: &str, script: &str, key: &str, arguments: &[&str]) -> Cmd {
    let mut command = redis::cmd(name);
    command.arg(script).arg(1).arg(key).arg(arguments);
    command
}

async fn send(
    connection: &mut (impl ConnectionLike + Send),
    command: Cmd,
    replicas: Option<&Replicas>,
) -> Result<Answer, RedisError> {
    let Some(replicas) = replicas else {
        return Ok(Answer { value: command.query_async(connection).await?, acknowledged: None });
    };
    // A Cluster's client sends a pipeline to the node that has the key of its first command with one. `WAIT` alone
    // would go to every master.
    let mut pipeline = redis::pipe();
    pipeline.add_command(command).add_command(replicas.command()).ignore_errors();
    let [value, acknowledged] = pipeline.query_async::<[Result<Value, RedisError>; 2]>(connection).await?;
    let value = value?;
    match acknowledged? {
        Value::Int(acknowledged) => Ok(Answer { value, acknowledged: Some(acknowledged) }),
        _ => Err((ErrorKind::UnexpectedReturnType, "WAIT did not answer with a number").into()),
    }
}
