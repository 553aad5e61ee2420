//! Traces of the model, carried out with the real core and real stores. After each step both must have done the same.

mod drive;
mod search;

use std::path::PathBuf;
use std::sync::Arc;

use fixture_host::StoreUrl;
use pkce_core::store::ChallengeStore;
use pkce_model::{Bound, Caller, Protocol, Store};
use pkce_test_servers::{MariaDb, Postgres, Redis, RedisCluster};

use Caller::{OtherClient, Right, Without, Wrong};
use drive::{Clocks, Driver};
use search::{Chance, shortest, walk};

/// The cases whose kinds of step are all carried out.
fn cases(store: Store) -> Vec<Protocol> {
    let base = Protocol { store, faults: 2, ..Protocol::of(&[]) };
    let with = |callers: &[Caller]| Protocol { callers: callers.to_vec(), ..base.clone() };
    let client = Bound::ChallengeAndClient;
    vec![
        with(&[Right, Right]),
        with(&[Right, Wrong]),
        with(&[Right, Without]),
        Protocol { bound: client, ..with(&[Right, Right]) },
        Protocol { bound: client, ..with(&[OtherClient, Right]) },
        Protocol { bound: client, ..with(&[Right, Wrong]) },
        Protocol { bound: Bound::Nothing, ..with(&[Right, Wrong]) },
        Protocol { bound: Bound::NothingButClient, ..with(&[Right, OtherClient]) },
        Protocol { burns: true, ..with(&[Right, Wrong]) },
        // In passing time, with fewer faults.
        Protocol { time: true, faults: 1, network: store != Store::Memory, ..with(&[Right, Right]) },
        Protocol { time: true, faults: 0, bound: client, ..with(&[Right, OtherClient]) },
    ]
}

/// One trace for every kind of step, and some random ones. Returns how many were carried out.
async fn follow(kind: Store, store: Option<&Arc<dyn ChallengeStore>>, walks: u64) -> usize {
    let mut followed = 0;
    for (nth, protocol) in cases(kind).into_iter().enumerate() {
        let mut chance = Chance::new(nth as u64 + 1);
        let mut traces = shortest(&protocol);
        traces.extend((0..walks).map(|_| walk(&protocol, &mut chance)));
        for (start, trace) in traces {
            let clocks = Clocks::new();
            let store = store.map_or_else(|| clocks.memory_store(), Arc::clone);
            let mut driver = Driver::new(&protocol, store, clocks, start);
            for step in &trace {
                if let Err(difference) = driver.follow(*step).await {
                    panic!("{difference}\nat {step:?} of {trace:#?}\nin {protocol:?}");
                }
            }
            followed += 1;
        }
    }
    assert!(followed > 500, "{followed} traces");
    followed
}

/// At a store of this URL.
async fn follow_at(url: &str, kind: Store) {
    let store = url.parse::<StoreUrl>().unwrap().open().await.unwrap();
    follow(kind, Some(&store), 20).await;
}

#[tokio::test]
async fn the_core_and_the_store_in_memory_do_what_the_model_does() {
    follow(Store::Memory, None, 200).await;
}

#[tokio::test]
async fn the_core_and_redis_do_what_the_model_does() {
    let Some(redis) = Redis::start() else { return };
    follow_at(&redis.url(), Store::Redis).await;
}

#[tokio::test]
async fn the_core_and_a_redis_cluster_do_what_the_model_does() {
    let Some(cluster) = RedisCluster::start() else { return };
    let nodes: Vec<_> = cluster.nodes().iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
    follow_at(&format!("redis+cluster://{}", nodes.join(",")), Store::Redis).await;
}

#[tokio::test]
async fn the_core_and_postgresql_do_what_the_model_does() {
    let Some(postgres) = Postgres::start() else { return };
    follow_at(&postgres.url(), Store::Sql).await;
}

#[tokio::test]
async fn the_core_and_mariadb_do_what_the_model_does() {
    let Some(mariadb) = MariaDb::start() else { return };
    follow_at(&mariadb.url(), Store::Sql).await;
}

#[tokio::test]
async fn the_core_and_sqlite_do_what_the_model_does() {
    let file = File(std::env::temp_dir().join(format!("pkce-model-{}.db", std::process::id())));
    follow_at(&format!("sqlite://{}", file.0.display()), Store::Sql).await;
}

/// A trace that the model does not have: the comparison notices a core that does something else.
#[tokio::test]
async fn a_difference_between_the_model_and_the_core_is_noticed() {
    let protocol = Protocol::of(&[Right, Wrong]);
    // The model of a policy that burns, and a core whose policy does not.
    let burning = Protocol { burns: true, ..protocol.clone() };
    let mut differences = 0;
    for (start, trace) in shortest(&burning) {
        let clocks = Clocks::new();
        let mut driver = Driver::new(&protocol, clocks.memory_store(), clocks, start);
        driver.expect_of(burning.clone());
        for step in trace {
            if driver.follow(step).await.is_err() {
                differences += 1;
                break;
            }
        }
    }
    assert!(differences > 0);
}

/// Goes with what `SQLite` keeps beside it.
struct File(PathBuf);

impl Drop for File {
    fn drop(&mut self) {
        for beside in ["", "-wal", "-shm"] {
            let mut path = self.0.clone().into_os_string();
            path.push(beside);
            let _ = std::fs::remove_file(path);
        }
    }
}
