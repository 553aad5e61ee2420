//! [`RedisStore`]: the three verbs.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use pkce_core::store::{Attempt, Binding, ChallengeStore, CodeDigest, Inserted, Redemption, StoreError, Ticket};
use redis::Value;
use redis::aio::ConnectionLike;

use crate::call::{Reply, call};
use crate::fault::{Fault, store_error};
use crate::field;
use crate::prefix::{InvalidPrefix, Prefix};
use crate::record::{InvalidRecord, Record};
use crate::replicas::Replicas;
use crate::script;

/// How much longer than its lifetime a record is kept.
///
/// The core lets the clocks of two servers differ by as much, and neither may miss a record that is live by its clock.
const CLOCK_SKEW: Duration = Duration::from_secs(5);

/// Codes in Redis or Valkey, shared by all servers that use the same Redis and prefix.
///
/// It needs an asynchronous connection of the `redis` crate that can be cloned: a [`ReconnectingConnection`], which
/// follows the master, around a `MultiplexedConnection` or a `ClusterConnection`. TLS, time-outs and credentials are the
/// connection's. The [crate's page](crate) says which connection to use, and what is guaranteed under which fault.
///
/// ```no_run
/// use pkce_core::Pkce;
/// use pkce_redis::{ReconnectingConnection, RedisStore};
///
/// # fn doc() -> Result<(), Box<dyn std::error::Error>> {
/// let client = redis::Client::open("redis://127.0.0.1/")?;
/// let store = RedisStore::new(ReconnectingConnection::with_client(client)).prefix("auth.example:pkce:")?;
/// let pkce = Pkce::new(store);
/// # Ok(())
/// # }
/// ```
///
/// [`ReconnectingConnection`]: crate::ReconnectingConnection
#[derive(Clone)]
pub struct RedisStore<C> {
    connection: C,
    prefix: Prefix,
    replicas: Option<Replicas>,
}

impl<C> RedisStore<C> {
    /// Creates a store on this connection, with the prefix `pkce:`, that waits for no replica.
    ///
    /// It sends nothing: the first call shows whether Redis can be reached.
    pub fn new(connection: C) -> Self {
        Self { connection, prefix: Prefix::default(), replicas: None }
    }

    /// Sets the beginning of every key: 1 to 64 ASCII letters, digits and `-._:/`. Default: `pkce:`.
    ///
    /// A key is the prefix followed by the SHA-256 of the code in hexadecimal digits. Stores with different prefixes do
    /// not see each other's codes. Braces are not allowed: they would put all keys on one node of a Cluster.
    ///
    /// # Errors
    ///
    /// If the prefix is empty, longer than 64 characters, or has another character.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Result<Self, InvalidPrefix> {
        self.prefix = Prefix::parse(prefix.into())?;
        Ok(self)
    }

    /// Lets a redemption count only after `replicas` replicas have acknowledged it, within `timeout`. Default: 0.
    ///
    /// Replication is asynchronous: if a master fails before a redemption has reached its replica, and the replica takes
    /// over, the code can be redeemed again. This sends `WAIT` with every redemption, in the same round trip. If fewer
    /// replicas acknowledge in time the call fails, and the token endpoint answers 503; the code is marked on the
    /// master, so its client has to start over.
    ///
    /// * Demand *all* replicas that each master has: any of them can take over.
    /// * One replica that is down then stops every redemption. If that is too much, have two replicas, demand one, and
    ///   let Redis demand the rest (`min-replicas-to-write`).
    /// * `timeout` is rounded up to whole milliseconds, from one millisecond to one hour. Keep it below the connection's
    ///   response time-out (500 milliseconds by default in the `redis` crate) and below
    ///   [`Policy::store_timeout`](pkce_core::Policy::store_timeout).
    /// * Redis executes nothing else from a connection while it waits there: redemptions over one connection run one
    ///   after the other, a replication round trip each, and inserts queue behind them. Give the store a connection of
    ///   its own.
    /// * A replica that acknowledged and was then restarted without persistence can still become the master, without the
    ///   redemption.
    pub fn wait_for_replicas(mut self, replicas: u16, timeout: Duration) -> Self {
        self.replicas = (replicas > 0).then(|| Replicas::new(replicas, timeout));
        self
    }
}

/// Shows neither the connection nor any key.
impl<C> fmt::Debug for RedisStore<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("prefix", &self.prefix)
            .field("replicas", &self.replicas)
            .finish_non_exhaustive()
    }
}

/// Each verb is one command in one round trip. The exceptions, with two round trips:
///
/// * `insert` is `SET … NX PX …`. If there is a record, a `GET` reads it. The same record, not redeemed, is
///   [`Inserted::Recorded`]: the client library sent the command again after its reply was lost. Any other record is
///   [`Inserted::Occupied`].
/// * `redeem` and `restore` are scripts, sent as `EVALSHA`, and as `EVAL` if Redis has lost its scripts. Sent twice they
///   have the effect of one, by the attempt's ticket.
/// * A server that accepts no writes gets each command a second time: by then the connection may lead to the master.
#[async_trait]
impl<C> ChallengeStore for RedisStore<C>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    async fn insert(&self, code: &CodeDigest, binding: &Binding) -> Result<Inserted, StoreError> {
        let grant = binding.grant().map_or(&[][..], |grant| grant);
        let record = [Record::header(binding, None).as_bytes(), grant].concat();
        // A duration, not a time: no clock is read here, so the clocks of the servers and of Redis need not agree.
        let kept = binding.lifetime().saturating_add(CLOCK_SKEW).as_millis();

        let (key, mut connection) = (self.prefix.key(code), self.connection.clone());
        let mut command = redis::cmd("SET");
        command.arg(&key).arg(&record).arg("NX").arg("PX").arg(kept.to_string());
        match call(&mut connection, &command, None).await.map_err(|error| store_error(&error))?.value {
            Value::Okay => Ok(Inserted::Recorded),
            Value::Nil => compare_with_existing(&record, &key, &mut connection).await,
            _ => Err(StoreError::unavailable(Fault::UnexpectedReply)),
        }
    }

    async fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Result<Redemption, StoreError> {
        let (key, mut connection) = (self.prefix.key(code), self.connection.clone());
        let fields = [field::proof(attempt.proof()), field::ticket(attempt.ticket()), field::time(attempt.at())];
        let arguments = fields.each_ref().map(String::as_str);
        let reply = script::REDEEM.run(&mut connection, &key, &arguments, self.replicas.as_ref()).await;
        let Reply { value, acknowledged } = reply.map_err(|error| store_error(&error))?;

        let (marked, record) = match value {
            Value::Nil => return Ok(Redemption::Unknown),
            Value::Int(-1) => return Err(StoreError::invalid_record(InvalidRecord::Malformed)),
            Value::Array(reply) => match <[Value; 2]>::try_from(reply) {
                Ok([Value::Int(marked @ (0 | 1)), Value::BulkString(record)]) => (marked == 1, record),
                _ => return Err(StoreError::unavailable(Fault::UnexpectedReply)),
            },
            _ => return Err(StoreError::unavailable(Fault::UnexpectedReply)),
        };
        let redemption = redemption(attempt, marked, &record).map_err(StoreError::invalid_record)?;
        match (self.replicas, acknowledged) {
            (Some(Replicas { number, .. }), Some(acknowledged)) if marked && acknowledged < i64::from(number) => {
                Err(StoreError::unavailable(Fault::Replicas { acknowledged, demanded: number }))
            }
            _ => Ok(redemption),
        }
    }

    async fn restore(&self, code: &CodeDigest, ticket: Ticket) -> Result<(), StoreError> {
        let (key, mut connection) = (self.prefix.key(code), self.connection.clone());
        let reply = script::RESTORE.run(&mut connection, &key, &[&field::ticket(ticket)], None).await;
        match reply.map_err(|error| store_error(&error))?.value {
            Value::Int(0 | 1) => Ok(()),
            Value::Int(-1) => Err(StoreError::invalid_record(InvalidRecord::Malformed)),
            _ => Err(StoreError::unavailable(Fault::UnexpectedReply)),
        }
    }
}

/// Whether the existing record is the very one that was to be inserted.
///
/// Then it does not matter who sent it: the code has this binding, and is not redeemed.
async fn compare_with_existing(
    record: &[u8],
    key: &str,
    connection: &mut (impl ConnectionLike + Send),
) -> Result<Inserted, StoreError> {
    match redis::cmd("GET").arg(key).query_async(connection).await {
        Ok(Value::BulkString(existing)) if existing == record => Ok(Inserted::Recorded),
        Ok(_) => Ok(Inserted::Occupied),
        // Another program's value, of another type.
        Err(error) if error.code() == Some("WRONGTYPE") => Ok(Inserted::Occupied),
        Err(error) => Err(store_error(&error)),
    }
}

/// The redemption, from whether the script marked the record and from what the record was before.
///
/// What the script reports is not enough: the record that it marked must be one that it may mark.
fn redemption(attempt: &Attempt, marked: bool, record: &[u8]) -> Result<Redemption, InvalidRecord> {
    let Record { binding, redeemed } = Record::parse(record)?;
    match (marked, redeemed) {
        (true, Some((ticket, _))) if ticket == attempt.ticket() => Ok(Redemption::First(binding)),
        (true, None) if attempt.proof() == binding.proof() => Ok(Redemption::First(binding)),
        (false, Some((ticket, at))) if ticket != attempt.ticket() => Ok(Redemption::Again { binding, ticket, at }),
        (false, None) if attempt.proof() != binding.proof() => Ok(Redemption::Refused(binding)),
        _ => Err(InvalidRecord::Contradiction),
    }
}
