//! A Cluster of three masters, each with a replica.

use std::collections::HashMap;
use std::time::Duration;

use pkce_core::contract::Contract;
use pkce_core::{ChallengeStore, CodeDigest, StoreErrorKind};
use pkce_redis::RedisStore;
use pkce_test_servers::{Redis, RedisCluster};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::cluster_read_routing::RandomReplicaStrategy;
use tokio::sync::Mutex;

use crate::support::{Found, attempt, bind, cluster_store, key, recovered, redeem};

/// Six servers each: one Cluster at a time.
static ALONE: Mutex<()> = Mutex::const_new(());

const WAIT: Duration = Duration::from_millis(300);

/// Whose replicas have all that their masters have.
async fn cluster() -> Option<RedisCluster> {
    let cluster = RedisCluster::start()?;
    let is_linked = |node: &Redis| node.ask(&["INFO", "replication"]).unwrap().contains("master_link_status:up");
    for node in cluster.nodes() {
        node.ask(&["CONFIG", "SET", "repl-diskless-sync-delay", "0"]).unwrap();
    }
    while cluster.nodes().iter().filter(|node| is_linked(node)).count() < 3 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Some(cluster)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_keeps_the_contract() {
    let _alone = ALONE.lock().await;
    let Some(cluster) = cluster().await else { return };
    // One that would read from replicas, if there were anything to read.
    let reads = ClusterClient::builder(cluster.urls()).read_routing_strategy(RandomReplicaStrategy).build().unwrap();
    let other = RedisStore::new(reads.get_async_connection().await.unwrap()).wait_for_replicas(1, WAIT);
    let contract = Contract::new(cluster_store(&cluster).await).also_through(other);
    contract.live_codes(10_000).check().await.assert_passed();
    connections_killed_while_it_redeems(&cluster).await;
}

/// This client sends again by itself what was not answered.
async fn connections_killed_while_it_redeems(cluster: &RedisCluster) {
    let store = cluster_store(cluster).await;
    let (mut firsts, mut faults) = (0, 0);
    for _ in 0..10 {
        let mut racers = Vec::new();
        for _ in 0..100 {
            let (store, code) = (store.clone(), bind(&store).await);
            racers.push(tokio::spawn(async move { (code, redeem(&store, &code, &attempt()).await) }));
        }
        for master in cluster.masters() {
            cluster.nodes()[master].ask(&["CLIENT", "KILL", "TYPE", "normal"]).unwrap();
        }
        for racer in racers {
            let (code, found) = racer.await.unwrap();
            match found {
                Found::First => firsts += 1,
                Found::Fault(StoreErrorKind::Unavailable) => faults += 1,
                // Its own redemption, sent again, would be "again" without a ticket.
                found => panic!("{found:?}"),
            }
            let later = redeem(&store, &code, &attempt()).await;
            assert!(later == Found::Again || found != Found::First, "served twice: {later:?}");
        }
    }
    println!(
        "of 1000 redemptions over connections that were killed ten times {firsts} were answered, {faults} were not"
    );
    assert!(firsts > 500);
}

/// Binds codes until there are so many on this master.
async fn bind_at(store: &RedisStore<ClusterConnection>, cluster: &RedisCluster, master: usize) -> Vec<CodeDigest> {
    let mut codes = Vec::new();
    while codes.len() < 50 {
        let code = bind(store).await;
        if cluster.nodes()[master].ask(&["EXISTS", &key(&code)]).is_ok_and(|there| there == "1") {
            codes.push(code);
        }
    }
    codes
}

/// Cuts off a master's replica, redeems, and kills the master: the replica follows it and has none of that. Says how
/// often each code was served.
async fn failed_over_without_the_last_redemptions(
    cluster: &mut RedisCluster,
    store: &RedisStore<ClusterConnection>,
) -> HashMap<CodeDigest, usize> {
    let (master, replica) = a_master_and_its_replica(cluster);
    let codes = bind_at(store, cluster, master).await;
    // Every code has arrived at the replica; what comes now does not.
    let size = |node: usize| cluster.nodes()[node].ask(&["DBSIZE"]).unwrap();
    while size(master) != size(replica) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    cluster.node(replica).pause();
    cluster.node(master).ask(&["CLIENT", "KILL", "TYPE", "replica"]).unwrap();

    let mut served = HashMap::new();
    serve(store, &codes, &mut served).await;
    cluster.node(master).kill();
    cluster.node(replica).resume();
    cluster.wait_until_whole();
    recovered(store).await;
    serve(store, &codes, &mut served).await;
    served
}

async fn serve(store: &impl ChallengeStore, codes: &[CodeDigest], served: &mut HashMap<CodeDigest, usize>) {
    for code in codes {
        // Until it is answered, if that is soon: a client that comes again.
        let found = redeem(store, code, &attempt()).await;
        *served.entry(*code).or_default() += usize::from(found == Found::First);
    }
}

fn a_master_and_its_replica(cluster: &RedisCluster) -> (usize, usize) {
    let masters = cluster.masters();
    let master = masters[0];
    let port = format!("master_port:{}\r", cluster.nodes()[master].port());
    let is_its_replica = |nth: &usize| {
        !masters.contains(nth) && cluster.nodes()[*nth].ask(&["INFO", "replication"]).unwrap().contains(&port)
    };
    (master, (0..cluster.nodes().len()).find(is_its_replica).expect("a replica"))
}

/// What asynchronous replication can lose. Nothing is asserted of the number but that the way to it is the one meant.
#[tokio::test(flavor = "multi_thread")]
async fn a_master_that_fails_before_its_replica_has_the_redemptions_loses_them() {
    let _alone = ALONE.lock().await;
    let Some(mut cluster) = cluster().await else { return };
    let store = cluster_store(&cluster).await;
    let served = failed_over_without_the_last_redemptions(&mut cluster, &store).await;
    let twice = served.values().filter(|times| **times == 2).count();
    println!("without waiting for replicas {twice} of {} codes were served twice", served.len());
    assert!(served.values().all(|times| (1..=2).contains(times)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_that_fails_loses_no_redemption_that_was_waited_for() {
    let _alone = ALONE.lock().await;
    let Some(mut cluster) = cluster().await else { return };
    let store = cluster_store(&cluster).await.wait_for_replicas(1, Duration::from_millis(20));
    let served = failed_over_without_the_last_redemptions(&mut cluster, &store).await;
    let (twice, once) =
        (served.values().filter(|times| **times > 1).count(), served.values().filter(|times| **times == 1).count());
    println!("waiting for replicas {twice} of {} codes were served twice, {once} once", served.len());
    assert_eq!(twice, 0);
}

/// A master killed at some moment while everybody redeems: with and without waiting.
#[tokio::test(flavor = "multi_thread")]
async fn a_master_killed_while_everybody_redeems_serves_no_code_twice_if_it_is_waited_for() {
    let _alone = ALONE.lock().await;
    for waits in [false, true] {
        let Some(mut cluster) = cluster().await else { return };
        let plain = cluster_store(&cluster).await;
        let store = if waits { plain.clone().wait_for_replicas(1, WAIT) } else { plain };
        let mut racers = Vec::new();
        for _ in 0..1_000 {
            let code = bind(&store).await;
            // Two clients with the same code, and each comes again until it is told something.
            for _ in 0..2 {
                let store = store.clone();
                racers.push(tokio::spawn(async move { (code, redeem_until_answered(&store, &code).await) }));
            }
        }
        let victim = cluster.masters()[0];
        cluster.node(victim).kill();
        let mut served: HashMap<CodeDigest, usize> = HashMap::new();
        for racer in racers {
            let (code, found) = racer.await.unwrap();
            *served.entry(code).or_default() += usize::from(found == Found::First);
        }
        cluster.wait_until_whole();
        recovered(&store).await;
        for (code, times) in &mut served {
            *times += usize::from(redeem_until_answered(&store, code).await == Found::First);
        }
        let (twice, never) =
            (served.values().filter(|times| **times > 1).count(), served.values().filter(|times| **times == 0).count());
        println!("a master killed, waiting for replicas: {waits}: {twice} of 1000 codes served twice, {never} never");
        assert!(!waits || twice == 0);
    }
}

async fn redeem_until_answered(store: &impl ChallengeStore, code: &CodeDigest) -> Found {
    loop {
        match redeem(store, code, &attempt()).await {
            Found::Fault(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            found => return found,
        }
    }
}
