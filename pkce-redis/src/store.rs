//! [`RedisStore`]: the three verbs.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use pkce_core::store::{Attempt, Binding, ChallengeStore, CodeDigest, Inserted, Redemption, StoreError, Ticket};
use redis::Value;
use redis::aio::ConnectionLike;

use crate::fault::{self, Fault, store_error};
use crate::field;
use crate::prefix::{InvalidPrefix, Prefix};
use crate::record::{InvalidRecord, Record};
use crate::replicas::Replicas;
use crate::script::{self, Answer};

/// How long a record is kept past its life: as much as the core lets the clocks of two servers differ, so that none of
/// them misses a record that is live by its own clock.
const KEPT_LONGER: Duration = Duration::from_secs(5);

/// Codes in Redis or Valkey, shared by every server that uses the same Redis and prefix.
///
/// It needs a connection of the `redis` crate that is asynchronous and can be cloned: `ConnectionManager`,
/// `ClusterConnection`, `MultiplexedConnection`, or [`Renewed`](crate::Renewed) around one that Sentinel names.
/// TLS, time-outs and credentials are the connection's. The [crate's page](crate) says which to take, and what is
/// guaranteed under which fault.
///
/// ```no_run
/// use pkce_core::Pkce;
/// use pkce_redis::RedisStore;
///
/// # async fn doc() -> Result<(), Box<dyn std::error::Error>> {
/// let client = redis::Client::open("redis://127.0.0.1/")?;
/// let store = RedisStore::new(client.get_connection_manager().await?).prefix("auth.example:pkce:")?;
/// let pkce = Pkce::new(store);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisStore<C> {
    connection: C,
    prefix: Prefix,
    replicas: Option<Replicas>,
}

impl<C> RedisStore<C> {
    /// A store over this connection, with the prefix `pkce:`, that waits for no replica.
    ///
    /// Nothing is sent: whether Redis can be reached shows at the first call.
    pub fn new(connection: C) -> Self {
        Self { connection, prefix: Prefix::default(), replicas: None }
    }

    /// What every key begins with: 1 to 64 ASCII letters, digits and `-._:/`. Default: `pkce:`.
    ///
    /// A key is the prefix and then the SHA-256 of the code in hexadecimal digits. Stores with different prefixes do
    /// not see each other's codes. There are no braces in it: a Cluster would keep all keys on one node.
    ///
    /// # Errors
    ///
    /// When it is longer, empty, or has another character.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Result<Self, InvalidPrefix> {
        self.prefix = Prefix::parse(prefix.into())?;
        Ok(self)
    }

    /// Lets a redemption count only when so many replicas have acknowledged it, within `timeout`. Default: 0, none.
    ///
    /// Replication is asynchronous: a master that fails may take a redemption with it that the client was told of, and
    /// the replica that follows it then serves the code a second time. This sends `WAIT` along with every redemption,
    /// in the same round trip. If fewer replicas answer in time it is an error, and the token endpoint answers 503;
    /// the code is marked on the master, so its client has to start again.
    ///
    /// * Demand *all* replicas that each master has: any of them can follow it.
    /// * A replica that is down then stops every redemption. Have two, and let Redis demand the rest
    ///   (`min-replicas-to-write`), if that is too much.
    /// * `timeout` is whole milliseconds, rounded up, from one millisecond to one hour. Keep it below the connection's own
    ///   response time-out (500 milliseconds by default in the `redis` crate) and below
    ///   [`Policy::store_timeout`](pkce_core::Policy::store_timeout).
    /// * While it waits, Redis takes nothing else from that connection: redemptions over one connection come one after
    ///   the other, a replication round trip each, and an insert queues behind them. Give the store a connection of its own.
    /// * A replica that acknowledged and then loses its memory, because it was restarted without persistence, can still
    ///   become the master.
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

/// Each verb is one command, and one round trip; a second one where that is said.
///
/// * `insert` is `SET … NX PX …`. If there is a record, a `GET` in a round trip of its own says whether it is this very one,
///   as it is when the client library sends a command again whose answer was lost: [`Inserted::Recorded`]. Any other, a
///   redeemed one too, is [`Inserted::Occupied`].
/// * `redeem` and `restore` are scripts, sent as `EVALSHA`; a Redis that has lost its scripts takes one more round trip.
///   Sent twice they do what they did once, by the attempt's ticket.
#[async_trait]
impl<C> ChallengeStore for RedisStore<C>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    async fn insert(&self, code: &CodeDigest, binding: &Binding) -> Result<Inserted, StoreError> {
        let grant = binding.grant().map_or(&[][..], |grant| grant);
        let record = [Record::header(binding, None).as_bytes(), grant].concat();
        // A length, not a moment: no clock is read here, so those of the servers and of Redis need not agree.
        let kept = binding.lifetime().saturating_add(KEPT_LONGER).as_millis();

        let (key, mut connection) = (self.prefix.key(code), self.connection.clone());
        let mut command = redis::cmd("SET");
        command.arg(&key).arg(&record).arg("NX").arg("PX").arg(kept.to_string());
        match command.query_async(&mut connection).await {
            Ok(Value::Okay) => Ok(Inserted::Recorded),
            Ok(Value::Nil) => occupied_by(&record, &key, &mut connection).await,
            Ok(_) => Err(StoreError::unavailable(Fault::Answer)),
            Err(error) => Err(store_error(&error)),
        }
    }

    async fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Result<Redemption, StoreError> {
        let (key, mut connection) = (self.prefix.key(code), self.connection.clone());
        let fields = [field::proof(attempt.proof()), field::ticket(attempt.ticket()), field::time(attempt.at())];
        let arguments = fields.each_ref().map(String::as_str);
        let answer = script::REDEEM.run(&mut connection, &key, &arguments, self.replicas.as_ref()).await;
        let Answer { value, acknowledged } = answer.map_err(|error| store_error(&error))?;

        let (marked, record) = match value {
            Value::Nil => return Ok(Redemption::Unknown),
            Value::Int(-1) => return Err(StoreError::invalid_record(InvalidRecord::Form)),
            Value::Array(answer) => match <[Value; 2]>::try_from(answer) {
                Ok([Value::Int(marked @ (0 | 1)), Value::BulkString(record)]) => (marked == 1, record),
                _ => return Err(StoreError::unavailable(Fault::Answer)),
            },
            _ => return Err(StoreError::unavailable(Fault::Answer)),
        };
        let found = found(attempt, marked, &record).map_err(StoreError::invalid_record)?;
        match (self.replicas, acknowledged) {
            (Some(Replicas { number, .. }), Some(acknowledged)) if marked && acknowledged < i64::from(number) => {
                Err(StoreError::unavailable(Fault::Replicas { acknowledged, demanded: number }))
            }
            _ => Ok(found),
        }
    }

    async fn restore(&self, code: &CodeDigest, ticket: Ticket) -> Result<(), StoreError> {
        let (key, mut connection) = (self.prefix.key(code), self.connection.clone());
        let answer = script::RESTORE.run(&mut connection, &key, &[&field::ticket(ticket)], None).await;
        match answer.map_err(|error| store_error(&error))?.value {
            Value::Int(0 | 1) => Ok(()),
            Value::Int(-1) => Err(StoreError::invalid_record(InvalidRecord::Form)),
            _ => Err(StoreError::unavailable(Fault::Answer)),
        }
    }
}

/// Whether the record that is there is the very one that was to be inserted.
///
/// Then it does not matter who sent it: this code is bound to this, and is not redeemed.
async fn occupied_by(
    record: &[u8],
    key: &str,
    connection: &mut (impl ConnectionLike + Send),
) -> Result<Inserted, StoreError> {
    match redis::cmd("GET").arg(key).query_async(connection).await {
        Ok(Value::BulkString(found)) if found == record => Ok(Inserted::Recorded),
        Ok(_) => Ok(Inserted::Occupied),
        // Somebody else's value, of another type.
        Err(error) if fault::code(&error) == Some("WRONGTYPE") => Ok(Inserted::Occupied),
        Err(error) => Err(store_error(&error)),
    }
}

/// What a redemption found, from whether the script marked the record and what it was before.
///
/// The script's word alone is not enough: what it marked must be a record that it may mark.
fn found(attempt: &Attempt, marked: bool, record: &[u8]) -> Result<Redemption, InvalidRecord> {
    let Record { binding, redeemed } = Record::parse(record)?;
    match (marked, redeemed) {
        (true, Some((ticket, _))) if ticket == attempt.ticket() => Ok(Redemption::First(binding)),
        (true, None) if attempt.proof() == binding.proof() => Ok(Redemption::First(binding)),
        (false, Some((ticket, at))) if ticket != attempt.ticket() => Ok(Redemption::Again { binding, ticket, at }),
        (false, None) if attempt.proof() != binding.proof() => Ok(Redemption::Refused(binding)),
        _ => Err(InvalidRecord::Script),
    }
}
