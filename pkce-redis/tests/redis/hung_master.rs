//! A master that hangs stops only its own slots.

use std::time::Duration;

use pkce_core::store::CodeDigest;
use pkce_test_servers::RedisCluster;
use tokio::time::timeout;

use crate::cluster::{ALONE, a_master_and_its_replica, bind_at, cluster};
use crate::load::load;
use crate::support::{ClusterStore, Found, attempt, cluster_store, redeem, until};

/// A Cluster in which no replica takes over until that is allowed, and whose other masters go on.
async fn patient() -> Option<RedisCluster> {
    let cluster = cluster().await?;
    for node in cluster.nodes() {
        node.ask(&["CONFIG", "SET", "cluster-replica-no-failover", "yes"]).unwrap();
        node.ask(&["CONFIG", "SET", "cluster-require-full-coverage", "no"]).unwrap();
    }
    Some(cluster)
}

/// The codes of one master, and those of the others.
async fn codes_of(store: &ClusterStore, cluster: &RedisCluster, master: usize) -> (Vec<CodeDigest>, Vec<CodeDigest>) {
    let mut others = Vec::new();
    for other in cluster.masters().into_iter().filter(|other| *other != master) {
        others.extend(bind_at(store, cluster, other).await);
    }
    (bind_at(store, cluster, master).await, others)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_that_hangs_stops_no_slots_but_its_own_and_is_followed_while_it_hangs() {
    let _alone = ALONE.lock().await;
    let Some(mut cluster) = patient().await else { return };
    let store = cluster_store(&cluster);
    let (master, replica) = a_master_and_its_replica(&cluster);
    let (its, others) = codes_of(&store, &cluster, master).await;

    cluster.node(master).pause();
    let length = Duration::from_secs(8);
    let (hung, healthy) = tokio::join!(load(&store, &its, length), load(&store, &others, length));
    println!("a master that hangs: of its slots {hung:?}, of the others {healthy:?}");
    assert_eq!(hung.answered, 0);
    assert_eq!(healthy.failed, 0);

    // Its replica takes over. The connection to the old master is still open, and unanswered.
    cluster.node(replica).ask(&["CONFIG", "SET", "cluster-replica-no-failover", "no"]).unwrap();
    until("the replica follows", || {
        cluster.nodes()[replica].ask(&["INFO", "replication"]).is_ok_and(|role| role.contains("role:master"))
    })
    .await;
    let mut followed = false;
    for _ in 0..20 {
        let load = load(&store, &its, Duration::from_secs(1)).await;
        followed = load.failed == 0;
        if followed {
            break;
        }
    }
    assert!(followed, "nobody follows the master that hangs");
    cluster.node(master).resume();
}

/// One call at a time, so that no other call shows that the connection works.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_to_another_master_need_not_wait_for_the_one_that_hangs() {
    let _alone = ALONE.lock().await;
    let Some(mut cluster) = patient().await else { return };
    let store = cluster_store(&cluster);
    let (master, _) = a_master_and_its_replica(&cluster);
    let (its, others) = codes_of(&store, &cluster, master).await;
    cluster.node(master).pause();
    for (hung, healthy) in its.iter().zip(&others).take(5) {
        let call = timeout(Duration::from_secs(2), redeem(&store, hung, &attempt())).await;
        assert!(!matches!(call, Ok(Found::First | Found::Again)), "{call:?}");
        let call = timeout(Duration::from_millis(500), redeem(&store, healthy, &attempt())).await;
        assert_eq!(call.ok(), Some(Found::First));
    }
    cluster.node(master).resume();
}
