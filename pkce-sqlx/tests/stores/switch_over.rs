//! The primary is demoted, its replica takes over and gets its address; the process with the store goes on.

use std::error::Error as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use pkce_core::store::{CodeDigest, Inserted, Redemption};
use tokio::time::{sleep, timeout};

use crate::pair::Pair;
use crate::pool::Store;
use crate::sample;

/// How many connections the pool has.
const CONNECTIONS: u32 = 4;

macro_rules! on_every_pair {
    ($($test:ident)*) => {
        on_every_pair!(postgres: $($test)*);
        on_every_pair!(mariadb: $($test)*);
    };
    ($pair:ident: $($test:ident)*) => {
        mod $pair {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                if let Some(pair) = crate::pair::Pair::$pair().await {
                    super::$test(pair).await;
                }
            })*
        }
    };
}

on_every_pair! {
    connections_that_stay_open_to_a_demoted_server_cost_no_call
    a_time_in_which_every_connection_leads_to_a_demoted_server_ends_with_the_move
    a_server_that_is_started_again_as_a_replica_before_the_address_moves_is_left
}

/// A store whose pool is full of connections to the primary, and a code that the replica has.
async fn warm(pair: &Pair) -> (Arc<dyn Store>, CodeDigest) {
    let pool = pair.database.pool_of(CONNECTIONS).await;
    let (store, code) = (pool.store(&pair.database.table), sample::code());
    assert_eq!(store.insert(&code, &sample::binding()).await.unwrap(), Inserted::Recorded);
    pair.is_replicated(&code).await;
    pool.open(CONNECTIONS as usize).await;
    sleep(Duration::from_millis(200)).await;
    (store, code)
}

/// The code is redeemed once; new ones are bound and redeemed on all connections.
async fn goes_on(store: &dyn Store, code: &CodeDigest) {
    assert!(matches!(store.redeem(code, &sample::right()).await.unwrap(), Redemption::First(_)));
    join_all((0..20).map(|_| async {
        let code = sample::code();
        assert_eq!(store.insert(&code, &sample::binding()).await.unwrap(), Inserted::Recorded);
        assert!(matches!(store.redeem(&code, &sample::right()).await.unwrap(), Redemption::First(_)));
    }))
    .await;
    assert!(matches!(store.redeem(code, &sample::right()).await.unwrap(), Redemption::Again { .. }));
}

async fn connections_that_stay_open_to_a_demoted_server_cost_no_call(pair: Pair) {
    let (store, code) = warm(&pair).await;
    pair.demote().await;
    pair.promote().await;
    goes_on(&*store, &code).await;
}

async fn a_time_in_which_every_connection_leads_to_a_demoted_server_ends_with_the_move(pair: Pair) {
    let (store, code) = warm(&pair).await;
    pair.demote().await;
    every_call_fails_for_a_while(&pair, &store).await;
    pair.promote().await;
    a_call_succeeds(&*store).await;
    goes_on(&*store, &code).await;
}

async fn a_server_that_is_started_again_as_a_replica_before_the_address_moves_is_left(mut pair: Pair) {
    let (store, code) = warm(&pair).await;
    pair.restart_demoted();
    every_call_fails_for_a_while(&pair, &store).await;
    pair.promote().await;
    a_call_succeeds(&*store).await;
    goes_on(&*store, &code).await;
}

/// Six requests at a time, for three seconds. The log says why they fail, and the demoted server is not flooded: of
/// new connections it has at most as many in a second as the pool may have.
async fn every_call_fails_for_a_while(pair: &Pair, store: &Arc<dyn Store>) {
    let (before, began) = (pair.connections_of_primary().await, Instant::now());
    let callers = (0..6).map(|_| {
        let store = Arc::clone(store);
        tokio::spawn(async move {
            let mut failed = 0;
            while began.elapsed() < Duration::from_secs(3) {
                let (code, attempt) = (sample::code(), sample::right());
                let error = match failed % 3 {
                    0 => store.redeem(&code, &attempt).await.unwrap_err(),
                    1 => store.insert(&code, &sample::binding()).await.unwrap_err(),
                    _ => store.restore(&code, attempt.ticket()).await.unwrap_err(),
                };
                let source = error.source().unwrap().to_string();
                assert!(source.starts_with("the database is read-only: "), "{source}");
                failed += 1;
            }
            failed
        })
    });
    let failed: u32 = join_all(callers).await.into_iter().map(Result::unwrap).sum();
    assert!(failed > 100, "only {failed} calls: the test shows nothing");
    // What a connection adds to the server's count may arrive a little late.
    sleep(Duration::from_millis(500)).await;
    let opened = pair.connections_of_primary().await - before;
    let periods = i64::try_from(began.elapsed().as_secs()).unwrap() + 2;
    println!("{}: {failed} calls failed, {opened} connections were opened", pair.database.name);
    assert!(opened > i64::from(CONNECTIONS), "{opened} connections: none was replaced a second time");
    assert!(opened <= i64::from(CONNECTIONS) * periods + 5, "{opened} connections");
}

/// Not at once, if every connection was replaced in this second already; but long before the pool would replace them.
async fn a_call_succeeds(store: &dyn Store) {
    let success = async {
        while store.redeem(&sample::code(), &sample::right()).await.is_err() {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(10), success).await.expect("the store stays with the demoted server");
}
