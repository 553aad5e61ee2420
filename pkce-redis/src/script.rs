//! The scripts: one atomic step on one key, in one round trip.

use std::sync::LazyLock;

use redis::aio::ConnectionLike;
use redis::{Cmd, ErrorKind, RedisError, ServerErrorKind};

use crate::call::{Reply, call};
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

impl Script {
    fn new(source: &'static str) -> Self {
        Self { source, digest: redis::Script::new(source).get_hash().to_owned() }
    }

    /// Runs it by its digest and, if Redis does not have it (after a restart, say), once more by its source.
    ///
    /// Deliberately not `redis::Script`, which takes three round trips for that and may ask a Cluster's other nodes.
    pub(crate) async fn run(
        &self,
        connection: &mut (impl ConnectionLike + Send),
        key: &str,
        arguments: &[&str],
        replicas: Option<&Replicas>,
    ) -> Result<Reply, RedisError> {
        match call(connection, &command("EVALSHA", &self.digest, key, arguments), replicas).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                call(connection, &command("EVAL", self.source, key, arguments), replicas).await
            }
            reply => reply,
        }
    }
}

fn command(name: &str, script: &str, key: &str, arguments: &[&str]) -> Cmd {
    let mut command = redis::cmd(name);
    command.arg(script).arg(1).arg(key).arg(arguments);
    command
}
