//! A Cluster of three masters, each with a replica.

use std::collections::HashMap;
use std::time::Duration;

use pkce_core::contract::Contract;
use pkce_core::store::{ChallengeStore, CodeDigest, StoreErrorKind};
use pkce_redis::RedisStore;
use pkce_test_servers::{Proxy, Redis, RedisCluster};
use redis::cluster::ClusterClient;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::replicas::has_acknowledged;
use crate::support::{ClusterStore, Found, attempt, bind, cluster_store, key, recovered, redeem, until};

/// Six servers each: one Cluster at a time.
pub(crate) static ALONE: Mutex<()> = Mutex::const_new(());

/// Long for a replica on the same machine, short for the calls that queue behind it if there is none.
const WAIT: Duration = Duration::from_millis(100);

pub(crate) async fn cluster() -> Option<RedisCluster> {
    let cluster = RedisCluster::start()?;
    wait_for_replicas(&cluster).await;
    Some(cluster)
}

/// Waits until every replica has everything that its master has.
async fn wait_for_replicas(cluster: &RedisCluster) {
    for node in cluster.nodes() {
        // One by one: Redis 6 sets no two at once.
        node.ask(&["CONFIG", "SET", "repl-diskless-sync-delay", "0"]).unwrap();
        node.ask(&["CONFIG", "SET", "repl-ping-replica-period", "1"]).unwrap();
    }
    let mut offsets = vec![None; cluster.nodes().len()];
    until("every master has its replica", || {
        let nodes = cluster.nodes().iter().zip(&mut offsets);
        nodes.filter_map(|(node, offset)| has_acknowledged(node, offset).then_some(())).count() == 3
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_keeps_the_contract_and_survives_its_connections() {
    let _alone = ALONE.lock().await;
    let Some(cluster) = cluster().await else { return };
    // It would read from replicas, if there were anything to read.
    #[expect(deprecated, reason = "what replaces it is newer than the oldest version that is supported")]
    let reads = ClusterClient::builder(cluster.urls()).read_from_replicas().build().unwrap();
    let other = RedisStore::new(reads.get_async_connection().await.unwrap());
    let other = other.wait_for_replicas(1, Duration::from_secs(4));
    let contract = Contract::new(cluster_store(&cluster)).also_through(other);
    contract.live_codes(10_000).check().await.assert_passed();
    connections_killed_while_it_redeems(&cluster).await;
    a_redemption_that_arrives_twice_is_one(&cluster).await;
}

/// The client alone can stop for good here. Replaced if it does not answer, it does not.
async fn connections_killed_while_it_redeems(cluster: &RedisCluster) {
    let store = cluster_store(cluster);
    let mut answered = 0;
    for _ in 0..5 {
        let mut codes = Vec::new();
        for _ in 0..200 {
            codes.push(bind(&store).await);
        }
        let redeem = |code| {
            let store = store.clone();
            tokio::spawn(async move { (code, redeem(&store, &code, &attempt()).await) })
        };
        let redeemers: Vec<_> = codes.into_iter().map(redeem).collect();
        for master in cluster.masters() {
            cluster.nodes()[master].ask(&["CLIENT", "KILL", "TYPE", "normal"]).unwrap();
        }
        let mut served = Vec::new();
        for redeemer in redeemers {
            let (code, found) = redeemer.await.unwrap();
            // Without the ticket, its own redemption sent again would be `Again`.
            assert!(matches!(found, Found::First | Found::Fault(StoreErrorKind::Unavailable)), "{found:?}");
            served.extend((found == Found::First).then_some(code));
        }
        recovered(&store).await;
        answered += served.len();
        for code in served {
            assert_eq!(redeem_until_answered(&store, &code).await, Found::Again);
        }
    }
    println!("of 1000 redemptions over a Cluster's connections that were killed five times {answered} were answered");
}

/// This client sends again what was not answered.
async fn a_redemption_that_arrives_twice_is_one(cluster: &RedisCluster) {
    let mut proxies = Vec::new();
    for master in cluster.masters() {
        let node = &cluster.nodes()[master];
        let proxy = Proxy::to(node.port());
        node.ask(&["CONFIG", "SET", "cluster-announce-port", &proxy.port().to_string()]).unwrap();
        proxies.push(proxy);
    }
    let announced = |node: &Redis| {
        let known = node.ask(&["CLUSTER", "NODES"]).unwrap();
        proxies.iter().all(|proxy| known.contains(&format!("127.0.0.1:{}@", proxy.port())))
    };
    until("every node names the proxies", || cluster.nodes().iter().all(announced)).await;
    let urls: Vec<_> = proxies.iter().map(|proxy| format!("redis://127.0.0.1:{}", proxy.port())).collect();
    let client = ClusterClient::new(urls).unwrap();
    for _ in 0..20 {
        let store = RedisStore::new(client.get_async_connection().await.unwrap());
        let code = bind(&store).await;
        let before = scripts_run(cluster);
        proxies.iter().for_each(Proxy::lose_answers);
        let redeeming = tokio::spawn({
            let store = store.clone();
            async move { timeout(Duration::from_secs(5), redeem(&store, &code, &attempt())).await }
        });
        tokio::time::sleep(Duration::from_millis(50)).await;
        proxies.iter().for_each(Proxy::resume);
        let Ok(found) = redeeming.await.unwrap() else { continue };
        if scripts_run(cluster) - before > 1 {
            assert_eq!(found, Found::First);
            let later = RedisStore::new(client.get_async_connection().await.unwrap());
            assert_eq!(redeem(&later, &code, &attempt()).await, Found::Again);
            return;
        }
    }
    panic!("no redemption was sent again");
}

/// How often a script was run by its digest, on all masters.
fn scripts_run(cluster: &RedisCluster) -> usize {
    let runs = |master: usize| -> usize {
        let stats = cluster.nodes()[master].ask(&["INFO", "commandstats"]).unwrap();
        let line = stats.lines().find(|line| line.starts_with("cmdstat_evalsha:")).unwrap_or_default();
        let number = |name: &str| line.split([':', ',']).find_map(|field| field.strip_prefix(name)?.parse().ok());
        number("calls=").unwrap_or(0) - number("failed_calls=").unwrap_or(0)
    };
    cluster.masters().into_iter().map(runs).sum()
}

/// Binds codes until this master has fifty of them.
pub(crate) async fn bind_at(store: &ClusterStore, cluster: &RedisCluster, master: usize) -> Vec<CodeDigest> {
    let mut codes = Vec::new();
    while codes.len() < 50 {
        let code = bind(store).await;
        if cluster.nodes()[master].ask(&["EXISTS", &key(&code)]).is_ok_and(|there| there == "1") {
            codes.push(code);
        }
    }
    codes
}

/// Cuts off a master's replica, redeems, and kills the master: the replica takes over, without the redemptions. The old
/// master comes back as its replica. Returns how often each code was served.
async fn failed_over_without_the_last_redemptions(
    cluster: &mut RedisCluster,
    store: &ClusterStore,
) -> HashMap<CodeDigest, usize> {
    let (master, replica) = a_master_and_its_replica(cluster);
    let codes = bind_at(store, cluster, master).await;
    // The replica has every code, but will not get the redemptions.
    let size = |node: usize| cluster.nodes()[node].ask(&["DBSIZE"]).unwrap();
    until("the replica has every code", || size(master) == size(replica)).await;
    cluster.node(replica).pause();
    cluster.node(master).ask(&["CLIENT", "KILL", "TYPE", "replica"]).unwrap();

    let mut served = HashMap::new();
    serve(store, &codes, &mut served).await;
    cluster.node(master).kill();
    cluster.node(replica).resume();
    cluster.wait_until_whole();
    cluster.node(master).restart();
    wait_for_replicas(cluster).await;
    // Each time a code of any master: the last one to recover is among them.
    for _ in 0..30 {
        recovered(store).await;
    }
    serve(store, &codes, &mut served).await;
    served
}

async fn serve(store: &impl ChallengeStore, codes: &[CodeDigest], served: &mut HashMap<CodeDigest, usize>) {
    for code in codes {
        // One attempt, as of a client that tries again.
        let found = redeem(store, code, &attempt()).await;
        *served.entry(*code).or_default() += usize::from(found == Found::First);
    }
}

pub(crate) fn a_master_and_its_replica(cluster: &RedisCluster) -> (usize, usize) {
    let masters = cluster.masters();
    let master = masters[0];
    let port = format!("master_port:{}\r", cluster.nodes()[master].port());
    let is_its_replica = |nth: &usize| {
        !masters.contains(nth) && cluster.nodes()[*nth].ask(&["INFO", "replication"]).unwrap().contains(&port)
    };
    (master, (0..cluster.nodes().len()).find(is_its_replica).expect("a replica"))
}

/// What asynchronous replication can lose. The crate's page warns of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_master_that_fails_before_its_replica_has_a_redemption_loses_it() {
    let _alone = ALONE.lock().await;
    let Some(mut cluster) = cluster().await else { return };
    let store = cluster_store(&cluster);
    let served = failed_over_without_the_last_redemptions(&mut cluster, &store).await;
    let (_, twice) = counted("a replica cut off, then its master killed", &served);
    assert!(twice > 0, "the way to lose a redemption is another one now");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_that_fails_loses_no_redemption_that_was_waited_for() {
    let _alone = ALONE.lock().await;
    let Some(mut cluster) = cluster().await else { return };
    let store = cluster_store(&cluster).wait_for_replicas(1, WAIT);
    let served = failed_over_without_the_last_redemptions(&mut cluster, &store).await;
    // Marked in vain on the master that was killed; served by the one that took over.
    assert_eq!(counted("the same, waiting for replicas", &served), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_killed_while_everybody_redeems_is_followed_without_a_restart() {
    let _alone = ALONE.lock().await;
    let Some(mut cluster) = cluster().await else { return };
    let store = cluster_store(&cluster);
    let served = killed_while_everybody_redeems(&mut cluster, &store).await;
    counted("a master killed", &served);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_killed_while_everybody_redeems_serves_no_code_twice_if_replicas_are_waited_for() {
    let _alone = ALONE.lock().await;
    let Some(mut cluster) = cluster().await else { return };
    let store = cluster_store(&cluster).wait_for_replicas(1, WAIT);
    let served = killed_while_everybody_redeems(&mut cluster, &store).await;
    assert_eq!(counted("a master killed, waiting for replicas", &served).1, 0);
}

/// Two clients for each code, each of which tries until it gets a reply; then one more.
async fn killed_while_everybody_redeems(
    cluster: &mut RedisCluster,
    store: &ClusterStore,
) -> HashMap<CodeDigest, usize> {
    let mut served = HashMap::new();
    for _ in 0..1_000 {
        served.insert(bind(store).await, 0);
    }
    let redeemers = served.keys().flat_map(|code| [*code, *code]).map(|code| {
        let store = store.clone();
        tokio::spawn(async move { (code, redeem_until_answered(&store, &code).await) })
    });
    let mut redeemers: Vec<_> = redeemers.collect();
    let rest = redeemers.split_off(300);
    let mut count = |(code, found): (CodeDigest, Found)| {
        *served.entry(code).or_default() += usize::from(found == Found::First);
    };
    for redeemer in redeemers {
        count(redeemer.await.unwrap());
    }
    let victim = cluster.masters()[0];
    cluster.node(victim).kill();
    cluster.wait_until_whole();
    cluster.node(victim).restart();
    wait_for_replicas(cluster).await;
    for redeemer in rest {
        count(redeemer.await.unwrap());
    }
    recovered(store).await;
    for code in served.keys().copied().collect::<Vec<_>>() {
        let found = redeem_until_answered(store, &code).await;
        *served.entry(code).or_default() += usize::from(found == Found::First);
    }
    served
}

async fn redeem_until_answered(store: &impl ChallengeStore, code: &CodeDigest) -> Found {
    loop {
        match redeem(store, code, &attempt()).await {
            Found::Fault(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            found => return found,
        }
    }
}

/// The number of codes that were never served, and of those that were served more than once.
fn counted(what: &str, served: &HashMap<CodeDigest, usize>) -> (usize, usize) {
    let never = served.values().filter(|times| **times == 0).count();
    let twice = served.values().filter(|times| **times > 1).count();
    println!("{what}: of {} codes {twice} were served twice, {never} never", served.len());
    (never, twice)
}
