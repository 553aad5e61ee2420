//! A master and its replica: redemptions that wait for it, and what the replica answers.

use std::time::{Duration, Instant};

use pkce_core::store::{Attempt, ChallengeStore as _, StoreErrorKind};
use pkce_test_servers::Redis;

use crate::support::{Found, WRONG, attempt, bind, binding, code, recovered, redeem, store, ticket, until, words};

const READONLY: &str =
    "the challenge store is unavailable: the connection leads to a replica, which accepts no writes (READONLY)";

/// Waits until the replica of this master has what the master has now.
pub(crate) async fn caught_up(master: &Redis) {
    let mut offset = None;
    until("the replica has all of it", || has_acknowledged(master, &mut offset)).await;
}

/// Whether a replica has acknowledged the master's replication offset as it was at the first call.
///
/// A replica that is merely online sends its first acknowledgement up to a second later. The master sends a ping each
/// second, so that there is something to acknowledge; so the offset of now may never be the acknowledged one.
pub(crate) fn has_acknowledged(master: &Redis, offset: &mut Option<u64>) -> bool {
    let said = master.ask(&["INFO", "replication"]).unwrap_or_default();
    let now = said.lines().find_map(|line| line.strip_prefix("master_repl_offset:")?.trim().parse().ok());
    *offset = offset.or(now.filter(|now| *now > 0));
    let acknowledged =
        said.split_once("state=online,offset=").and_then(|(_, rest)| rest.split(',').next()?.parse().ok());
    matches!((*offset, acknowledged), (Some(offset), Some(acknowledged)) if offset <= acknowledged)
}

/// A master and its replica.
pub(crate) async fn pair() -> Option<(Redis, Redis)> {
    let master = Redis::start_with(&["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"])?;
    let replica = Redis::start_with(&["--replicaof", "127.0.0.1", &master.port().to_string()])?;
    caught_up(&master).await;
    Some((master, replica))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redemption_that_too_few_replicas_have_is_an_error_and_marks_the_code() {
    let Some((master, replica)) = pair().await else { return };
    let plain = store(master.port());
    let waiting = plain.clone().wait_for_replicas(1, Duration::from_millis(300));
    assert_eq!(redeem(&waiting, &bind(&waiting).await, &attempt()).await, Found::First);

    replica.pause();
    let (code, attempted) = (bind(&waiting).await, attempt());
    let began = Instant::now();
    let error = waiting.redeem(&code, &attempted).await.unwrap_err();
    assert!(began.elapsed() >= Duration::from_millis(300));
    assert_eq!(
        words(&error),
        "the challenge store is unavailable: 0 of 1 replicas acknowledged the redemption in time"
    );
    // Sent again it is not taken for acknowledged either, by a connection that has written nothing yet.
    let fresh = store(master.port()).wait_for_replicas(1, Duration::from_millis(300));
    assert_eq!(redeem(&fresh, &code, &attempted).await, Found::Fault(StoreErrorKind::Unavailable));
    // What serves nobody needs no replica.
    assert_eq!(redeem(&waiting, &code, &attempt()).await, Found::Again);
    assert_eq!(redeem(&plain, &code, &attempted).await, Found::First);

    replica.resume();
    recovered(&waiting).await;
    assert_eq!(redeem(&waiting, &code, &attempted).await, Found::First);
}

/// It may have missed what the master wrote, so it does not even say that a code is unknown.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_answers_nobody() {
    let Some((master, replica)) = pair().await else { return };
    let (master, replica) = (store(master.port()), store(replica.port()));
    let waiting = master.clone().wait_for_replicas(1, Duration::from_millis(900));
    let (live, redeemed, by) = (bind(&waiting).await, bind(&waiting).await, attempt());
    assert_eq!(redeem(&waiting, &redeemed, &by).await, Found::First);
    for code in [live, redeemed, code()] {
        for attempt in [attempt(), Attempt::new(Some(WRONG), ticket(), attempt().at())] {
            let error = replica.redeem(&code, &attempt).await.unwrap_err();
            assert_eq!(words(&error), READONLY);
        }
        assert_eq!(words(&replica.restore(&code, by.ticket()).await.unwrap_err()), READONLY);
        assert_eq!(words(&replica.insert(&code, &binding()).await.unwrap_err()), READONLY);
    }
    assert_eq!(redeem(&master, &redeemed, &attempt()).await, Found::Again);
    assert_eq!(redeem(&master, &live, &attempt()).await, Found::First);
}
