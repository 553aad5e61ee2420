//! Calls that are dropped half-way: by the policy's time-out, or because a client hung up.

use std::time::Duration;

use futures_util::future::{join_all, poll_immediate};
use pkce_core::store::{Inserted, Redemption};
use sqlx::sqlite::SqlitePoolOptions;
use tokio::time::{sleep, timeout};

use crate::database::{Database, fresh_table, on_every_database};
use crate::pool::{Pool, leaked};
use crate::sample;

on_every_database! {
    calls_that_are_dropped_leave_the_pool_sound
}

async fn calls_that_are_dropped_leave_the_pool_sound(database: Database) {
    let store = database.store().await;
    let mut dropped = 0;
    for nth in 0..300 {
        let (code, attempt) = (sample::code(), sample::right());
        let (binding, patience) = (sample::binding_with(vec![7; 20_000]), Duration::from_micros(nth * 10));
        // A call that was dropped may or may not have happened.
        let _ = timeout(patience, store.insert(&code, &binding)).await;
        let recorded = store.insert(&code, &binding).await.unwrap();
        let response = timeout(patience, store.redeem(&code, &attempt)).await;
        dropped += u32::from(response.is_err());
        let found = store.redeem(&code, &sample::right()).await.unwrap();
        let again = Redemption::Again { binding: binding.clone(), ticket: attempt.ticket(), at: attempt.at() };
        match response {
            Ok(response) => {
                assert_eq!((response.unwrap(), found), (Redemption::First(binding), again), "{recorded:?}");
            }
            Err(_) => assert!(found == again || found == Redemption::First(binding), "{found:?}"),
        }
    }
    assert!(dropped > 0, "none was dropped: the test shows nothing");
}

/// A slow database, or clients that hang up, cause one new connection for each that the pool has, and not for each call:
/// closing a connection does not cancel its statement on the server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_are_dropped_do_not_flood_the_database_with_connections() {
    let Some(mut database) = Database::postgres() else { return };
    let (other, table) = (database.pool_of(2).await, database.table.to_string());
    database.address = format!("{}&application_name={table}", database.address);
    let store = database.pool_of(2).await.store(&database.table);
    store.create_table().await.unwrap();
    let Pool::Postgres(locker) = &other else { return };
    let mut lock = locker.begin().await.unwrap();
    sqlx::query(leaked(&format!("LOCK TABLE {table}"))).execute(&mut *lock).await.unwrap();
    for _ in 0..20 {
        let (code, attempt) = (sample::code(), sample::right());
        let call = || timeout(Duration::from_millis(100), store.redeem(&code, &attempt));
        assert!(join_all([call(), call()]).await.iter().all(Result::is_err));
    }
    let open = format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{table}'");
    let open = other.number(&open).await;
    assert!((2..=4).contains(&open), "{open} connections");
    lock.rollback().await.unwrap();
    assert_eq!(store.redeem(&sample::code(), &sample::right()).await.unwrap(), Redemption::Unknown);
}

/// It belongs to one connection, which must not be closed.
#[tokio::test]
async fn calls_that_are_dropped_leave_a_database_in_memory() {
    let options =
        SqlitePoolOptions::new().max_connections(1).test_before_acquire(false).idle_timeout(None).max_lifetime(None);
    let pool = Pool::Sqlite(options.connect("sqlite::memory:").await.unwrap());
    let (store, code, attempt) = (pool.store(&fresh_table()), sample::code(), sample::right());
    store.create_table().await.unwrap();
    assert_eq!(store.insert(&code, &sample::binding()).await.unwrap(), Inserted::Recorded);
    let mut dropped = 0;
    for nth in 0..100 {
        // The connection is back in its pool.
        sleep(Duration::from_millis(2)).await;
        // Far enough to have the connection, not far enough to have the response.
        let mut call = Box::pin(store.redeem(&code, &attempt));
        let mut response = None;
        for _ in 0..=nth % 5 {
            response = if response.is_none() { poll_immediate(&mut call).await } else { response };
        }
        dropped += u32::from(response.is_none());
        drop(call);
        assert!(matches!(store.redeem(&code, &attempt).await.unwrap(), Redemption::First(_)));
    }
    assert!(dropped > 0, "none was dropped: the test shows nothing");
}
