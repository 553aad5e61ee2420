//! PKCE (RFC 7636) codes in Redis or Valkey, for authorization servers that run more than once.
//!
//! ```no_run
//! use pkce_core::Pkce;
//! use pkce_redis::{ReconnectingConnection, RedisStore};
//!
//! # fn doc() -> Result<(), Box<dyn std::error::Error>> {
//! let client = redis::Client::open("redis://127.0.0.1/")?;
//! let pkce = Pkce::new(RedisStore::new(ReconnectingConnection::with_client(client)));
//! # Ok(())
//! # }
//! ```
//!
//! Each verb is one command on one key, in one round trip: `SET … NX PX`, and two scripts sent by their digest. It takes
//! a second round trip if Redis has lost its scripts, if an insert finds a record, and if the server accepts no writes.
//! Redis 6.2, Redis 7.0 and Valkey 9 are tested: single, with Sentinel, and as a Cluster.
//!
//! # The connection
//!
//! You make the connection, with the `redis` crate, version 1, and its TLS, credentials, database and time-outs. It needs
//! Tokio. This crate enables the features `tokio-comp` and `script` of `redis`; the table says which one you add.
//!
//! | Redis | connection | feature |
//! | --- | --- | --- |
//! | single, or behind an address that can move | [`ReconnectingConnection::with_client`] | |
//! | with Sentinel | [`ReconnectingConnection::new`], with a closure that asks Sentinel | `sentinel` |
//! | Cluster | [`ReconnectingConnection::new`], around a `ClusterConnection` with a response time-out | `cluster-async` |
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use pkce_redis::{ReconnectingConnection, RedisStore};
//! use redis::cluster::ClusterClient;
//!
//! # fn doc() -> Result<(), Box<dyn std::error::Error>> {
//! let nodes = vec!["redis://10.0.0.1/", "redis://10.0.0.2/", "redis://10.0.0.3/"];
//! let client = ClusterClient::builder(nodes).response_timeout(Duration::from_secs(1)).build()?;
//! let store = RedisStore::new(ReconnectingConnection::new(move || {
//!     let client = client.clone();
//!     async move { client.get_async_connection().await }
//! }));
//! # Ok(())
//! # }
//! ```
//!
//! The connections of the `redis` crate work without it, but do not follow a master:
//!
//! * A `ConnectionManager` reconnects only after its connection was closed. If a failover leaves the connection open, or
//!   if the old master is restarted as a replica, it stays there, and every call fails with `READONLY` until the process
//!   is restarted. Do not use it where an address can move: a Kubernetes service, a load balancer, a DNS name, Sentinel.
//! * A `ClusterConnection` follows its Cluster, but not always: in version 1.8 it can stop for good if it loses all its
//!   connections while requests are under way, it goes on asking a master that hangs even after another has taken over,
//!   and it has no response time-out by default.
//! * A `MultiplexedConnection` never reconnects.
//!
//! [`ReconnectingConnection`] replaces a connection that does not answer by one that does. It disturbs no other call
//! meanwhile: while one master of a Cluster hangs, the codes of the other masters are served, if the Cluster allows it
//! (`cluster-require-full-coverage no`).
//!
//! ## Time-outs
//!
//! * [`Policy::store_timeout`](pkce_core::Policy::store_timeout), 2 seconds by default, ends every call of the store: the
//!   token endpoint answers 503. A command that was sent may still be executed.
//! * Keep the connection's response time-out shorter, so that a server that hangs is noticed. It is 500 milliseconds by
//!   default; a `ClusterConnection` has none by default.
//! * A `ClusterConnection` sends a command again if it is not answered, 16 times by default. The attempt's ticket makes
//!   that safe.
//!
//! # What a retry means
//!
//! The reply to a redemption can be lost after Redis has executed it. If the connection sends it again, *under the same
//! ticket*, it is the same redemption. The core does not send it again: it answers 503. The client's next attempt has
//! another ticket, finds the code redeemed, and has to start over. So no code is served twice, and a code is sometimes
//! not served at all.
//!
//! If the reply to an insert was lost, and the insert is sent again, it finds its own record and returns
//! [`Recorded`](pkce_core::store::Inserted::Recorded). Any other record is [`Occupied`](pkce_core::store::Inserted::Occupied), which
//! [`Pkce::bind`](pkce_core::Pkce::bind) returns as [`CodeAlreadyBound`](pkce_core::BindError::CodeAlreadyBound).
//!
//! # How to configure Redis
//!
//! * Set `maxmemory-policy noeviction`. Any other policy may evict live codes, whose clients have to start over, and
//!   redeemed codes, whose replay is then an unknown code. A full Redis rejects inserts, redemptions *and* restores with
//!   [`Full`](pkce_core::store::StoreErrorKind::Full) until there is room. No live code is lost. If the host rejects
//!   the client and Redis is too full to restore the code, the code stays redeemed and the client has to start over.
//! * Use no persistence, or `appendonly yes` with `appendfsync always`. Without persistence a restart forgets all codes,
//!   and their clients start over. Snapshots alone (`save …`, the default) bring back an older state after a crash, in
//!   which a code that was redeemed since is *live again* until it expires. So does `appendfsync everysec`, for the last
//!   two seconds at most: while the disk is slow, Redis replies before it has written to the file.
//! * Leave `replica-read-only` at `yes`, its default. A replica that accepts writes can redeem a code that the master
//!   redeems too.
//! * The clocks of the authorization servers must differ by less than five seconds. The clock of Redis may be wrong, but
//!   must not jump: if it jumps forward, codes are forgotten early.
//! * Whoever can write to Redis can make codes. Set a password, and give the store's user, on every node, no more than:
//!
//! | for | permissions | |
//! | --- | --- | --- |
//! | the store | `~pkce:* +set +get +evalsha +eval +getrange +setrange +strlen +exists` | `pkce:` is the prefix |
//! | `wait_for_replicas` | `+wait` | |
//! | a Cluster | `+ping +cluster\|slots +asking`, and `+readonly` if its client reads from replicas | the client sends these by itself, `ASKING` while slots move |
//! | Sentinel | `+role` | the client asks the master; the Sentinels have users of their own |
//! | another database than 0 | `+select` | |
//!
//! # What an operator reads
//!
//! The error of a call is one fixed sentence, and the code of Redis in parentheses: `the connection leads to a replica,
//! which accepts no writes (READONLY)`, `Redis does not know the command EVALSHA: was it renamed? (ERR)`, `the Redis user
//! may not run EVALSHA (NOPERM)`. The text of the server is never part of it: it can quote a command's arguments.
//!
//! # What is guaranteed under which fault
//!
//! No code is served twice, except in the rows that say so. The tests are those of `tests/redis`.
//!
//! | fault | what happens | shown by |
//! | --- | --- | --- |
//! | several processes redeem the same codes | each code is served once | `processes::four_processes_that_redeem_the_same_codes_serve_each_once` |
//! | connection cut, reply lost | 503 for the call; that client has to start over | `connections::a_redemption_whose_reply_was_lost_…`, `connections_cut_again_and_again_…` |
//! | server hangs | 503 in time; works again without a restart | `connections::a_server_that_hangs_…` |
//! | the master is demoted, before or after its address moves | 503 until the address moves; then works without a restart | `moving_address::…` |
//! | killed, no persistence | every code is unknown: those clients have to start over | `restarts::without_persistence_…` |
//! | killed, `appendfsync always` | every answered redemption is kept | `restarts::with_an_append_only_file_…` |
//! | killed, `appendfsync everysec` | **a code redeemed in the last two seconds can be redeemed again**, if the disk was slow | seen on a busy machine |
//! | killed, snapshots alone | **a code redeemed after the last snapshot can be redeemed again** | `restarts::a_snapshot_alone_…` |
//! | full, `noeviction` | 503; no live code is lost; a redemption that cannot be taken back stays | `memory::a_full_redis_…` |
//! | full, evicting | codes and redemptions are forgotten | `memory::a_redis_that_evicts_…` |
//! | `SCRIPT FLUSH` | one more round trip, once | `round_trips::scripts_that_redis_has_lost_…` |
//! | a new master, which has no scripts | as after a flush | `sentinel::…` |
//! | callers give up while a connection is made | it is made all the same | `connections::callers_that_give_up_…` |
//! | one master of a Cluster hangs | 503 for its codes until another takes over; other codes are served | `hung_master::…` |
//! | a Cluster's connections are lost | as above; redemptions that are sent again are the same ones | `cluster::a_cluster_keeps_the_contract_and_survives_…` |
//! | the master fails, a replica takes over | **redemptions that had not reached the replica are lost, and their codes can be redeemed again** | `cluster::a_master_that_fails_before_…` |
//! | the same with [`wait_for_replicas`](RedisStore::wait_for_replicas) for all replicas | no redemption is lost; without a replica none succeeds | `cluster::a_master_that_fails_loses_no_…`, `a_master_killed_while_…_waited_for`, `sentinel::…` |
//! | the connection leads to a replica | every call fails | `replicas::a_replica_answers_nobody` |
//! | another program's value under the key | an error; the value stays as it is | `tampered::…` |
//!
//! How likely is the loss? A healthy replica lags by a fraction of a millisecond: of 1000 codes redeemed while a master was
//! killed, none was served twice. Of 50 codes redeemed while the replica was cut off, before the master was killed, all
//! 50 were; with `wait_for_replicas`, none. It costs throughput: 6,000 to 8,000 redemptions a second over one connection
//! of a busy machine with two cores, instead of 20,000 to 30,000.
//!
//! # What is stored
//!
//! One string for each code, under the prefix and the SHA-256 of the code: a line of 149 characters that an operator can
//! read, then the host's grant as it is.
//!
//! ```text
//! pkce1 S256  E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM 00000001767225600123 060000 0000000005 -------------------------------- --------------------
//! ```
//!
//! Version, method, the SHA-256 of the verifier (for S256 the code challenge), issued at in milliseconds since 1970,
//! lifetime in milliseconds, bytes of the grant, ticket, redeemed at. Dashes are *none*. The record is kept for five
//! seconds longer than the code's lifetime, for servers whose clocks are slow; nothing extends that. A code without a
//! grant takes about 360 bytes of memory.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod call;
mod call_outcome;
mod fault;
mod field;
mod invalid_record;
mod prefix;
mod probe;
mod reconnecting_connection;
mod reconnector;
mod record;
mod replicas;
mod script;
mod server_error;
mod store;

pub use prefix::InvalidPrefix;
pub use reconnecting_connection::ReconnectingConnection;
pub use store::RedisStore;

/// The code of the README is compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
