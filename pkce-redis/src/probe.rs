//! [`Probe`]: whether a new connection answers where the one in use does not.

use redis::aio::ConnectionLike;
use redis::{Arg, Cmd, Value};

/// A script that does nothing, for the key of a command that was not answered.
///
/// A Cluster's client sends a script to the master that has the key, and to no replica.
pub(crate) struct Probe(Cmd);

impl Probe {
    /// `None` unless the command is one of this crate's: the place of its key is not known.
    pub(crate) fn of(command: &Cmd) -> Option<Self> {
        let place = match argument(command, 0)? {
            b"SET" | b"GET" => 1,
            b"EVALSHA" | b"EVAL" => 3,
            _ => return None,
        };
        let mut probe = redis::cmd("EVAL");
        probe.arg("return 1").arg(1).arg(argument(command, place)?);
        Some(Self(probe))
    }

    pub(crate) async fn is_answered_by(&self, connection: &mut (impl ConnectionLike + Send)) -> bool {
        matches!(connection.req_packed_command(&self.0).await, Ok(Value::Int(1)))
    }
}

fn argument(command: &Cmd, place: usize) -> Option<&[u8]> {
    match command.args_iter().nth(place)? {
        Arg::Simple(argument) => Some(argument),
        _ => None,
    }
}
