//! What expired is swept away, and nothing else.

use std::sync::Arc;

use pkce_core::store::{Inserted, Redemption};
use tokio::task::JoinSet;

use crate::database::{Database, on_every_database};
use crate::sample;

on_every_database! {
    four_servers_sweep_at_once_while_codes_are_bound_and_redeemed
    a_record_is_kept_for_a_minute_after_its_end
    an_expired_code_is_not_redeemed
}

async fn four_servers_sweep_at_once_while_codes_are_bound_and_redeemed(database: Database) {
    const EXPIRED: u64 = 2_600; // More than five batches.
    let store = database.store().await;
    let mut writers = JoinSet::new();
    for nth in 0..EXPIRED {
        let store = Arc::clone(&store);
        writers.spawn(async move { store.insert(&sample::code(), &sample::expired(61 + nth % 1_000)).await.unwrap() });
    }
    writers.join_all().await;
    let live = sample::code();
    assert_eq!(store.insert(&live, &sample::binding()).await.unwrap(), Inserted::Recorded);

    let mut sweepers = JoinSet::new();
    for _ in 0..4 {
        let store = database.pool_of(2).await.store(&database.table);
        sweepers.spawn(async move { store.delete_expired().await.unwrap() });
    }
    for _ in 0..100 {
        let code = sample::code();
        assert_eq!(store.insert(&code, &sample::binding()).await.unwrap(), Inserted::Recorded);
        assert!(matches!(store.redeem(&code, &sample::right()).await.unwrap(), Redemption::First(_)));
    }
    let swept = sweepers.join_all().await.into_iter().sum::<u64>() + store.delete_expired().await.unwrap();
    assert_eq!(swept, EXPIRED);
    let left = database.pool_of(1).await.number(&format!("SELECT COUNT(*) FROM {}", database.table)).await;
    assert_eq!(left, 101);
    assert!(matches!(store.redeem(&live, &sample::right()).await.unwrap(), Redemption::First(_)));
}

async fn a_record_is_kept_for_a_minute_after_its_end(database: Database) {
    let store = database.store().await;
    for seconds in [1, 30, 55, 65, 90] {
        assert_eq!(store.insert(&sample::code(), &sample::expired(seconds)).await.unwrap(), Inserted::Recorded);
    }
    assert_eq!(store.delete_expired().await.unwrap(), 2);
    assert_eq!(store.delete_expired().await.unwrap(), 0);
}

async fn an_expired_code_is_not_redeemed(database: Database) {
    let (store, code, binding) = (database.store().await, sample::code(), sample::expired(0));
    assert_eq!(store.insert(&code, &binding).await.unwrap(), Inserted::Recorded);
    // The core tells from the binding that it is expired.
    for attempt in [sample::right(), sample::wrong()] {
        assert_eq!(store.redeem(&code, &attempt).await.unwrap(), Redemption::Refused(binding.clone()));
    }
    let redeemed = format!("SELECT COUNT(*) FROM {} WHERE ticket IS NOT NULL", database.table);
    assert_eq!(database.pool_of(1).await.number(&redeemed).await, 0);
}

/// SQLite has one writer at a time, and a sweep that takes the lock again at once leaves it to nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn codes_are_bound_and_redeemed_while_sqlite_is_swept() {
    const EXPIRED: u64 = 20_000; // Forty batches.
    let Some(database) = Database::sqlite() else { return };
    let (store, table, long_ago) = (database.store().await, &database.table, sample::expired(600).issued_at());
    let long_ago = long_ago.as_epoch_millis();
    database
        .pool_of(1)
        .await
        .send(&format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {EXPIRED})
             INSERT INTO {table} (code_digest, code_challenge_method, proof, grant_record, issued_at, expires_at)
             SELECT randomblob(32), 'S256', randomblob(32), randomblob(2000), {long_ago}, {long_ago} + 60000 FROM n"
        ))
        .await;
    let sweeper = database.pool_of(1).await.store(table);
    let sweep = tokio::spawn(async move { sweeper.delete_expired().await.unwrap() });
    let mut codes = 0;
    while !sweep.is_finished() {
        let code = sample::code();
        assert_eq!(store.insert(&code, &sample::binding()).await.unwrap(), Inserted::Recorded);
        assert!(matches!(store.redeem(&code, &sample::right()).await.unwrap(), Redemption::First(_)));
        codes += 1;
    }
    assert_eq!(sweep.await.unwrap(), EXPIRED);
    println!("SQLite: {codes} codes while {EXPIRED} rows were swept");
    assert!(codes > 40, "{codes} codes in forty pauses");
}
