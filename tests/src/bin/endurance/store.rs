//! The stores, and what can happen to each.

use std::fmt;
use std::str::FromStr;
use std::thread;
use std::time::{Duration, Instant};

use pkce_test_servers::{MASTER, Proxy, Redis, RedisCluster, Sentinel};
use pkce_tests::Backend;

use crate::chance::Chance;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Redis,
    RedisSentinel,
    RedisCluster,
    Postgres,
    MariaDb,
    Sqlite,
}

const NAMES: [(&str, Kind); 6] = [
    ("redis", Kind::Redis),
    ("redis-sentinel", Kind::RedisSentinel),
    ("redis-cluster", Kind::RedisCluster),
    ("postgres", Kind::Postgres),
    ("mariadb", Kind::MariaDb),
    ("sqlite", Kind::Sqlite),
];

impl FromStr for Kind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = NAMES.iter().find(|(known, _)| *known == name);
        known.map(|(_, kind)| *kind).ok_or_else(|| format!("there is no store {name:?}"))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAMES.iter().find(|(_, kind)| kind == self).map_or("", |(name, _)| name))
    }
}

/// A store that runs.
pub(crate) enum Store {
    /// One server, and the proxy through which everybody reaches it.
    Single(Backend, Proxy),
    /// Redemptions wait for the replica of their master.
    Cluster(RedisCluster),
    /// Two servers of which one is the master. Redemptions wait for the other.
    Sentinel(Box<[Redis; 2]>, Sentinel),
    /// A file.
    File(Backend),
}

/// What was done to a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    ConnectionsCut,
    ReplyLost,
    AllRepliesLost,
    ConnectionsHung,
    ServerStopped,
    ServerKilled,
    MasterKilled,
}

impl Store {
    pub(crate) fn start(kind: Kind) -> Option<Self> {
        let single = |kind| {
            let backend = Backend::start(kind)?;
            let proxy = Proxy::to(backend.port());
            Some(Self::Single(backend, proxy))
        };
        match kind {
            Kind::Redis => single(pkce_tests::Kind::Redis),
            Kind::Postgres => single(pkce_tests::Kind::Postgres),
            Kind::MariaDb => single(pkce_tests::Kind::MariaDb),
            Kind::Sqlite => Some(Self::File(Backend::start(pkce_tests::Kind::Sqlite)?)),
            Kind::RedisCluster => Some(Self::Cluster(RedisCluster::start()?)),
            Kind::RedisSentinel => {
                let settings = ["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"];
                let master = Redis::start_with(&settings)?;
                let replica = Redis::start_with(&settings)?;
                replica.ask(&["REPLICAOF", "127.0.0.1", &master.port().to_string()]).ok()?;
                let sentinel = Sentinel::of(master.port())?;
                wait_until(|| sentinel.replicas() == 1 && is_replicated(&master));
                Some(Self::Sentinel(Box::new([master, replica]), sentinel))
            }
        }
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Single(backend, proxy) => backend.url_at(proxy.port()),
            Self::File(backend) => backend.url(),
            Self::Cluster(cluster) => {
                let nodes: Vec<_> = cluster.nodes().iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
                format!("redis+cluster://{}?replicas=1", nodes.join(","))
            }
            Self::Sentinel(_, sentinel) => {
                format!("redis+sentinel://127.0.0.1:{}/{MASTER}?replicas=1", sentinel.port())
            }
        }
    }

    /// Does something to it, and returns once it works again. A file cannot fail.
    pub(crate) fn fail(&mut self, chance: &mut Chance) -> Option<Fault> {
        match self {
            Self::Single(backend, proxy) => Some(fail_single(backend, proxy, chance)),
            Self::Cluster(cluster) => Some(fail_cluster(cluster, chance)),
            Self::Sentinel(servers, sentinel) => Some(fail_over(servers, sentinel, chance)),
            Self::File(_) => None,
        }
    }
}

fn fail_single(backend: &mut Backend, proxy: &Proxy, chance: &mut Chance) -> Fault {
    match chance.below(12) {
        0..4 => {
            proxy.cut();
            Fault::ConnectionsCut
        }
        4..7 => {
            proxy.lose_an_answer();
            Fault::ReplyLost
        }
        7 => {
            proxy.lose_answers();
            pause(chance, 200);
            proxy.resume();
            Fault::AllRepliesLost
        }
        8 => {
            proxy.hang();
            pause(chance, 2500);
            proxy.resume();
            Fault::ConnectionsHung
        }
        9 => {
            backend.pause();
            pause(chance, 2500);
            backend.resume();
            Fault::ServerStopped
        }
        _ => {
            backend.kill();
            pause(chance, 500);
            backend.restart();
            Fault::ServerKilled
        }
    }
}

fn fail_cluster(cluster: &mut RedisCluster, chance: &mut Chance) -> Fault {
    let masters = cluster.masters();
    let nth = usize::try_from(chance.below(3)).unwrap_or_default();
    let Some(victim) = masters.get(nth).copied() else { return Fault::ServerStopped };
    if chance.below(3) == 0 {
        // Long enough for its replica to take over, or too short.
        cluster.node(victim).pause();
        pause(chance, 4000);
        cluster.node(victim).resume();
        cluster.wait_until_whole();
        return Fault::ServerStopped;
    }
    cluster.node(victim).kill();
    pause(chance, 3000);
    cluster.wait_until_whole();
    cluster.node(victim).restart();
    cluster.wait_until_whole();
    let nodes = cluster.nodes();
    wait_until(|| cluster.masters().iter().all(|nth| nodes.get(*nth).is_some_and(is_replicated)));
    Fault::MasterKilled
}

/// The Sentinel makes the other one the master, and later the killed one its replica.
fn fail_over(servers: &mut [Redis; 2], sentinel: &Sentinel, chance: &mut Chance) -> Fault {
    let Some(port) = sentinel.master() else { return Fault::ServerStopped };
    let [first, second] = servers;
    let (master, other) = if first.port() == port { (first, second) } else { (second, first) };
    if chance.below(3) == 0 {
        master.pause();
        pause(chance, 3000);
        master.resume();
        wait_until(|| {
            sentinel.master().is_some_and(|port| is_replicated(if port == master.port() { master } else { other }))
        });
        return Fault::ServerStopped;
    }
    master.kill();
    wait_until(|| sentinel.master() == Some(other.port()));
    pause(chance, 1000);
    master.restart();
    // Sentinel would wait for ten seconds before it does this.
    let _ = master.ask(&["REPLICAOF", "127.0.0.1", &other.port().to_string()]);
    wait_until(|| is_replicated(other));
    Fault::MasterKilled
}

fn is_replicated(master: &Redis) -> bool {
    master.ask(&["INFO", "replication"]).is_ok_and(|info| info.contains("role:master") && info.contains("state=online"))
}

fn pause(chance: &mut Chance, millis: u64) {
    thread::sleep(Duration::from_millis(chance.below(millis)));
}

fn wait_until(mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "the store does not recover");
        thread::sleep(Duration::from_millis(20));
    }
}
