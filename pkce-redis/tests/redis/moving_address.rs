//! An address that leads to another server after a failover: that of a load balancer, of a Kubernetes service, of a name.

use std::time::{Duration, Instant};

use pkce_core::store::{ChallengeStore as _, CodeDigest, Inserted, StoreErrorKind};
use pkce_redis::{ReconnectingConnection, RedisStore};
use pkce_test_servers::{Proxy, Redis};
use tokio::time::sleep;

use crate::replicas::{caught_up, pair};
use crate::support::{Found, Store, attempt, bind, binding, code, managed_store, redeem, store, until, words};

const FAULT: Found = Found::Fault(StoreErrorKind::Unavailable);

/// A store that waits for no replica, and one that does.
fn stores(port: u16) -> [Store; 2] {
    [store(port), store(port).wait_for_replicas(1, Duration::from_millis(900))]
}

/// The replica becomes the master, and the master its replica.
fn swap(old: &Redis, new: &Redis) {
    promote(new);
    old.ask(&["REPLICAOF", "127.0.0.1", &new.port().to_string()]).unwrap();
}

fn promote(new: &Redis) {
    new.ask(&["REPLICAOF", "NO", "ONE"]).unwrap();
}

async fn replicated(new: &Redis, codes: usize) {
    until("the replica has every code", || new.ask(&["DBSIZE"]).unwrap() == codes.to_string()).await;
}

/// Calls for two seconds that all fail, with what an operator reads of each.
async fn fails(store: &Store, sentence: &str) {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(2) {
        assert_eq!(redeem(store, &code(), &attempt()).await, FAULT);
        let error = words(&store.insert(&code(), &binding()).await.unwrap_err());
        assert!(error.contains(sentence), "{error}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// It works within five seconds from now on, without a restart.
async fn works(store: &Store) {
    for _ in 0..100 {
        if store.insert(&code(), &binding()).await.is_ok_and(|inserted| inserted == Inserted::Recorded) {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("the connection does not follow the address");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_stays_open_to_a_demoted_server_follows_the_address() {
    let Some((old, new)) = pair().await else { return };
    let address = Proxy::to(old.port());
    let stores = stores(address.port());
    let (live, redeemed) = (bind(&stores[0]).await, bind(&stores[1]).await);
    for store in &stores {
        assert!(matches!(redeem(store, &redeemed, &attempt()).await, Found::First | Found::Again));
    }
    replicated(&new, 2).await;

    swap(&old, &new);
    for store in &stores {
        // For now the address leads to the old one, and so does every new connection.
        fails(store, "(READONLY)").await;
    }
    address.lead_to(new.port());
    for store in &stores {
        works(store).await;
        assert_eq!(redeem(store, &redeemed, &attempt()).await, Found::Again);
    }
    caught_up(&new).await;
    assert_eq!(redeem(&stores[1], &live, &attempt()).await, Found::First);
    assert_eq!(redeem(&stores[0], &live, &attempt()).await, Found::Again);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_restarted_as_a_replica_is_left_when_the_address_moves() {
    let Some((mut old, new)) = pair().await else { return };
    let address = Proxy::to(old.port());
    let stores = stores(address.port());
    let live = [bind(&stores[0]).await, bind(&stores[1]).await];
    replicated(&new, 2).await;

    old.kill();
    promote(&new);
    for store in &stores {
        fails(store, "the connection to Redis failed").await;
    }
    old.restart_with(&["--replicaof", "127.0.0.1", &new.port().to_string()]);
    for store in &stores {
        fails(store, "(READONLY)").await;
    }
    address.lead_to(new.port());
    caught_up(&new).await;
    for (store, live) in stores.iter().zip(live) {
        works(store).await;
        assert_eq!(redeem(store, &live, &attempt()).await, Found::First);
    }
}

/// A replica that has lost its master, and is told not to answer then.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_without_a_master_is_left_when_the_address_moves() {
    let Some((mut old, new)) = pair().await else { return };
    let address = Proxy::to(old.port());
    let store = store(address.port());
    let live = bind(&store).await;
    replicated(&new, 1).await;
    promote(&new);
    old.restart_with(&["--replicaof", "127.0.0.1", "1", "--replica-serve-stale-data", "no"]);
    fails(&store, "").await;
    address.lead_to(new.port());
    works(&store).await;
    assert_eq!(redeem(&store, &live, &attempt()).await, Found::First);
}

/// The old master is cut off from the new one, and knows none of its codes. A host that only redeems never writes there.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_only_redeems_does_not_stay_with_a_replica_that_knows_no_code() {
    let Some((old, new)) = pair().await else { return };
    let address = Proxy::to(old.port());
    let (redeems, issues) = (store(address.port()), store(new.port()));
    assert_eq!(redeem(&redeems, &code(), &attempt()).await, Found::Unknown);
    promote(&new);
    old.ask(&["REPLICAOF", "127.0.0.1", "1"]).unwrap();
    let code = bind(&issues).await;
    assert_eq!(redeem(&redeems, &code, &attempt()).await, FAULT);
    address.lead_to(new.port());
    until_redeemed(&redeems, &code).await;
}

async fn until_redeemed(store: &Store, code: &CodeDigest) {
    for _ in 0..100 {
        match redeem(store, code, &attempt()).await {
            FAULT => sleep(Duration::from_millis(50)).await,
            found => return assert_eq!(found, Found::First),
        }
    }
    panic!("the connection does not follow the address");
}

/// A demoted server has written nothing, so the store sends the command again, and nobody notices the failover.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_a_demoted_server_rejected_is_sent_to_the_new_master() {
    for waits in [false, true] {
        let Some((old, new)) = pair().await else { return };
        let address = Proxy::to(old.port());
        let store = &stores(address.port())[usize::from(waits)];
        let (live, other) = (bind(store).await, bind(store).await);
        replicated(&new, 2).await;
        swap(&old, &new);
        caught_up(&new).await;
        address.lead_to(new.port());
        assert_eq!(redeem(store, &live, &attempt()).await, Found::First);
        assert_eq!(redeem(store, &live, &attempt()).await, Found::Again);
        assert_eq!(redeem(store, &other, &attempt()).await, Found::First);
    }
}

/// A busy host does not flood the old server with connections while the address stays.
#[tokio::test(flavor = "multi_thread")]
async fn while_the_server_is_demoted_most_calls_make_no_connection() {
    let Some(old) = Redis::start() else { return };
    let store = RedisStore::new(ReconnectingConnection::with_client(redis::Client::open(old.url()).unwrap()));
    bind(&store).await;
    old.ask(&["REPLICAOF", "127.0.0.1", "1"]).unwrap();
    let connections = || -> usize {
        let info = old.ask(&["INFO", "stats"]).unwrap();
        info.lines().find_map(|line| line.strip_prefix("total_connections_received:")?.parse().ok()).unwrap()
    };
    let (before, began) = (connections(), Instant::now());
    for _ in 0..1_000 {
        assert_eq!(redeem(&store, &code(), &attempt()).await, FAULT);
    }
    let made = connections() - before;
    let quarters = usize::try_from(began.elapsed().as_millis() / 250).unwrap();
    // The first one, one a quarter of a second, and the two that ask.
    assert!((1..=quarters + 4).contains(&made), "{made} connections in {quarters} quarters of a second");
}

/// Why the crate's page warns of it. Should this fail one day, that page can be shorter.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_manager_stays_with_a_demoted_server() {
    let Some((old, new)) = pair().await else { return };
    let address = Proxy::to(old.port());
    let (managed, reconnecting) = (managed_store(address.port()).await, store(address.port()));
    let live = bind(&managed).await;
    replicated(&new, 1).await;
    swap(&old, &new);
    address.lead_to(new.port());
    works(&reconnecting).await;
    for _ in 0..20 {
        assert_eq!(redeem(&managed, &live, &attempt()).await, FAULT);
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(redeem(&reconnecting, &live, &attempt()).await, Found::First);
}

/// Two clients for each code, each of which tries until it gets a reply, while the master and its replica are swapped.
#[tokio::test(flavor = "multi_thread")]
async fn codes_redeemed_while_the_address_moves_are_served_once() {
    const CODES: usize = 400;
    let Some((old, new)) = pair().await else { return };
    let address = Proxy::to(old.port());
    let [_, store] = stores(address.port());
    let mut codes = Vec::new();
    for _ in 0..CODES {
        codes.push(bind(&store).await);
    }
    replicated(&new, CODES).await;
    let (first, rest) = codes.split_at(CODES / 4);
    for code in first {
        assert_eq!(redeem(&store, code, &attempt()).await, Found::First);
    }
    let clients: Vec<_> = codes.iter().chain(rest).map(|code| tokio::spawn(redeemed(store.clone(), *code))).collect();
    sleep(Duration::from_millis(20)).await;
    swap(&old, &new);
    sleep(Duration::from_secs(1)).await;
    address.lead_to(new.port());
    let mut served = 0;
    for client in clients {
        served += usize::from(client.await.unwrap());
    }
    assert_eq!(served, CODES - first.len());
}

async fn redeemed(store: Store, code: CodeDigest) -> bool {
    // Its attempts have one ticket: a redemption that was marked, but had not reached the replica, is served after all.
    let attempt = attempt();
    loop {
        match redeem(&store, &code, &attempt).await {
            FAULT => sleep(Duration::from_millis(50)).await,
            found => return found == Found::First,
        }
    }
}

/// Nobody is told that the old connections have ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_vanishes_is_left_for_the_one_that_has_its_address() {
    let Some(redis) = Redis::start() else { return };
    let address = Proxy::to(redis.port());
    let store = store(address.port());
    let code = bind(&store).await;
    address.vanish();
    assert_eq!(redeem(&store, &code, &attempt()).await, FAULT);
    works(&store).await;
    assert_eq!(redeem(&store, &code, &attempt()).await, Found::First);
}
