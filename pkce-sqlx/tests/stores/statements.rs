//! What goes over the wire and onto the disk, counted by the servers themselves.

use std::fs;

use pkce_core::store::{Inserted, Redemption};
use pkce_test_servers::{MariaDb, Postgres};

use crate::database::Database;
use crate::pool::{Pool, Store, leaked};
use crate::sample;

/// The verbs, in their order, each as often as it takes for its statement to be prepared.
async fn each_verb(store: &dyn Store, mut after: impl FnMut(&'static str)) {
    for _ in 0..3 {
        let (code, attempt) = (sample::code(), sample::right());
        assert_eq!(store.insert(&code, &sample::binding()).await.unwrap(), Inserted::Recorded);
        after("insert");
        assert!(matches!(store.redeem(&code, &sample::wrong()).await.unwrap(), Redemption::Refused(_)));
        after("a redeem that is refused");
        assert!(matches!(store.redeem(&code, &attempt).await.unwrap(), Redemption::First(_)));
        after("a redeem that is the first");
        assert!(matches!(store.redeem(&code, &sample::right()).await.unwrap(), Redemption::Again { .. }));
        after("a redeem that is a replay");
        store.restore(&code, attempt.ticket()).await.unwrap();
        after("restore");
        assert_eq!(store.redeem(&sample::code(), &sample::right()).await.unwrap(), Redemption::Unknown);
        after("a redeem of nothing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_verb_is_one_statement_on_postgresql() {
    let Some(server) = Postgres::start_with(&["-c", "log_statement=all"]) else { return };
    let store = Database::at("PostgreSQL", server.url()).store().await;
    let executed = || server.log().matches("LOG:  execute ").count() + server.log().matches("LOG:  statement:").count();
    let mut before = executed();
    each_verb(&*store, |verb| {
        assert_eq!(executed() - before, 1, "{verb}: {}", server.log());
        before = executed();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_verb_is_one_statement_on_mariadb_and_redeem_is_two() {
    let Some(server) = MariaDb::start_with(&["--general-log", "--general-log-file=general.log"]) else { return };
    let store = Database::at("MariaDB", server.url()).store().await;
    let executed = || server.file("general.log").matches(" Execute\t").count();
    let mut before = executed();
    each_verb(&*store, |verb| {
        let expected = match verb {
            "a redeem of nothing" => 3,
            verb if verb.contains("redeem") => 2,
            _ => 1,
        };
        assert_eq!(executed() - before, expected, "{verb}: {}", server.file("general.log"));
        before = executed();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_is_not_granted_writes_nothing_on_postgresql() {
    let Some(database) = Database::postgres() else { return };
    let (store, pool) = (database.store().await, database.pool_of(1).await);
    let (code, granted) = (sample::code(), sample::right());
    // The row's own record of who wrote or locked it last.
    let row = format!("SELECT xmin::text::bigint * 4294967296 + xmax::text::bigint FROM {}", database.table);
    assert_eq!(store.insert(&code, &sample::binding()).await.unwrap(), Inserted::Recorded);
    let inserted = pool.number(&row).await;
    for attempt in [sample::wrong(), sample::without_proof()] {
        assert!(matches!(store.redeem(&code, &attempt).await.unwrap(), Redemption::Refused(_)));
        assert_eq!(pool.number(&row).await, inserted);
    }
    assert!(matches!(store.redeem(&code, &granted).await.unwrap(), Redemption::First(_)));
    let redeemed = pool.number(&row).await;
    assert_ne!(redeemed, inserted);
    for attempt in [sample::right(), granted] {
        assert_ne!(store.redeem(&code, &attempt).await.unwrap(), Redemption::Unknown);
        assert_eq!(pool.number(&row).await, redeemed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_is_not_granted_writes_nothing_on_sqlite() {
    let Some(database) = Database::sqlite() else { return };
    let (store, code, granted) = (database.store().await, sample::code(), sample::right());
    let written = || fs::metadata(format!("{}-wal", database.address)).unwrap().len();
    assert_eq!(store.insert(&code, &sample::binding_with(vec![7; 100_000])).await.unwrap(), Inserted::Recorded);
    let inserted = written();
    for attempt in [sample::wrong(), sample::without_proof()] {
        assert!(matches!(store.redeem(&code, &attempt).await.unwrap(), Redemption::Refused(_)));
        assert_eq!(written(), inserted);
    }
    assert!(matches!(store.redeem(&code, &granted).await.unwrap(), Redemption::First(_)));
    let redeemed = written();
    assert!(redeemed > inserted);
    for attempt in [sample::right(), granted] {
        assert_ne!(store.redeem(&code, &attempt).await.unwrap(), Redemption::Unknown);
        assert_eq!(written(), redeemed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_holds_the_code_alone_cannot_make_the_client_wait_on_postgresql() {
    let Some(database) = Database::postgres() else { return };
    let (store, code) = (database.store().await, sample::code());
    assert_eq!(store.insert(&code, &sample::binding()).await.unwrap(), Inserted::Recorded);
    let Pool::Postgres(pool) = database.pool_of(1).await else { return };
    // The row is locked by somebody: a stranger's attempt does not queue for it.
    let mut transaction = pool.begin().await.unwrap();
    let lock = leaked(&format!("SELECT 1 FROM {} FOR UPDATE", database.table));
    sqlx::query(lock).execute(&mut *transaction).await.unwrap();
    for attempt in [sample::wrong(), sample::without_proof()] {
        assert!(matches!(store.redeem(&code, &attempt).await.unwrap(), Redemption::Refused(_)));
    }
    transaction.rollback().await.unwrap();
}
