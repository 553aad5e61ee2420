//! A Redis Cluster.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::program;
use crate::redis::Redis;

/// Three masters and three replicas. A master that is killed is replaced after some two seconds.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<Redis>,
}

impl RedisCluster {
    /// Starts one; `None` if this machine has no Redis.
    pub fn start() -> Option<Self> {
        let client = program::find("redis-cli")?;
        let settings =
            ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-replica-validity-factor", "0"];
        let nodes = (0..6).map(|_| Redis::start_node(&settings)).collect::<Option<Vec<_>>>()?;
        let addresses = nodes.iter().map(|node| format!("127.0.0.1:{}", node.port()));
        let mut create = Command::new(client);
        create.args(["--cluster", "create"]).args(addresses).args(["--cluster-replicas", "1", "--cluster-yes"]);
        let said = create.output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stdout));
        let cluster = Self { nodes };
        cluster.wait_until_whole();
        let has_replica = |nth: &usize| {
            cluster.nodes.get(*nth).and_then(|node| replication(node, "connected_slaves")).is_some_and(|n| n != "0")
        };
        wait_until("every master has its replica", || cluster.masters().iter().all(has_replica));
        Some(cluster)
    }

    /// The six nodes.
    pub fn nodes(&self) -> &[Redis] {
        &self.nodes
    }

    /// The URLs of the six nodes.
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(Redis::url).collect()
    }

    /// Which of the nodes are masters that run.
    pub fn masters(&self) -> Vec<usize> {
        let nodes = self.nodes.iter().enumerate();
        nodes.filter(|(_, node)| replication(node, "role").as_deref() == Some("master")).map(|(nth, _)| nth).collect()
    }

    /// A node by its number, to kill it, to stop it for a while, to start it again.
    pub fn node(&mut self, nth: usize) -> &mut Redis {
        self.nodes.get_mut(nth).unwrap()
    }

    /// Waits until there are three masters and every node that runs knows one for every slot.
    pub fn wait_until_whole(&self) {
        wait_until("the cluster is whole", || self.is_whole());
    }

    fn is_whole(&self) -> bool {
        let running = || self.nodes.iter().filter(|node| node.ask(&["PING"]).is_ok());
        running().all(|node| node.ask(&["CLUSTER", "INFO"]).is_ok_and(|info| info.contains("cluster_state:ok")))
            && self.masters().len() == 3
    }
}

fn replication(node: &Redis, field: &str) -> Option<String> {
    let info = node.ask(&["INFO", "replication"]).ok()?;
    let mut lines = info.lines().filter_map(|line| line.split_once(':'));
    lines.find_map(|(name, value)| (name == field).then(|| value.trim().to_owned()))
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "waited in vain until {what}");
        thread::sleep(Duration::from_millis(50));
    }
}
