//! PKCE (RFC 7636) codes in PostgreSQL, MySQL, MariaDB or SQLite, for authorization servers that have a database.
//!
//! The crate is the `ChallengeStore` of `pkce-core` in a table. It works in the server's own pool of `sqlx` 0.8 or 0.9:
//! TLS, credentials and the runtime are the pool's. Each database has a feature, and none is on by default: `postgres`,
//! `mysql` (MariaDB too), `sqlite`. The statements are written for PostgreSQL 12, MySQL 8.0, MariaDB 10.6, SQLite 3.37 and
//! later. They are tested on PostgreSQL 15, MariaDB 10.11 and the SQLite that sqlx includes. They have not been run on
//! MySQL itself yet.
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
//! let pool = PgPoolOptions::new().acquire_timeout(Duration::from_millis(1_500)); // See “Time-outs”.
//! let store = PgStore::new(pool.connect("postgres://auth@db.example/auth").await?);
//! store.create_table().await?; // Or POSTGRES_DDL in your own migrations, and check_table here.
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
//! let store = MySqlStore::new(pool.connect("mysql://auth@db.example/auth?ssl-mode=required").await?); // Or MariaDB.
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
//!     .synchronous(SqliteSynchronous::Full) // See “Durability”.
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
//! # MySQL 8 and TLS
//!
//! An account of MySQL 8 has the plugin `caching_sha2_password` by default. After a restart of the server it asks each
//! account for the password once, which needs TLS (one of the `tls-…` features of sqlx, and `ssl-mode=required` or higher),
//! or, on a network that you trust, sqlx's feature `mysql-rsa` (sqlx 0.8 always has it). Without both the log says `the
//! password of this MySQL account (caching_sha2_password or sha256_password) needs TLS, or the feature mysql-rsa of sqlx`.
//!
//! # Expired rows
//!
//! An expired row is never redeemed. It stays until [`SqlxStore::delete_expired`] deletes it. Call it once a minute, from
//! one server or from all:
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
//!             eprintln!("expired codes were not deleted: {error}"); // They only take space.
//!         }
//!     }
//! });
//! # }
//! ```
//!
//! # What a verb does
//!
//! | verb | PostgreSQL, SQLite | MySQL, MariaDB |
//! | --- | --- | --- |
//! | insert | one statement | one statement; if the code is there and an earlier response was lost, a `SELECT` of its row |
//! | redeem | one statement | an `UPDATE` that decides, and a `SELECT` that reads the result |
//! | restore | one statement | one statement; if there was nothing to restore, a second one |
//!
//! Each statement is sent in autocommit mode and its response arrives after the commit. It does the same at every
//! isolation level that the connection may have. A statement that lost a deadlock, a serialization conflict or its
//! connection is sent again at once: up to nine times, and once more for each connection of the pool, because all of them
//! may have been closed while they were idle. The attempt's ticket makes that safe, because a redemption that is sent
//! twice is one redemption. A code is served only to the attempt whose own ticket is in the row, so even a response that
//! belongs to another statement serves nobody.
//!
//! An insert whose response was lost finds its own row when it is sent again. If every column is the same and nobody has
//! redeemed the code, the result is [`Recorded`](pkce_core::store::Inserted::Recorded). Otherwise it is
//! [`Occupied`](pkce_core::store::Inserted::Occupied), and the bind fails. A redemption whose response was lost for good is a
//! 503. If the client tries again, that is another attempt, which finds the code redeemed: the client has to start over.
//!
//! Expiry goes by the servers' clocks, not by the database's.
//!
//! # Fail-over
//!
//! A connection to a server that was demoted stays open and rejects every write: PostgreSQL with SQLSTATE 25006, MySQL
//! and MariaDB with error 1290, 1792 or 1836 (1047 on a node that left its Galera cluster). Nothing was done, so the store
//! closes the connection and sends the statement again on another one, as often as the pool has connections. While the
//! address still leads to the old server, new connections reject writes too, and requests get 503. So at most as many
//! connections are closed in a second as the pool may have. At the latest a second after the address leads to the new
//! primary, every connection can be replaced, and no server process has to be restarted. The log says `the database is
//! read-only: 25006`.
//!
//! A prepared statement that no longer fits the table (SQLSTATE 0A000), or that the server does not know any more (26000;
//! MySQL 1243 and 1615), is prepared anew and sent again.
//!
//! # The pool
//!
//! A call takes one connection for one statement (MySQL: two). sqlx tests a connection with one more round trip when it
//! is taken, which [`test_before_acquire(false)`](sqlx::pool::PoolOptions::test_before_acquire) switches off, and with
//! another one when it is given back, which cannot be switched off. The second delays no caller, but the connection is in
//! use meanwhile.
//!
//! * `test_before_acquire(false)` saves one round trip of each call. This crate does not need the test: if a connection
//!   turns out to be closed, the next one is taken, as often as the pool has connections, and no call is lost. The
//!   *other* users of the pool get an error for each connection that was closed while it was idle. So give the store a
//!   pool of its own if you set this.
//! * A pool without an idle connection makes one first: set `min_connections` to what you need at a quiet hour.
//!
//! **`PgBouncer`.** sqlx gives each statement that it prepares a name. It prepares it in one round trip and executes it
//! in another. Behind `PgBouncer` in transaction mode the two may reach different servers: before its version 1.21, or with
//! `max_prepared_statements=0`, calls fail with SQLSTATE 26000 (no such statement), 42P05 (it exists already) or 08P01 (it
//! is another statement, which takes other values). That is a 503, and serves nobody. `statement_cache_capacity(0)` does
//! not help, because the statements keep their names. We tried that with version 1.18. Use its session mode or a version
//! that follows the names, neither of which we have tried, or connect to PostgreSQL itself.
//!
//! The cost of the tests: on PostgreSQL the store redeemed 0.33 times as many codes a second as `pgbench` with one client,
//! and 0.6 to 0.7 times as many with sixteen. `pgbench` keeps its connections and tests none.
//!
//! ## Time-outs
//!
//! * [`Policy::store_timeout`](pkce_core::Policy::store_timeout), 2 seconds by default, ends every call, whatever the
//!   database does, and the token endpoint responds with 503. What was sent may still be executed.
//! * `acquire_timeout` is 30 seconds in sqlx. Set it below the policy's, to 1.5 seconds for example. Then the log has the
//!   reason instead of a call that took too long: `the database cannot be reached`, `the database accepts no more
//!   connections`, or `every connection of the pool is in use`. To find it out the store makes one connection beside the
//!   pool, at most once a second.
//! * A call that was ended, by the time-out or because its client hung up, closes its connection. If the database's machine
//!   vanished without notice, its response would never arrive, and sqlx would wait for it until TCP gives up (a quarter
//!   of an hour on Linux) before the pool could replace the connection. So a pool whose connections are all dead has new
//!   ones after one time-out.
//! * In a minute, at most as many of those are closed as the pool may have connections. A call that is ended after that
//!   leaves its connection in use until the database has responded. So neither a slow database nor clients that hang up
//!   cause a storm of connections: the database gets at most the pool's number again for each minute in which no
//!   statement ends.
//! * Closing the connection does not cancel the statement on the server. Set a limit there, too: `statement_timeout=2s`
//!   among PostgreSQL's connection options, `innodb_lock_wait_timeout=2` in MySQL (50 by default), `busy_timeout` of one
//!   second in SQLite (5 in sqlx).
//! * Some connections stay exposed when a machine vanishes: those that were being given back at that moment, those that
//!   the host's own queries were using in the same pool, and those of calls that ended after that minute's limit was
//!   reached. sqlx waits for them without end. A pool of the store's own has none of the second kind. On Linux a lower
//!   `net.ipv4.tcp_retries2` (15 by default) lets TCP give up earlier.
//! * In SQLite nothing is closed: there is no network, and a database in memory would be lost.
//! * A firewall that silently drops idle connections makes calls hang, whether connections are tested or not. Set
//!   `idle_timeout` below its limit.
//!
//! # Durability
//!
//! Nobody is served before the database has confirmed the commit of the redemption. If it forgets what it committed, the code
//! is *live again* for the rest of its life, ten minutes at most:
//!
//! | database | required settings |
//! | --- | --- |
//! | PostgreSQL | `fsync=on`, the default. The store raises `synchronous_commit=off` to `local` for the transaction that redeems |
//! | PostgreSQL that fails over | `synchronous_standby_names`, and `synchronous_commit` at `on` or `remote_apply`: the standby that takes over must be one of them |
//! | MySQL, MariaDB | `innodb_flush_log_at_trx_commit=1`, the default, and `sync_binlog=1` where there is a binary log (the default in MySQL, not in MariaDB) |
//! | MySQL, MariaDB with a binary log | `binlog_format` at `ROW`, MySQL's default, or `MIXED`, MariaDB's. At `STATEMENT` the server warns of the store's statements, because they read `@@autocommit`, and quotes them in its *error log* with all their values: digests, proofs, grants |
//! | MySQL, MariaDB that fail over | semi-synchronous replication with the wait point `AFTER_SYNC`, and a time-out longer than any lag: after it they continue without the replica |
//! | SQLite | `synchronous=FULL`, SQLite's default; under `NORMAL` a power cut in WAL mode loses the last transactions. The file on a local disk, never on a network share |
//!
//! A read replica rejects redemptions. A proxy that sends a `SELECT` elsewhere than the `UPDATE` before it makes redemptions
//! fail, never pass.
//!
//! # The table
//!
//! It is `pkce_codes`, or any [`TableName`]. [`SqlxStore::create_table`] creates it, or your own migrations do with
//! [`SqlxStore::ddl`]. Then call [`SqlxStore::check_table`] when the server starts. `docs/stores.md` in the repository says
//! how to change the table under running servers.
//!
//! | column | content |
//! | --- | --- |
//! | `code_digest` | the key: the SHA-256 of the code, 32 bytes |
//! | `code_challenge_method` | `S256`, `plain`, or `none` for a code that is bound to no challenge |
//! | `proof` | the SHA-256 of the expected verifier, 32 bytes, which is the code challenge of `S256`; NULL for `none` |
//! | `grant_record` | the host's own record of what was granted, unchanged; NULL if there is none. At most 1 GB, and on MySQL `max_allowed_packet`: a longer one ends the connection there, and is an error after several attempts |
//! | `issued_at`, `expires_at` | milliseconds since 1970; the end is exclusive |
//! | `ticket` | 16 bytes: the attempt that redeemed the code; NULL until then; all zero if it was burned |
//! | `redeemed_at` | the time of that, in milliseconds since 1970; NULL together with `ticket` |
//!
//! It holds neither codes nor verifiers, in no form that could be presented. A grant of some kilobytes does no harm; a
//! redemption writes the row again, in SQLite including the grant.
//!
//! To read it, on PostgreSQL:
//!
//! ```sql
//! SELECT encode(code_digest, 'hex') AS code_digest, code_challenge_method,
//!        translate(encode(proof, 'base64'), '+/=', '-_') AS code_challenge, octet_length(grant_record) AS grant_bytes,
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
//!        LENGTH(grant_record) AS grant_bytes,
//!        FROM_UNIXTIME(issued_at / 1000) AS issued_at, FROM_UNIXTIME(expires_at / 1000) AS expires_at,
//!        LOWER(HEX(ticket)) AS ticket, FROM_UNIXTIME(redeemed_at / 1000) AS redeemed_at
//! FROM pkce_codes ORDER BY expires_at
//! ```
//!
//! On SQLite, which has no Base64 of its own:
//!
//! ```sql
//! SELECT lower(hex(code_digest)) AS code_digest, code_challenge_method,
//!        lower(hex(proof)) AS code_challenge, length(grant_record) AS grant_bytes,
//!        datetime(issued_at / 1000, 'unixepoch') AS issued_at, datetime(expires_at / 1000, 'unixepoch') AS expires_at,
//!        lower(hex(ticket)) AS ticket, datetime(redeemed_at / 1000, 'unixepoch') AS redeemed_at
//! FROM pkce_codes ORDER BY expires_at
//! ```
//!
//! ## Rights
//!
//! `SELECT`, `INSERT`, `UPDATE` and `DELETE` on the table, and in PostgreSQL `USAGE` on its schema. Only the call of
//! [`SqlxStore::create_table`] that finds no table needs more: `CREATE` on PostgreSQL's schema or on MySQL's table. Whoever
//! can write to the table can make codes, so give these rights to the authorization server alone. Row level security needs
//! a policy for each of the four commands.
//!
//! # What is guaranteed under which fault
//!
//! No code is served twice in any row that does not say so. The tests are those of `tests/stores`.
//!
//! | fault | PostgreSQL | MySQL, MariaDB | SQLite | shown by |
//! | --- | --- | --- | --- | --- |
//! | several servers redeem one code, among wrong attempts | one is served | one is served | one is served | `contract::…::it_keeps_the_contract`, `…_at_other_levels_of_isolation` |
//! | an attempt without the right verifier | writes nothing, waits for nobody | writes nothing | writes nothing | `statements::an_attempt_that_is_not_granted_…`, `whoever_holds_the_code_alone_…` (on PostgreSQL and SQLite) |
//! | a connection is cut, or closed while idle | sent again, unnoticed | the same | – | `faults::…::connections_that_were_cut_…`, `connections_that_the_server_ended_…` |
//! | a response is lost | sent again, or 503; that client starts over | the same | – | `faults::…::a_redemption_whose_response_was_lost_…`, `an_insert_whose_response_was_lost_…` |
//! | the database hangs, or is locked | 503 in time; works again without a restart | the same | the same | `faults::…::a_database_that_hung_…`, `a_locked_sqlite_…` |
//! | the machine vanishes without notice, another one takes its address | 503 in time; new connections after one time-out | the same | – | `faults::…::connections_to_a_machine_that_vanished_…`, `dropped::calls_that_are_dropped_do_not_flood_…` |
//! | the primary is demoted, and its address moves to another server | sent again on a new connection; 503 while every address leads to a read-only server | the same | – | `switch_over::…` |
//! | the table is altered under running servers | sent again, unnoticed | the same | the same | `changed::…::a_table_that_is_changed_under_running_servers_…` |
//! | a call is dropped half-way | it happened or not; the pool stays sound | the same | the same | `dropped::…::calls_that_are_dropped_…` |
//! | killed (`SIGKILL`) and started again | what was confirmed is remembered | the same | the processes that use it: the same | `crash::nobody_is_served_twice_when_…` |
//! | the commit fails | an error; not redeemed | not tested | an error; not redeemed | `durability::a_redemption_whose_commit_fails_…` |
//! | the machine fails | remembered, also where `synchronous_commit=off` | as set under *Durability* | as set under *Durability* | `durability::a_redemption_outlives_a_crash_…`; else not tested |
//! | fail-over to a standby that lags | **what it had not received can be redeemed again**, unless set as under *Durability* | the same | – | not tested |
//! | a connection without autocommit | there is none | nothing is done: an error | there is none | `durability::a_connection_without_autocommit_…` |
//! | the sql_mode `EMPTY_STRING_IS_NULL` | – | an empty grant stays one | – | `sql_mode::…` |
//! | no space | inserts are an error; redemptions find space in their own page, or are an error | inserts are an error; redemptions too, if large grants took the last page | an error; served once there is space | `full::…` (on PostgreSQL a tablespace; without space for its log it stops) |
//! | no connection can be had | an error that names the cause | the same | the same | `operators::…` |
//! | no table, or another one | an error; `check_table` says what differs | the same | the same | `faults::…::a_store_without_its_table_…`, `changed::…` |
//! | a row is changed by hand or by a migration | an error | an error | an error | `tampered::…` |
//! | expired rows are deleted while codes are redeemed | nothing else is touched | the same | the same; it pauses for the redemptions | `expired::four_servers_sweep_…`, `…_while_sqlite_is_swept` |
//! | errors and `Debug` | no value, no password | no value; the server's error log: see *Durability* | no value | `secrets::…` |
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(any(feature = "postgres", feature = "mysql", feature = "sqlite")),
    allow(dead_code, reason = "there is no store without a database")
)]

mod close_limit;
mod dialect;
mod fault;
mod lease;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
mod probe;
mod report;
mod row;
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
mod statements;
mod store;
mod table;
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

/// The code of the README is compiled.
#[cfg(all(doctest, feature = "postgres"))]
#[doc = include_str!("../README.md")]
struct Readme;
