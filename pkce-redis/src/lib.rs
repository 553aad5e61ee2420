//! PKCE (RFC 7636) codes in Redis or Valkey, for authorization servers of which there are several.
//!
//! ```no_run
//! use pkce_core::Pkce;
//! use pkce_redis::RedisStore;
//!
//! # async fn doc() -> Result<(), Box<dyn std::error::Error>> {
//! let client = redis::Client::open("redis://127.0.0.1/")?;
//! let pkce = Pkce::new(RedisStore::new(client.get_connection_manager().await?));
//! # Ok(())
//! # }
//! ```
//!
//! Every verb is one command on one key, and one round trip: `SET … NX PX`, and two scripts sent by their digest. A
//! Redis that has lost its scripts takes one more round trip, once, and so does an insert that finds a record. Written for Redis 6.0 and later and for Valkey, and
//! tested on Redis 7.0 (by hand on 6.2, not on Valkey); single, with Sentinel, and as a Cluster.
//!
//! # The connection
//!
//! It is yours, of the `redis` crate, version 1.8.1 or a later 1.x, with its TLS, credentials, database and time-outs. This crate switches
//! on none of that crate's features but `tokio-comp` and `script`; the table says which one you need besides. It needs Tokio.
//!
//! | Redis | connection | feature |
//! | --- | --- | --- |
//! | single | `ConnectionManager`: connects again by itself | `connection-manager` |
//! | with Sentinel | [`Renewed`] around what Sentinel names | `sentinel` |
//! | Cluster | [`Renewed`] around a `ClusterConnection` with a response time-out | `cluster-async` |
//! | for a test | `MultiplexedConnection`: never connects again | |
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use pkce_redis::{RedisStore, Renewed};
//! use redis::cluster::ClusterClient;
//!
//! # fn doc() -> Result<(), Box<dyn std::error::Error>> {
//! let nodes = vec!["redis://10.0.0.1/", "redis://10.0.0.2/", "redis://10.0.0.3/"];
//! let client = ClusterClient::builder(nodes).response_timeout(Duration::from_secs(1)).build()?;
//! let store = RedisStore::new(Renewed::new(move || {
//!     let client = client.clone();
//!     async move { client.get_async_connection().await }
//! }));
//! # Ok(())
//! # }
//! ```
//!
//! A `ClusterConnection` repairs itself, but not always: in version 1.8 one that loses all its connections with requests under
//! way can stop for good, one whose master hangs goes on asking that one even when another has followed it, and it has no
//! response time-out unless it is given one. [`Renewed`] replaces one that does not answer by one that does, and disturbs
//! nobody else meanwhile: while one master hangs, the codes of the others are served as ever, if the Cluster lets them
//! (`cluster-require-full-coverage no`).
//!
//! ## Time-outs
//!
//! * [`Policy::store_timeout`](pkce_core::Policy::store_timeout), 2 seconds by default, ends every call of the store, whatever
//!   the connection does: the token endpoint then answers 503. A command that was sent may still be carried out.
//! * The connection's response time-out should be shorter, so that the connection learns of it: 500 milliseconds is the
//!   default of `ConnectionManager` and of `MultiplexedConnection`; a `ClusterConnection` has none.
//! * `ConnectionManager` sends nothing twice. While it reconnects, calls wait for it, at most as long as the policy says;
//!   its delays grow up to some six seconds. With `set_max_delay` it is back sooner after the server is.
//! * `ClusterConnection` sends again what was not answered, 16 times by default. The attempt's ticket makes that safe.
//!
//! # What a retry means
//!
//! The answer to a redemption can be lost after Redis has carried it out. Sent again *under the same ticket*, by the
//! connection, it is the same redemption. The core itself does not send it again: it answers 503, and the client that
//! tries again is another attempt, finds the code redeemed, and has to start over. So nobody is ever served twice, and now and then
//! somebody is not served at all.
//!
//! An insert whose answer was lost finds its own record when it is sent again, reads it, and says
//! [`Recorded`](pkce_core::store::Inserted::Recorded). Any other record is [`Occupied`](pkce_core::store::Inserted::Occupied), which
//! [`Pkce::bind`](pkce_core::Pkce::bind) reports as [`CodeAlreadyBound`](pkce_core::BindError::CodeAlreadyBound): the host answers
//! with an error, and the client starts over.
//!
//! # What Redis must be told
//!
//! * `maxmemory-policy noeviction`. Any other policy may evict live codes, whose clients have to start over, and redeemed
//!   ones, whose replay is then an unknown code and not a replay. A full Redis refuses: inserts, redemptions *and*
//!   restores fail with [`Full`](pkce_core::store::StoreErrorKind::Full) until there is room. No live code is lost, but one whose
//!   redemption could not be taken back, after the host had refused its client, stays redeemed: that client starts over.
//! * Either no persistence, or `appendonly yes`. Snapshots alone (`save …`, the default) bring back the state of some time
//!   ago after a crash, and a code redeemed since is then *live again* for the rest of its life.
//! * The clocks of the servers should differ by less than five seconds; that of Redis may say what it likes, so long as it
//!   does not jump: forward, and codes are forgotten early.
//! * Whoever can write to Redis can make codes. Give it a password, and the store's user, on every node, no more than this:
//!
//! | for | permissions | |
//! | --- | --- | --- |
//! | the store | `~pkce:* +set +get +evalsha +eval +getrange +setrange +strlen +exists` | `pkce:` is the prefix |
//! | `wait_for_replicas` | `+wait` | |
//! | a Cluster | `+ping +cluster\|slots +asking`, and `+readonly` if its client reads from replicas | the client sends these by itself, `ASKING` while slots are moved |
//! | Sentinel | `+role` | the client asks the master; what it asks the Sentinels is a matter of their own users |
//! | another database than 0 | `+select` | |
//!
//! # What is guaranteed under which fault
//!
//! In every row but those that say otherwise no code is served twice. The tests are those of `tests/redis`.
//!
//! | fault | what happens | shown by |
//! | --- | --- | --- |
//! | several processes redeem the same codes | each is served once | `processes::four_processes_that_redeem_the_same_codes_serve_each_once` |
//! | connection cut, answer lost | 503 for who was waiting; that client starts over | `connections::a_redemption_whose_answer_was_lost_…`, `connections_cut_again_and_again_…` |
//! | server hangs | 503 in time; works again without a restart | `connections::a_server_that_hangs_…` |
//! | killed, no persistence | every code is unknown: those clients start over | `restarts::without_persistence_…` |
//! | killed, `appendonly yes` | every answered redemption is remembered (`appendfsync everysec` too, unless the machine itself fails) | `restarts::with_an_append_only_file_…` |
//! | killed, snapshots alone | **a code redeemed after the last snapshot can be redeemed again** | `restarts::a_snapshot_alone_…` |
//! | full, `noeviction` | 503; no live code is lost; what cannot be restored stays redeemed | `memory::a_full_redis_…` |
//! | full, evicting | codes and redemptions are forgotten | `memory::a_redis_that_evicts_…` |
//! | `SCRIPT FLUSH` | one more round trip, once | `round_trips::scripts_that_redis_has_lost_…` |
//! | a new master, which has no scripts | as after a flush | `sentinel::…` |
//! | callers give up while a connection is made | it is made all the same | `connections::callers_that_give_up_…` |
//! | one master of a Cluster hangs | 503 for its codes, until another follows it; the others' are served as ever | `hung_master::…` |
//! | Cluster's connections lost | as above; resent redemptions are the same ones | `cluster::a_cluster_keeps_the_contract_and_survives_…` |
//! | Sentinel or Cluster: master fails | **redemptions that had not reached the replica are lost, and their codes can be redeemed again** | `cluster::a_master_that_fails_before_…` |
//! | the same with [`wait_for_replicas`](RedisStore::wait_for_replicas) for all replicas | no redemption is lost; without a replica none is answered | `cluster::a_master_that_fails_loses_no_…`, `a_master_killed_while_…_waited_for`, `sentinel::…` |
//! | the connection leads to a replica | it serves nobody | `replicas::a_replica_serves_nobody` |
//! | somebody else's value under the key | an error, and the value stays as it is | `tampered::…` |
//!
//! How likely is the loss? A healthy replica lags by a fraction of a millisecond: of 1000 codes redeemed while a master was killed
//! none was served twice. Of 50 codes redeemed while the replica was cut off and before the master was killed, all 50 were; with
//! `wait_for_replicas` none. It costs throughput: some 6 000 to 8 000 redemptions in a second over one connection of a busy
//! machine with two cores, instead of 20 000 to 30 000.
//!
//! # What is kept
//!
//! One string for each code, under the prefix and the SHA-256 of the code: a line of 149 characters that an operator can read, then the
//! host's grant as it is.
//!
//! ```text
//! pkce1 S256  E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM 00000001767225600123 060000 0000000005 -------------------------------- --------------------
//! ```
//!
//! Version, method, the SHA-256 of the verifier (for S256 the code challenge), issued at in milliseconds since 1970, life in
//! milliseconds, octets of the grant, ticket, redeemed at. Dashes stand for *none*. It is kept for five seconds longer than it lives,
//! for servers whose clocks are behind; nothing prolongs that.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod fault;
mod field;
mod prefix;
mod probe;
mod record;
mod renewal;
mod renewed;
mod replicas;
mod script;
mod sign;
mod store;

pub use prefix::InvalidPrefix;
pub use renewed::Renewed;
pub use store::RedisStore;
