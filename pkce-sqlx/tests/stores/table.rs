//! Tables: made by many at once, named as one likes, apart from each other.

use std::sync::Arc;

use pkce_core::store::{Inserted, Redemption};
use sqlx::sqlite::SqlitePoolOptions;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::database::{Database, fresh_table, on_every_database};
use crate::pool::Pool;
use crate::sample;

on_every_database! {
    eight_servers_create_the_table_at_once
    a_table_may_have_a_reserved_word_for_a_name_and_a_schema
    two_tables_know_nothing_of_each_other
}

async fn eight_servers_create_the_table_at_once(mut database: Database) {
    for _ in 0..10 {
        database.table = fresh_table();
        let barrier = Arc::new(Barrier::new(8));
        let mut servers = JoinSet::new();
        for _ in 0..8 {
            let (pool, barrier) = (database.pool_of(1).await, Arc::clone(&barrier));
            let store = pool.store(&database.table);
            servers.spawn(async move {
                barrier.wait().await;
                store.create_table().await.unwrap();
                assert_eq!(store.insert(&sample::code(), &sample::binding()).await.unwrap(), Inserted::Recorded);
            });
        }
        servers.join_all().await;
        database.store().await;
    }
}

async fn a_table_may_have_a_reserved_word_for_a_name_and_a_schema(mut database: Database) {
    let schema = database.another_schema().await;
    for name in ["order".to_owned(), format!("{schema}.Grant"), format!("{schema}.{}", "x".repeat(48))] {
        database.table = name.parse().unwrap();
        let (store, code) = (database.store().await, sample::code());
        database.store().await;
        assert_eq!(store.insert(&code, &sample::binding()).await.unwrap(), Inserted::Recorded);
        assert_eq!(store.insert(&code, &sample::binding()).await.unwrap(), Inserted::Occupied);
        assert!(matches!(store.redeem(&code, &sample::right()).await.unwrap(), Redemption::First(_)));
        assert_eq!(store.delete_expired().await.unwrap(), 0);
    }
}

/// The default name of a table is a name like any other, for a database that is attached, too.
#[tokio::test]
async fn an_attached_sqlite_may_have_the_name_of_the_table() {
    let options = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
    let pool = Pool::Sqlite(options.connect("sqlite::memory:").await.unwrap());
    pool.send("ATTACH ':memory:' AS pkce_codes").await;
    let store = pool.store(&"pkce_codes.codes".parse().unwrap());
    store.create_table().await.unwrap();
    assert_eq!(store.insert(&sample::code(), &sample::binding()).await.unwrap(), Inserted::Recorded);
    let indexes = "SELECT COUNT(*) FROM pkce_codes.sqlite_schema WHERE name = 'codes_expires_at'";
    assert_eq!(pool.number(indexes).await, 1);
}

async fn two_tables_know_nothing_of_each_other(mut database: Database) {
    let (code, binding) = (sample::code(), sample::binding());
    let one = database.store().await;
    database.table = fresh_table();
    let other = database.store().await;
    assert_eq!(one.insert(&code, &binding).await.unwrap(), Inserted::Recorded);
    assert_eq!(other.redeem(&code, &sample::right()).await.unwrap(), Redemption::Unknown);
    assert_eq!(other.insert(&code, &binding).await.unwrap(), Inserted::Recorded);
    for store in [one, other] {
        assert_eq!(store.redeem(&code, &sample::right()).await.unwrap(), Redemption::First(binding.clone()));
    }
}
