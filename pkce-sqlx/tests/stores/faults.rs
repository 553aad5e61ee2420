//! Connections that break, hang and lose responses; databases that reject.

use std::time::Duration;

use futures_util::future::join_all;
use pkce_core::store::{Inserted, Redemption, StoreErrorKind};
use pkce_core::{AuthorizationCode, CodeVerifier, Pkce, Reason};
use pkce_test_servers::Proxy;
use tokio::time::{sleep, timeout};

use crate::database::{Database, on_every_database, on_every_server};
use crate::pool::Store;
use crate::sample;

on_every_database! {
    a_store_without_its_table_is_unavailable
}

mod on_the_wire {
    use super::*;

    on_every_server! {
        connections_that_were_cut_cost_no_call
        a_redemption_whose_response_was_lost_is_its_own_and_nobody_elses
        an_insert_whose_response_was_lost_knows_its_own_record_and_no_other
        a_database_that_hung_is_used_again_when_it_goes_on
        connections_to_a_machine_that_vanished_are_replaced
    }
}

/// Many servers are set to end connections that are idle; the pool learns of it when it uses them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_the_server_ended_cost_no_call_on_postgresql() {
    let Some(mut database) = Database::postgres() else { return };
    database.address += "&options[idle_session_timeout]=300ms";
    connections_that_the_server_ended_cost_no_call(database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_the_server_ended_cost_no_call_on_mariadb() {
    let Some(mut database) = Database::mariadb() else { return };
    database.on_connect = Some("SET SESSION wait_timeout = 1");
    connections_that_the_server_ended_cost_no_call(database).await;
}

async fn connections_that_the_server_ended_cost_no_call(mut database: Database) {
    database.test_before_acquire = false;
    let (pool, code) = (database.pool_of(20).await, sample::code());
    let store = pool.store(&database.table);
    store.create_table().await.unwrap();
    pool.open(20).await;
    sleep(Duration::from_millis(1500)).await;
    assert_eq!(store.insert(&code, &sample::binding()).await.unwrap(), Inserted::Recorded);
    pool.open(20).await;
    sleep(Duration::from_millis(1500)).await;
    assert!(matches!(store.redeem(&code, &sample::right()).await.unwrap(), Redemption::First(_)));
}

/// Several connections, idle in the pool.
async fn warm(store: &dyn Store) {
    let (code, attempt) = (sample::code(), sample::right());
    for found in join_all((0..4).map(|_| store.redeem(&code, &attempt))).await {
        assert_eq!(found.unwrap(), Redemption::Unknown);
    }
}

/// Also in a pool that does not test them: the statement is sent again, which its ticket makes safe.
async fn connections_that_were_cut_cost_no_call(mut database: Database) {
    let proxy = database.by_proxy();
    database.test_before_acquire = false;
    let store = database.store().await;
    for _ in 0..5 {
        let (code, attempt) = (sample::code(), sample::right());
        warm(&*store).await;
        proxy.cut();
        assert_eq!(store.insert(&code, &sample::binding()).await.unwrap(), Inserted::Recorded);
        warm(&*store).await;
        proxy.cut();
        assert!(matches!(store.redeem(&code, &attempt).await.unwrap(), Redemption::First(_)));
        warm(&*store).await;
        proxy.cut();
        store.restore(&code, attempt.ticket()).await.unwrap();
        assert!(matches!(store.redeem(&code, &sample::right()).await.unwrap(), Redemption::First(_)));
    }
}

async fn a_redemption_whose_response_was_lost_is_its_own_and_nobody_elses(mut database: Database) {
    let proxy = database.by_proxy();
    database.test_before_acquire = false;
    let store = database.store().await;
    for _ in 0..5 {
        let (code, attempt, binding) = (sample::code(), sample::right(), sample::binding());
        assert_eq!(store.insert(&code, &binding).await.unwrap(), Inserted::Recorded);
        warm(&*store).await;
        // Until none of them is being given back: what is lost is the response to the redemption.
        sleep(Duration::from_millis(200)).await;
        proxy.lose_answers();
        let error = store.redeem(&code, &attempt).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        proxy.resume();
        let found = store.redeem(&code, &sample::right()).await.unwrap();
        assert_eq!(found, Redemption::Again { binding: binding.clone(), ticket: attempt.ticket(), at: attempt.at() });
        assert_eq!(store.redeem(&code, &attempt).await.unwrap(), Redemption::First(binding));
    }
}

async fn an_insert_whose_response_was_lost_knows_its_own_record_and_no_other(mut database: Database) {
    let proxy = database.by_proxy();
    database.test_before_acquire = false;
    let store = database.store().await;
    for binding in [sample::binding(), sample::binding_without_challenge()] {
        let code = sample::code();
        lose_a_response(&*store, &proxy).await;
        assert_eq!(store.insert(&code, &binding).await.unwrap(), Inserted::Recorded);
        // One that is another's, if only in its grant, or one that was redeemed, is none of its own.
        lose_a_response(&*store, &proxy).await;
        assert_eq!(
            store.insert(&code, &sample::binding_with(b"another grant".to_vec())).await.unwrap(),
            Inserted::Occupied
        );
        let attempt = if binding.proof().is_some() { sample::right() } else { sample::without_proof() };
        assert_eq!(store.redeem(&code, &attempt).await.unwrap(), Redemption::First(binding.clone()));
        lose_a_response(&*store, &proxy).await;
        assert_eq!(store.insert(&code, &binding).await.unwrap(), Inserted::Occupied);
        assert_eq!(store.redeem(&code, &attempt).await.unwrap(), Redemption::First(binding));
    }
}

/// The next one: what is prepared is prepared, and every connection is idle.
async fn lose_a_response(store: &dyn Store, proxy: &Proxy) {
    for _ in 0..2 {
        assert_eq!(store.insert(&sample::code(), &sample::binding()).await.unwrap(), Inserted::Recorded);
    }
    sleep(Duration::from_millis(100)).await;
    proxy.lose_an_answer();
}

async fn a_database_that_hung_is_used_again_when_it_goes_on(mut database: Database) {
    let proxy = database.by_proxy();
    let store = database.store().await;
    let (codes, attempt) = ([(); 20].map(|()| sample::code()), sample::right());
    for code in &codes {
        assert_eq!(store.insert(code, &sample::binding()).await.unwrap(), Inserted::Recorded);
    }
    warm(&*store).await;
    proxy.hang();
    // The core ends a call like this, after two seconds.
    let hung = codes.iter().map(|code| timeout(Duration::from_millis(300), store.redeem(code, &attempt)));
    assert!(join_all(hung).await.iter().all(Result::is_err));
    proxy.resume();
    for code in &codes {
        let found = timeout(Duration::from_secs(5), store.redeem(code, &sample::right())).await.unwrap().unwrap();
        match found {
            Redemption::First(_) => {}
            Redemption::Again { ticket, .. } if ticket == attempt.ticket() => {}
            found => panic!("{found:?}"),
        }
    }
}

/// Nothing tells that these connections are dead, and sqlx would wait for a connection that is given back.
async fn connections_to_a_machine_that_vanished_are_replaced(mut database: Database) {
    let proxy = database.by_proxy();
    database.test_before_acquire = false;
    let (pool, code, attempt) = (database.pool_of(4).await, sample::code(), sample::right());
    let store = pool.store(&database.table);
    store.create_table().await.unwrap();
    assert_eq!(store.insert(&code, &sample::binding()).await.unwrap(), Inserted::Recorded);
    pool.open(4).await;
    sleep(Duration::from_millis(200)).await;
    proxy.vanish();
    let lost = (0..4).map(|_| timeout(Duration::from_millis(300), store.redeem(&code, &attempt)));
    assert!(join_all(lost).await.iter().all(Result::is_err));
    let found = timeout(Duration::from_secs(2), store.redeem(&code, &attempt)).await;
    assert!(matches!(found, Ok(Ok(Redemption::First(_)))), "{found:?}");
}

/// SQLite hangs while another connection writes and does not finish.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_sqlite_is_given_up_in_time_and_used_again_when_it_goes_on() {
    let Some(database) = Database::sqlite() else { return };
    let pkce = Pkce::new(database.store().await);
    let (code, verifier) = (AuthorizationCode::generate().unwrap(), CodeVerifier::generate().unwrap());
    pkce.bind(&code, verifier.challenge()).await.unwrap();
    let other = database.pool_of(1).await;
    other.send("BEGIN IMMEDIATE").await;
    let redeemed = timeout(Duration::from_secs(15), pkce.redeem(code.as_str(), Some(verifier.as_str()))).await.unwrap();
    let rejection = redeemed.unwrap_err();
    assert_eq!((rejection.status(), rejection.reason()), (503, Reason::StoreTimedOut));
    other.send("COMMIT").await;

    // The redemption that was given up may be carried out now. Then its client starts over.
    let _ = pkce.redeem(code.as_str(), Some(verifier.as_str())).await;
    assert!(pkce.redeem(code.as_str(), Some(verifier.as_str())).await.is_err());
    let code = AuthorizationCode::generate().unwrap();
    pkce.bind(&code, verifier.challenge()).await.unwrap();
    assert!(pkce.redeem(code.as_str(), Some(verifier.as_str())).await.is_ok());
}

async fn a_store_without_its_table_is_unavailable(database: Database) {
    let (store, code) = (database.pool().await.store(&database.table), sample::code());
    let errors = [
        store.insert(&code, &sample::binding()).await.unwrap_err(),
        store.redeem(&code, &sample::right()).await.unwrap_err(),
        store.restore(&code, sample::right().ticket()).await.unwrap_err(),
        store.delete_expired().await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
    }
}
