//! What the log says when the database cannot be used: one sentence for each cause.

use std::error::Error as _;
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use pkce_core::store::{ChallengeStore as _, Redemption, StoreError};
use pkce_sqlx::{MySqlStore, PgStore, SqliteStore};
use pkce_test_servers::{MariaDb, Postgres};
use sqlx::mysql::MySqlPoolOptions;
use sqlx::pool::PoolOptions;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::SqlitePoolOptions;

use crate::database::{Database, on_every_server};
use crate::pool::{Pool, Store};
use crate::sample;

on_every_server! {
    a_pool_that_is_exhausted_is_told_from_a_database_that_is_down
    a_database_without_a_connection_to_spare_is_named
}

/// A pool of two connections that waits for one as long as the documentation recommends.
fn pool_of_two<DB: sqlx::Database>() -> PoolOptions<DB> {
    PoolOptions::new().max_connections(2).acquire_timeout(Duration::from_millis(1_500))
}

fn lazy(name: &str, address: &str) -> Pool {
    match name {
        "PostgreSQL" => Pool::Postgres(pool_of_two().connect_lazy(address).unwrap()),
        "MariaDB" => Pool::MySql(pool_of_two().connect_lazy(address).unwrap()),
        _ => Pool::Sqlite(pool_of_two().connect_lazy(address).unwrap()),
    }
}

fn words(error: &StoreError) -> String {
    error.source().unwrap().to_string()
}

async fn redeem(store: &dyn Store) -> String {
    words(&store.redeem(&sample::code(), &sample::right()).await.unwrap_err())
}

async fn a_pool_that_is_exhausted_is_told_from_a_database_that_is_down(database: Database) {
    let pool = lazy(database.name, &database.address);
    let store = pool.store(&database.table);
    store.create_table().await.unwrap();
    let held = pool.hold(2).await;
    let expected = "every connection of the pool is in use, and none became free within its acquire_timeout";
    assert_eq!(redeem(&*store).await, expected);
    drop(held);
    assert_eq!(store.redeem(&sample::code(), &sample::right()).await.unwrap(), Redemption::Unknown);
}

/// Of ten requests that wait at once, each one learns the reason or hears that there was no connection; one connection is
/// made to find out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_wait_for_an_exhausted_pool_do_not_flood_the_database() {
    let Some(server) = Postgres::start() else { return };
    let database = Database::at("PostgreSQL", server.url());
    let pool = lazy("PostgreSQL", &database.address);
    let store = pool.store(&database.table);
    store.create_table().await.unwrap();
    let held = pool.hold(2).await;
    let other = database.pool_of(1).await;
    let sessions = "SELECT sessions FROM pg_stat_database WHERE datname = 'postgres'";
    let before = other.number(sessions).await;
    let waiting = futures_util::future::join_all((0..50).map(|_| redeem(&*store))).await;
    assert!(waiting.iter().any(|words| words.starts_with("every connection of the pool is in use")), "{waiting:?}");
    tokio::time::sleep(Duration::from_millis(500)).await;
    let opened = other.number(sessions).await - before;
    assert!(opened <= 3, "{opened} connections were made");
    drop(held);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgresql_that_is_down_is_named() {
    let Some(mut server) = Postgres::start() else { return };
    let store = PgStore::new(pool_of_two().connect_lazy(&server.url()).unwrap());
    store.create_table().await.unwrap();
    server.kill();
    let words = redeem(&store).await;
    assert!(words.starts_with("the database cannot be reached: Connection refused"), "{words}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mariadb_that_is_down_is_named() {
    let Some(mut server) = MariaDb::start() else { return };
    let store = MySqlStore::new(pool_of_two().connect_lazy(&server.url()).unwrap());
    store.create_table().await.unwrap();
    server.kill();
    let words = redeem(&store).await;
    assert!(words.starts_with("the database cannot be reached: Connection refused"), "{words}");
}

async fn a_database_without_a_connection_to_spare_is_named(database: Database) {
    let (store, pool) = (database.store().await, database.pool_of(1).await);
    let clerk = format!("clerk_{}", database.table);
    let (limited, expected) = if database.name == "PostgreSQL" {
        (format!("CREATE ROLE {clerk} LOGIN CONNECTION LIMIT 1"), "the database accepts no more connections: 53300")
    } else {
        (
            format!("CREATE USER {clerk} WITH MAX_USER_CONNECTIONS 1"),
            "the database accepts no more connections: 42000 (1226)",
        )
    };
    pool.send(&limited).await;
    drop(store);
    let (before, after) = database.address.split_once('@').unwrap();
    let (protocol, _) = before.split_once("://").unwrap();
    let address = format!("{protocol}://{clerk}@{after}");
    let first = lazy(database.name, &address);
    let _held = first.hold(1).await;
    assert_eq!(redeem(&*lazy(database.name, &address).store(&database.table)).await, expected);
}

#[tokio::test]
async fn an_sqlite_whose_file_cannot_be_opened_is_named() {
    let pool = SqlitePoolOptions::new().connect_lazy("sqlite:///no/such/directory/codes.db").unwrap();
    let words = redeem(&SqliteStore::new(pool)).await;
    assert_eq!(words, "the database reported 14: unable to open database file");
}

/// A MySQL 8 without TLS, as far as its login goes: whoever has not logged in lately is asked for the password, which
/// sqlx sends encrypted by TLS or RSA, or not at all.
#[tokio::test]
async fn an_account_of_mysql_8_without_tls_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("mysql://alice:hunter2@{}/auth", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut greeting = vec![10];
            greeting.extend(b"8.0.36\0");
            greeting.extend([1, 0, 0, 0]); // Its number.
            greeting.extend(b"saltsalt\0");
            greeting.extend([0x08, 0x82, 45, 2, 0, 0x08, 0x00, 21]); // What it can do: no TLS.
            greeting.extend([0; 10]);
            greeting.extend(b"saltsaltsalt\0caching_sha2_password\0");
            let said = packet(&mut client, 0, &greeting)
                .and_then(|()| skip(&mut client))
                .and_then(|()| packet(&mut client, 2, &[1, 4])) // Full authentication.
                .and_then(|()| skip(&mut client))
                .and_then(|()| packet(&mut client, 4, b"\x01-----BEGIN PUBLIC KEY-----"))
                .and_then(|()| skip(&mut client));
            drop(said);
        }
    });
    let store = MySqlStore::new(MySqlPoolOptions::new().connect_lazy(&address).unwrap());
    let error = store.redeem(&sample::code(), &sample::right()).await.unwrap_err();
    let expected = "the password of this MySQL account (caching_sha2_password or sha256_password) needs TLS, \
        or the feature `mysql-rsa` of sqlx";
    assert_eq!(words(&error), expected);
    assert!(!format!("{error:?}").contains("hunter2"));
}

fn packet(client: &mut impl std::io::Write, number: u8, payload: &[u8]) -> std::io::Result<()> {
    client.write_all(&[u8::try_from(payload.len()).unwrap(), 0, 0, number])?;
    client.write_all(payload)
}

/// Reads one packet.
fn skip(client: &mut impl std::io::Read) -> std::io::Result<()> {
    let mut header = [0; 4];
    client.read_exact(&mut header)?;
    client.read_exact(&mut vec![0; usize::from(header[0]) + 256 * usize::from(header[1])])
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_with_a_plugin_that_sqlx_does_not_know_is_named() {
    let Some(database) = Database::mariadb() else { return };
    let pool = database.pool_of(1).await;
    pool.send("INSTALL SONAME 'auth_ed25519'").await;
    pool.send("CREATE USER edward IDENTIFIED VIA ed25519 USING PASSWORD('hunter2')").await;
    let address = database.address.replace("root@", "edward:hunter2@");
    let words = redeem(&*lazy("MariaDB", &address).store(&database.table)).await;
    assert_eq!(words, "sqlx does not support the authentication plugin of this account");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told_and_not_shown() {
    let Some(database) = Database::mariadb() else { return };
    database.pool_of(1).await.send("CREATE USER walter IDENTIFIED BY 'secret'").await;
    let address = database.address.replace("root@", "walter:hunter2@");
    let words = redeem(&*lazy("MariaDB", &address).store(&database.table)).await;
    assert_eq!(words, "the database reported 28000 (1045)");
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_a_database_that_cannot_be_reached() {
    let pool = PgPoolOptions::new().connect_lazy("postgres://alice:hunter2@db.invalid/auth").unwrap();
    let words = redeem(&PgStore::new(pool)).await;
    assert!(words.starts_with("the database cannot be reached: "), "{words}");
}
