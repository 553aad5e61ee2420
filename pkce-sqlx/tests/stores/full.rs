//! A database without room says so, keeps what it has, and goes on when there is room again.

use pkce_core::{CodeDigest, Inserted, Redemption, StoreErrorKind};
use pkce_test_servers::MariaDb;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

use crate::database::{Database, Pool, Store};
use crate::sample;

/// Large grants until there is no room; then everybody is still served once.
async fn fill(store: &dyn Store) -> Vec<CodeDigest> {
    let mut codes = Vec::new();
    for _ in 0..2_000 {
        let code = sample::code();
        match store.insert(&code, &sample::binding_with(vec![7; 64 * 1024])).await {
            Ok(inserted) => assert_eq!(inserted, Inserted::Recorded),
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Full, "{error:?}");
                return codes;
            }
        }
        codes.push(code);
    }
    panic!("it is never full")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_sqlite_refuses_and_serves_what_it_has() {
    let Some(database) = Database::sqlite() else { return };
    let file = SqliteConnectOptions::new().filename(&database.address).create_if_missing(true);
    let pool: SqlitePool =
        SqlitePoolOptions::new().max_connections(1).connect_with(file.pragma("max_page_count", "500")).await.unwrap();
    let store = Pool::Sqlite(pool).store(&database.table);
    store.create_table().await.unwrap();
    let codes = fill(&*store).await;
    assert!(codes.len() > 10);
    for code in &codes {
        assert!(matches!(store.redeem(code, &sample::right()).await.unwrap(), Redemption::First(_)));
        assert!(matches!(store.redeem(code, &sample::right()).await.unwrap(), Redemption::Again { .. }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_mariadb_refuses_and_serves_what_it_has() {
    let small = ["--innodb-file-per-table=0", "--innodb-data-file-path=ibdata1:12M:autoextend:max:20M"];
    let Some(server) = MariaDb::start_with(&small) else { return };
    let database = Database::at("MariaDB", server.url());
    let store = database.store().await;
    let codes = fill(&*store).await;
    assert!(codes.len() > 10);
    for code in &codes {
        assert!(matches!(store.redeem(code, &sample::right()).await.unwrap(), Redemption::First(_)));
    }
}
