//! PKCE (RFC 7636) codes in PostgreSQL, MySQL, MariaDB or SQLite, for authorization servers that have a database already.
//!
//! It is the `ChallengeStore` of `pkce-core` in a table, in the pool of `sqlx` 0.9 that the server has: TLS, credentials
//! and the runtime are the pool's. One feature for each database, none by default: `postgres`, `mysql` (MariaDB, too),
//! `sqlite`. Written for PostgreSQL 12, MySQL 8.0, MariaDB 10.6, SQLite 3.37 and later; tested on PostgreSQL 15, MariaDB 10.11
//! and the SQLite that sqlx brings with it. On MySQL itself it has not been run yet.
//!
#![cfg_attr(feature = "postgres", doc = "```no_run")]
#![cfg_attr(not(feature = "postgres"), doc = "```ignore")]
//! use std::time::Duration;
//!
//! use pkce_core::Pkce;
//! use pkce_sqlx::PgStore;
//! use sqlx::postgres::PgPoolOptions;
//!
//! # async fn doc() -> Result<(), Box<dyn std::error::Error>> {
//! let pool = PgPoolOptions::new().acquire_timeout(Duration::from_millis(1_500)); // Why: see “Time-outs”.
//! let store = PgStore::new(pool.connect("postgres://auth@db.example/auth").await?);
//! store.create_table().await?; // Or POSTGRES_DDL in your own migrations.
//! let pkce = Pkce::new(store);
//! # Ok(())
//! # }
//! ```
//!
#![cfg_attr(feature = "mysql", doc = "```no_run")]
#![cfg_attr(not(feature = "mysql"), doc = "```ignore")]
//! use std::time::Duration;
//!
//! use pkce_core::Pkce;
//! use pkce_sqlx::MySqlStore;
//! use sqlx::mysql::MySqlPoolOptions;
//!
//! # async fn doc() -> Result<(), Box<dyn std::error::Error>> {
//! let pool = MySqlPoolOptions::new().acquire_timeout(Duration::from_millis(1_500));
//! let store = MySqlStore::new(pool.connect("mysql://auth@db.example/auth").await?); // MariaDB: the same.
//! store.create_table().await?; // Or MYSQL_DDL.
//! let pkce = Pkce::new(store);
//! # Ok(())
//! # }
//! ```
//!
#![cfg_attr(feature = "sqlite", doc = "```no_run")]
#![cfg_attr(not(feature = "sqlite"), doc = "```ignore")]
//! use std::time::Duration;
//!
//! use pkce_core::Pkce;
//! use pkce_sqlx::SqliteStore;
//! use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
//!
//! # async fn doc() -> Result<(), Box<dyn std::error::Error>> {
//! let file = SqliteConnectOptions::new()
//!     .filename("codes.db")
//!     .create_if_missing(true)
//!     .journal_mode(SqliteJournalMode::Wal)
//!     .synchronous(SqliteSynchronous::Full) // Why: see “Durability”.
//!     .busy_timeout(Duration::from_secs(1));
//! let pool = SqlitePoolOptions::new().acquire_timeout(Duration::from_millis(1_500));
//! let store = SqliteStore::new(pool.connect_with(file).await?);
//! store.create_table().await?; // Or SQLITE_DDL.
//! let pkce = Pkce::new(store);
//! # Ok(())
//! # }
//! ```
//!
//! An SQLite database in memory (`sqlite::memory:`) belongs to one connection: give its pool `max_connections(1)`,
//! `idle_timeout(None)` and `max_lifetime(None)`.
//!
//! # Expired rows
//!
//! An expired row is never redeemed, and stays until [`SqlxStore::delete_expired`] removes it. Call it once a minute, from one
//! server or from all:
//!
#![cfg_attr(feature = "postgres", doc = "```no_run")]
#![cfg_attr(not(feature = "postgres"), doc = "```ignore")]
//! use std::time::Duration;
//!
//! use pkce_sqlx::PgStore;
//!
//! # async fn doc(store: PgStore) {
//! tokio::spawn(async move {
//!     loop {
//!         tokio::time::sleep(Duration::from_secs(60)).await;
//!         if let Err(error) = store.delete_expired().await {
//!             eprintln!("expired codes were not deleted: {error}"); // They only take room.
//!         }
//!     }
//! });
//! # }
//! ```
//!
//! # What a verb is
//!
//! | verb | PostgreSQL, SQLite | MySQL, MariaDB |
//! | --- | --- | --- |
//! | insert | one statement | one statement; if the code is there and an answer was lost before, a look at its row |
//! | redeem | one statement | an `UPDATE` that decides, and a `SELECT` that tells what came of it |
//! | restore | one statement | one statement; if there was nothing to restore, another one |
//!
//! Each is sent in autocommit and answered after the commit. It is the same at every level of isolation that the
//! connection may be set to. A statement that lost a deadlock, a serialization conflict or its connection is sent again at
//! once, up to nine times, and once more for each connection that the pool has, as all of them may have been ended
//! while they were idle; the attempt's ticket makes that safe, because the same redemption sent twice is one. Nobody is
//! served by a row that does not hold his own ticket: not even an answer that belongs to another statement would do.
//!
//! An insert whose answer was lost finds its own row when it is sent again. If that says the same in every column and
//! nobody has redeemed it, it is [`Recorded`](pkce_core::store::Inserted::Recorded); any other is
//! [`Occupied`](pkce_core::store::Inserted::Occupied), and the bind fails. A redemption whose answer was lost for good is a
//! 503; the client that tries again is another attempt, finds the code redeemed, and has to start over.
//!
//! Expiry goes by the servers' clocks, not by the database's.
//!
//! # The pool
//!
//! A call takes one connection for one statement (MySQL: two). sqlx tests a connection with a round trip of its own when it
//! is taken, which [`test_before_acquire(false)`](sqlx::pool::PoolOptions::test_before_acquire) switches off, and with another
//! one when it is given back, which cannot be switched off in 0.9.0. The second delays no caller, but the connection is busy
//! with it.
//!
//! * `test_before_acquire(false)` saves a round trip of each call. This crate does not need the test: a connection that
//!   turns out to be closed is followed by the next one, as often as the pool has connections, and the call is not
//!   lost. It costs the *other* users of the pool an error for each connection that was closed while it was idle. So
//!   give the store a pool of its own, if you want that.
//! * A pool without an idle connection makes one first: set `min_connections` to what you need at a quiet hour.
//!
//! **`PgBouncer`.** sqlx gives each statement that it prepares a name, and prepares it in one round trip and executes
//! it in another. Behind `PgBouncer` in transaction mode the two may meet different servers: before its version 1.21,
//! or with `max_prepared_statements=0`, calls fail with SQLSTATE 26000 (no such statement), 42P05 (there is one
//! already) or 08P01 (it is another one, which takes other values). That is a 503; nobody is served by it.
//! `statement_cache_capacity(0)` does not help, because the statements keep their names. That was tried with version
//! 1.18. Use its session mode, or a version that follows the names, neither of which we have tried, or connect to
//! PostgreSQL itself.
//!
//! What the tests cost: on PostgreSQL the store redeemed 0.33 times as many codes a second as `pgbench` did with one client, and 0.6
//! to 0.7 times as many with sixteen; `pgbench` keeps its connections and tests none.
//!
//! ## Time-outs
//!
//! * [`Policy::store_timeout`](pkce_core::Policy::store_timeout), 2 seconds by default, ends every call, whatever the
//!   database does: the token endpoint answers 503. What was sent may still be carried out.
//! * `acquire_timeout` is 30 seconds in sqlx. Set it below the policy's, to 1.5 seconds say: then the log has the reason (no
//!   connection to be had) instead of a call that took too long.
//! * A call that was ended, by the time-out or because its client hung up, closes its connection: if the database's
//!   machine vanished without a word, its answer would never come, and sqlx would wait for it until TCP gives up (a
//!   quarter of an hour on Linux) before the pool could have another connection in its place. So a pool whose
//!   connections are all dead has new ones after one time-out.
//! * At most as many are closed in a minute as the pool may have. Whatever is ended beyond that leaves its connection
//!   busy until the database has answered. So neither a slow database nor clients that hang up make a storm of
//!   connections: the database has the pool's number once more for each minute in which no statement comes to its end.
//! * What is closed here goes on over there. Let the database give up, too: `statement_timeout=2s` among PostgreSQL's
//!   connection options, `innodb_lock_wait_timeout=2` in MySQL (50 by default), `busy_timeout` of one second in SQLite
//!   (5 in sqlx).
//! * What stays exposed when a machine vanishes: connections that were being given back at that moment, those that the
//!   host's own queries were using in the same pool, and those of calls that are ended when so many have been closed in
//!   this minute already. sqlx waits for them without end. In a pool of the store's own there are none of the second. On
//!   Linux a lower `net.ipv4.tcp_retries2` (15 by default) lets TCP give up earlier.
//! * In SQLite nothing is closed: there is no network, and a database in memory would be gone.
//! * A firewall that drops idle connections in silence makes calls hang, tested or not. Set `idle_timeout` below its limit.
//!
//! # Durability
//!
//! Nobody is served before the database says that the redemption is committed. If it forgets what it committed, the code is
//! *live again* for the rest of its life, ten minutes at most:
//!
//! | database | what it must be told |
//! | --- | --- |
//! | PostgreSQL | `fsync=on`, the default. `synchronous_commit=off` is made `local` for the transaction that redeems |
//! | PostgreSQL that fails over | `synchronous_standby_names`, and `synchronous_commit` at `on` or `remote_apply`: the standby that takes over must be one of them |
//! | MySQL, MariaDB | `innodb_flush_log_at_trx_commit=1`, the default, and `sync_binlog=1` where there is a binary log (the default in MySQL, not in MariaDB) |
//! | MySQL, MariaDB with a binary log | `binlog_format` at `ROW`, MySQL's default, or `MIXED`, MariaDB's. At `STATEMENT` it warns of the store's statements, because they ask for `@@autocommit`, and quotes them in its *error log* with all that they hold: digests, proofs, grants |
//! | MySQL, MariaDB that fail over | semi-synchronous replication with the wait point `AFTER_SYNC`, and a time-out longer than any lag: after it they go on without the replica |
//! | SQLite | `synchronous=FULL`, SQLite's default; under `NORMAL` a power cut in WAL mode loses the last transactions. The file on a local disk, never on a network share |
//!
//! A read replica refuses to redeem. A proxy that sends a `SELECT` elsewhere than the `UPDATE` before it makes redemptions
//! fail, never pass.
//!
//! # The table
//!
//! `pkce_codes`, or any [`TableName`]; [`SqlxStore::create_table`] makes it, or your own migrations do with [`SqlxStore::ddl`].
//!
//! | column | what it holds |
//! | --- | --- |
//! | `code_digest` | the key: the SHA-256 of the code, 32 octets |
//! | `code_challenge_method` | `S256`, `plain` or `none`: bound to no challenge |
//! | `proof` | the SHA-256 of the verifier that is expected, 32 octets: for `S256` that is the code challenge; NULL for `none` |
//! | `grant_record` | the host's own record of what was granted, as it was given; NULL if there is none. At most 1 GB, and on MySQL `max_allowed_packet`: there a longer one ends the connection, and is sent again in vain before it is an error |
//! | `issued_at`, `expires_at` | milliseconds since 1970; the end is exclusive |
//! | `ticket` | 16 octets: who redeemed it; NULL as long as nobody has; all zero if it was burned |
//! | `redeemed_at` | when, in milliseconds since 1970; NULL together with `ticket` |
//!
//! Neither code nor verifier is in it, in no form that could be presented. A grant of some kilobytes does no harm; a redemption
//! writes the row again, in SQLite with the grant.
//!
//! To read it, on PostgreSQL:
//!
//! ```sql
//! SELECT encode(code_digest, 'hex') AS code_digest, code_challenge_method,
//!        translate(encode(proof, 'base64'), '+/=', '-_') AS code_challenge, octet_length(grant_record) AS grant_octets,
//!        to_timestamp(issued_at / 1000.0) AS issued_at, to_timestamp(expires_at / 1000.0) AS expires_at,
//!        encode(ticket, 'hex') AS ticket, to_timestamp(redeemed_at / 1000.0) AS redeemed_at
//! FROM pkce_codes ORDER BY expires_at
//! ```
//!
//! On MySQL and MariaDB:
//!
//! ```sql
//! SELECT LOWER(HEX(code_digest)) AS code_digest, code_challenge_method,
//!        REPLACE(REPLACE(TRIM(TRAILING '=' FROM TO_BASE64(proof)), '+', '-'), '/', '_') AS code_challenge,
//!        LENGTH(grant_record) AS grant_octets,
//!        FROM_UNIXTIME(issued_at / 1000) AS issued_at, FROM_UNIXTIME(expires_at / 1000) AS expires_at,
//!        LOWER(HEX(ticket)) AS ticket, FROM_UNIXTIME(redeemed_at / 1000) AS redeemed_at
//! FROM pkce_codes ORDER BY expires_at
//! ```
//!
//! On SQLite, which has no Base64 of its own:
//!
//! ```sql
//! SELECT lower(hex(code_digest)) AS code_digest, code_challenge_method,
//!        lower(hex(proof)) AS code_challenge, length(grant_record) AS grant_octets,
//!        datetime(issued_at / 1000, 'unixepoch') AS issued_at, datetime(expires_at / 1000, 'unixepoch') AS expires_at,
//!        lower(hex(ticket)) AS ticket, datetime(redeemed_at / 1000, 'unixepoch') AS redeemed_at
//! FROM pkce_codes ORDER BY expires_at
//! ```
//!
//! ## Rights
//!
//! `SELECT`, `INSERT`, `UPDATE` and `DELETE` on the table; in PostgreSQL `USAGE` on its schema, too. Only
//! [`SqlxStore::create_table`] needs more: `CREATE` on PostgreSQL's schema or on MySQL's table. Whoever can write to the table can make
//! codes, so let nobody else.
//!
//! # What is guaranteed under which fault
//!
//! In every row but those that say otherwise no code is served twice. The tests are those of `tests/stores`.
//!
//! | fault | PostgreSQL | MySQL, MariaDB | SQLite | shown by |
//! | --- | --- | --- | --- | --- |
//! | several servers redeem one code, among wrong attempts | one is served | one is served | one is served | `contract::…::it_keeps_the_contract`, `…_at_other_levels_of_isolation` |
//! | an attempt without the right verifier | writes nothing, waits for nobody | writes nothing | writes nothing | `statements::an_attempt_that_is_not_granted_…`, `whoever_holds_the_code_alone_…` (on PostgreSQL and SQLite) |
//! | connection cut, or ended for idleness | sent again, unnoticed | the same | – | `faults::…::connections_that_were_cut_…`, `connections_that_the_server_ended_…` |
//! | answer lost | sent again, or 503; that client starts over | the same | – | `faults::…::a_redemption_whose_answer_was_lost_…`, `an_insert_whose_answer_was_lost_…` |
//! | database hangs, or is locked | 503 in time; works again without a restart | the same | the same | `faults::…::a_database_that_hung_…`, `a_locked_sqlite_…` |
//! | the machine vanishes without a word, another takes its address | 503 in time; new connections after one time-out | the same | – | `faults::…::connections_to_a_machine_that_vanished_…`, `dropped::calls_that_are_dropped_do_not_flood_…` |
//! | call dropped half-way | it happened or not; the pool is sound | the same | the same | `dropped::…::calls_that_are_dropped_…` |
//! | killed (`SIGKILL`) and started again | what was answered is remembered | the same | the processes that use it: the same | `crash::nobody_is_served_twice_when_…` |
//! | commit fails | an error; not redeemed | not tested | an error; not redeemed | `durability::a_redemption_whose_commit_fails_…` |
//! | the machine fails | remembered, also where `synchronous_commit=off` | as set under *Durability* | as set under *Durability* | `durability::a_redemption_outlives_a_crash_…`; else not tested |
//! | fail-over to a standby that lags | **what it had not got can be redeemed again**, unless set as under *Durability* | the same | – | not tested |
//! | connection without autocommit | there is none | nothing is done: an error | there is none | `durability::a_connection_without_autocommit_…` |
//! | full | inserts are an error; redemptions find room in their own page, or are an error | inserts are an error; redemptions, too, if large grants took the last page | an error; served once there is room | `full::…` (on PostgreSQL a tablespace; without room for its log it stops) |
//! | no table | an error | an error | an error | `faults::…::a_store_without_its_table_…` |
//! | row changed by hand or by a migration | an error | an error | an error | `tampered::…` |
//! | expired rows swept while codes are redeemed | nothing else is touched | the same | the same | `expired::four_servers_sweep_…` |
//! | errors and `Debug` | no value, no password | no value; the server's error log: see *Durability* | no value | `secrets::…` |
#![cfg_attr(docsrs, feature(doc_cfg))]

mod dialect;
mod failure;
mod lease;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
mod row;
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;
mod table_name;

pub use dialect::Dialect;
#[cfg(feature = "mysql")]
pub use mysql::{MYSQL_DDL, MySqlStore};
#[cfg(feature = "postgres")]
pub use postgres::{POSTGRES_DDL, PgStore};
#[cfg(feature = "sqlite")]
pub use sqlite::{SQLITE_DDL, SqliteStore};
pub use store::SqlxStore;
pub use table_name::{InvalidTableName, TableName};
