//! A master and its replica: what a redemption that waits for it is worth.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use pkce_core::store::{ChallengeStore as _, StoreErrorKind};
use pkce_redis::{RedisStore, Renewed};
use pkce_test_servers::Redis;

use crate::support::{Found, attempt, bind, recovered, redeem, store, until, words};

/// Whether it has a replica that has acknowledged all there is: one that is merely online sends its first acknowledgement by
/// its own clock, once a second. So that there is something, the master is told to send a ping each second.
pub(crate) fn has_replica(master: &Redis) -> bool {
    let said = master.ask(&["INFO", "replication"]).unwrap();
    let offset = said.lines().find_map(|line| line.strip_prefix("master_repl_offset:")).unwrap().trim();
    offset != "0" && said.contains(&format!("state=online,offset={offset},"))
}

/// A master and its replica.
pub(crate) async fn pair() -> Option<(Redis, Redis)> {
    let master = Redis::start_with(&["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"])?;
    let replica = Redis::start_with(&["--replicaof", "127.0.0.1", &master.port().to_string()])?;
    until("the replica has all of it", || has_replica(&master)).await;
    Some((master, replica))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redemption_that_too_few_replicas_have_is_an_error_and_marks_the_code() {
    let Some((master, replica)) = pair().await else { return };
    let plain = store(master.port()).await;
    let waiting = plain.clone().wait_for_replicas(1, Duration::from_millis(300));
    assert_eq!(redeem(&waiting, &bind(&waiting).await, &attempt()).await, Found::First);

    replica.pause();
    let (code, attempted) = (bind(&waiting).await, attempt());
    let began = Instant::now();
    let error = waiting.redeem(&code, &attempted).await.unwrap_err();
    assert!(began.elapsed() >= Duration::from_millis(300));
    assert_eq!(
        words(&error),
        "the challenge store is unavailable: 0 of the 1 replicas demanded acknowledged the redemption in time"
    );
    // Sent again it is not taken for acknowledged either, by a connection that has written nothing yet.
    let fresh = store(master.port()).await.wait_for_replicas(1, Duration::from_millis(300));
    assert_eq!(redeem(&fresh, &code, &attempted).await, Found::Fault(StoreErrorKind::Unavailable));
    // What serves nobody needs no replica.
    assert_eq!(redeem(&waiting, &code, &attempt()).await, Found::Again);
    assert_eq!(redeem(&plain, &code, &attempted).await, Found::First);

    replica.resume();
    recovered(&waiting).await;
    assert_eq!(redeem(&waiting, &code, &attempted).await, Found::First);
}

/// As after a fail-over that Sentinel or an operator has made.
#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_connection_leaves_a_master_that_has_become_a_replica() {
    let Some((old, new)) = pair().await else { return };
    let master = Arc::new(AtomicU16::new(old.port()));
    let store = RedisStore::new(Renewed::new({
        let master = Arc::clone(&master);
        move || {
            let url = format!("redis://127.0.0.1:{}", master.load(Ordering::SeqCst));
            async move { redis::Client::open(url)?.get_multiplexed_async_connection().await }
        }
    }));
    let (code, live) = (bind(&store).await, bind(&store).await);
    until("the replica has both", || new.ask(&["DBSIZE"]).unwrap() == "2").await;
    new.ask(&["REPLICAOF", "NO", "ONE"]).unwrap();
    old.ask(&["REPLICAOF", "127.0.0.1", &new.port().to_string()]).unwrap();
    master.store(new.port(), Ordering::SeqCst);
    let fault = Found::Fault(StoreErrorKind::Unavailable);
    assert_eq!(redeem(&store, &code, &attempt()).await, fault);
    assert_eq!(redeem(&store, &code, &attempt()).await, Found::First);
    assert_eq!(redeem(&store, &live, &attempt()).await, Found::First);
}

/// A server that is not the master any more knows what it knew then: it may refuse, but it serves nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_serves_nobody() {
    let Some((master, replica)) = pair().await else { return };
    let (master, replica) = (store(master.port()).await, store(replica.port()).await);
    let waiting = master.clone().wait_for_replicas(1, Duration::from_millis(900));
    let (live, redeemed) = (bind(&waiting).await, bind(&waiting).await);
    assert_eq!(redeem(&waiting, &redeemed, &attempt()).await, Found::First);
    let error = replica.redeem(&live, &attempt()).await.unwrap_err();
    assert_eq!(words(&error), "the challenge store is unavailable: Redis answered with the error READONLY");
    assert_eq!(redeem(&replica, &redeemed, &attempt()).await, Found::Again);
    assert_eq!(redeem(&master, &live, &attempt()).await, Found::First);
}
