//! A database without space reports that, loses nothing, and works again when there is space.

use pkce_core::store::{CodeDigest, Inserted, Redemption, StoreErrorKind};
use pkce_test_servers::{MariaDb, Postgres};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

use crate::database::Database;
use crate::pool::{Pool, Store};
use crate::sample;

/// Binds grants of this many bytes until there is no space.
async fn fill(store: &dyn Store, grant: usize) -> Vec<CodeDigest> {
    let mut codes = Vec::new();
    for _ in 0..10_000 {
        let code = sample::code();
        match store.insert(&code, &sample::binding_with(vec![7; grant])).await {
            Ok(inserted) => assert_eq!(inserted, Inserted::Recorded),
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Full, "{error:?}");
                assert!(codes.len() > 10);
                return codes;
            }
        }
        codes.push(code);
    }
    panic!("it is never full")
}

/// Redeems all. A redemption is a write, too, and fails if it finds no space. Returns the codes that were served.
async fn redeem(store: &dyn Store, codes: &[CodeDigest]) -> Vec<CodeDigest> {
    let mut served = Vec::new();
    for code in codes {
        // A wrong verifier is rejected in any case, because that writes nothing.
        assert!(matches!(store.redeem(code, &sample::wrong()).await.unwrap(), Redemption::Refused(_)));
        match store.redeem(code, &sample::right()).await {
            Ok(Redemption::First(_)) => served.push(*code),
            Ok(found) => panic!("{found:?}"),
            Err(error) => assert_eq!(error.kind(), StoreErrorKind::Full, "{error:?}"),
        }
    }
    served
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_postgresql_refuses_what_is_new_and_serves_everybody_once_there_is_room() {
    let Some(postgres) = Postgres::start_with_small_disk(4) else { return };
    let mut database = Database::at("PostgreSQL", postgres.url());
    let pool = database.pool_of(1).await;
    pool.send(&format!("CREATE TABLESPACE small LOCATION '{}'", postgres.small_disk())).await;
    pool.send("CREATE TABLE filler TABLESPACE small AS SELECT repeat('x', 1000) FROM generate_series(1, 2000)").await;
    database.address += "&options[default_tablespace]=small";
    let store = database.store().await;
    let codes = fill(&*store, 1_900).await;
    let served = redeem(&*store, &codes).await;

    pool.send("DROP TABLE filler").await;
    for code in &codes {
        let found = store.redeem(code, &sample::right()).await.unwrap();
        assert_eq!(matches!(found, Redemption::First(_)), !served.contains(code), "{found:?}");
        assert!(matches!(store.redeem(code, &sample::right()).await.unwrap(), Redemption::Again { .. }));
    }
    assert_eq!(store.insert(&sample::code(), &sample::binding()).await.unwrap(), Inserted::Recorded);
    println!("PostgreSQL without room: {} of {} served", served.len(), codes.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_sqlite_refuses_and_serves_everybody_once_there_is_room() {
    let Some(database) = Database::sqlite() else { return };
    let file = SqliteConnectOptions::new().filename(&database.address).create_if_missing(true);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(file.pragma("max_page_count", "500")).await;
    let pool = Pool::Sqlite(pool.unwrap());
    let store = pool.store(&database.table);
    store.create_table().await.unwrap();
    let codes = fill(&*store, 64 * 1024).await;
    let served = redeem(&*store, &codes).await;
    assert!(served.len() < codes.len(), "all were served: the test shows nothing");

    pool.send("PRAGMA max_page_count = 1000").await;
    for code in &codes {
        let found = store.redeem(code, &sample::right()).await.unwrap();
        assert_eq!(matches!(found, Redemption::First(_)), !served.contains(code), "{found:?}");
        assert!(matches!(store.redeem(code, &sample::right()).await.unwrap(), Redemption::Again { .. }));
    }
}

/// InnoDB keeps some room for what is needed to redeem, unless grants that do not fit on a page take that, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_mariadb_refuses_what_is_new_and_serves_what_it_has() {
    let small = ["--innodb-file-per-table=0", "--innodb-data-file-path=ibdata1:12M:autoextend:max:16M"];
    let Some(server) = MariaDb::start_with(&small) else { return };
    let store = Database::at("MariaDB", server.url()).store().await;
    let codes = fill(&*store, 4_000).await;
    assert_eq!(redeem(&*store, &codes).await, codes);
    for code in &codes {
        assert!(matches!(store.redeem(code, &sample::right()).await.unwrap(), Redemption::Again { .. }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mariadb_full_to_the_last_page_refuses_and_serves_nobody() {
    let small = ["--innodb-file-per-table=0", "--innodb-data-file-path=ibdata1:12M:autoextend:max:16M"];
    let Some(server) = MariaDb::start_with(&small) else { return };
    let store = Database::at("MariaDB", server.url()).store().await;
    let codes = fill(&*store, 64 * 1024).await;
    assert!(redeem(&*store, &codes).await.len() < codes.len(), "all were served: the test shows nothing");
}
