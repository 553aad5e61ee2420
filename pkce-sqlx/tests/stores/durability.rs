//! What was confirmed is on the disk: no response before the commit, and no commit that a crash undoes.

use std::error::Error as _;
use std::time::Duration;

use pkce_core::store::{Inserted, Redemption, StoreError, StoreErrorKind};
use pkce_test_servers::Postgres;
use tokio::time::timeout;

use crate::database::Database;
use crate::sample;

/// The row is sent before the commit, and with a large grant it arrives before it, too.
async fn a_redemption_whose_commit_fails_is_an_error(database: Database, deny: &str, allow: &str) {
    let (store, pool) = (database.store().await, database.pool_of(1).await);
    let (code, binding) = (sample::code(), sample::binding_with(vec![7; 1 << 20]));
    assert_eq!(store.insert(&code, &binding).await.unwrap(), Inserted::Recorded);
    pool.send(&deny.replace("CODES", &database.table.to_string())).await;
    for _ in 0..3 {
        let error = store.redeem(&code, &sample::right()).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
        assert_eq!(store.redeem(&code, &sample::wrong()).await.unwrap(), Redemption::Refused(binding.clone()));
    }
    pool.send(&allow.replace("CODES", &database.table.to_string())).await;
    assert_eq!(store.redeem(&code, &sample::right()).await.unwrap(), Redemption::First(binding));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redemption_whose_commit_fails_is_an_error_on_postgresql() {
    let Some(database) = Database::postgres() else { return };
    let deny = "CREATE FUNCTION deny() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'denied'; END $$;
        CREATE CONSTRAINT TRIGGER deny AFTER UPDATE ON CODES DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION deny()";
    a_redemption_whose_commit_fails_is_an_error(database, deny, "DROP TRIGGER deny ON CODES").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redemption_whose_commit_fails_is_an_error_on_sqlite() {
    let Some(database) = Database::sqlite() else { return };
    let deny = "CREATE TABLE parent (id INTEGER PRIMARY KEY);
        CREATE TABLE child (id INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
        CREATE TRIGGER deny AFTER UPDATE ON CODES WHEN new.ticket IS NOT old.ticket
        BEGIN INSERT INTO child VALUES (1); END";
    a_redemption_whose_commit_fails_is_an_error(database, deny, "DROP TRIGGER deny").await;
}

/// Anything else that is committed so may be gone; the test sees to it that this is such a server.
#[tokio::test(flavor = "multi_thread")]
async fn a_redemption_outlives_a_crash_also_where_synchronous_commit_is_off() {
    let late = ["-c", "synchronous_commit=off", "-c", "wal_writer_delay=10s", "-c", "wal_writer_flush_after=0"];
    let Some(mut server) = Postgres::start_with(&late) else { return };
    let mut others_lost = 0;
    for _ in 0..3 {
        let database = Database::at("PostgreSQL", server.url());
        let (store, pool) = (database.store().await, database.pool().await);
        let (code, attempt) = (sample::code(), sample::right());
        assert_eq!(store.insert(&code, &sample::binding()).await.unwrap(), Inserted::Recorded);
        pool.send("CREATE TABLE IF NOT EXISTS others (id BIGINT)").await;
        let before = pool.number("SELECT COUNT(*) FROM others").await;
        assert!(matches!(store.redeem(&code, &attempt).await.unwrap(), Redemption::First(_)));
        pool.send("INSERT INTO others VALUES (1)").await;
        server.restart();

        let pool = database.pool().await;
        let found = pool.store(&database.table).redeem(&code, &sample::right()).await.unwrap();
        assert!(matches!(found, Redemption::Again { ticket, .. } if ticket == attempt.ticket()), "{found:?}");
        others_lost += before + 1 - pool.number("SELECT COUNT(*) FROM others").await;
    }
    assert!(others_lost > 0, "this server loses nothing, so the test shows nothing");
}

/// Without autocommit nothing is committed: what was redeemed would be served again, and what was bound would be lost.
/// So nothing is done, and nothing is left locked for those whose connections commit.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_without_autocommit_does_nothing_and_says_so() {
    let Some(mut database) = Database::mariadb() else { return };
    let store = database.store().await;
    database.on_connect = Some("SET autocommit = 0");
    let without = database.pool_of(1).await.store(&database.table);
    let (code, other, attempt) = (sample::code(), sample::code(), sample::right());
    assert_eq!(store.insert(&sample::code(), &sample::expired(100)).await.unwrap(), Inserted::Recorded);
    assert_eq!(store.insert(&code, &sample::binding()).await.unwrap(), Inserted::Recorded);

    let errors = [
        without.redeem(&sample::code(), &attempt).await.unwrap_err(),
        without.redeem(&code, &attempt).await.unwrap_err(),
        without.insert(&other, &sample::binding()).await.unwrap_err(),
        without.delete_expired().await.unwrap_err(),
    ];
    let told = |error: &StoreError| error.source().unwrap().to_string();
    assert_eq!(errors.each_ref().map(told), ["the connection is not in autocommit mode"; 4]);

    let of =
        async |code| timeout(Duration::from_secs(5), store.redeem(code, &attempt)).await.expect("not locked").unwrap();
    assert!(matches!(of(&code).await, Redemption::First(_)));
    assert_eq!(of(&other).await, Redemption::Unknown);
    let error = without.restore(&code, attempt.ticket()).await.unwrap_err();
    assert_eq!(told(&error), "the connection is not in autocommit mode");
    assert!(matches!(store.redeem(&code, &sample::right()).await.unwrap(), Redemption::Again { .. }));
    assert_eq!(store.delete_expired().await.unwrap(), 1);
}
