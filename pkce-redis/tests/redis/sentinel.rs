//! Sentinel: the store follows the master.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use pkce_redis::{ReconnectingConnection, RedisStore};
use pkce_test_servers::Redis;
use redis::sentinel::{SentinelClient, SentinelServerType};
use tokio::sync::Mutex;

use crate::replicas::pair;
use crate::support::{Found, attempt, bind, recovered, redeem, until};

/// A Sentinel that needs no other to agree. Killed when dropped, or when the test's thread ends.
pub(crate) struct Sentinel {
    process: Child,
    port: u16,
}

impl Sentinel {
    pub(crate) fn of(master: u16) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let file = std::env::temp_dir().join(format!("pkce-sentinel-{}-{port}.conf", std::process::id()));
        let settings = format!(
            "port {port}\nbind 127.0.0.1\nprotected-mode no\nsentinel monitor mymaster 127.0.0.1 {master} 1\n\
             sentinel down-after-milliseconds mymaster 500\nsentinel failover-timeout mymaster 2000\n"
        );
        fs::write(&file, settings).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(Redis::program().unwrap()).arg(&file).arg("--sentinel");
        let process = command.stdout(Stdio::null()).spawn().unwrap();
        Self { process, port }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let file = std::env::temp_dir().join(format!("pkce-sentinel-{}-{}.conf", std::process::id(), self.port));
        let _ = fs::remove_file(file);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_follows_the_master_that_sentinel_names_and_serves_no_code_twice() {
    let Some((mut master, replica)) = pair().await else { return };
    let sentinel = Sentinel::of(master.port());
    let client =
        SentinelClient::build(vec![sentinel.url()], "mymaster".to_owned(), None, SentinelServerType::Master).unwrap();
    let client = Arc::new(Mutex::new(client));
    let connection = ReconnectingConnection::new(move || {
        let client = Arc::clone(&client);
        async move { client.lock().await.get_async_connection().await }
    });
    let store = RedisStore::new(connection).wait_for_replicas(1, Duration::from_millis(300));
    recovered(&store).await;
    let (served, live) = (bind(&store).await, bind(&store).await);
    assert_eq!(redeem(&store, &served, &attempt()).await, Found::First);
    // Sentinel must know the replica before it can promote it.
    let sentinel_knows = || {
        let client = redis::Client::open(sentinel.url()).unwrap();
        let mut connection = client.get_connection().unwrap();
        let replicas: Vec<redis::Value> =
            redis::cmd("SENTINEL").arg("REPLICAS").arg("mymaster").query(&mut connection).unwrap();
        replicas.len() == 1
    };
    until("Sentinel knows the replica", sentinel_knows).await;

    // The replica does not know the script.
    assert_eq!((scripts(&master), scripts(&replica)), (1, 0));
    master.kill();
    // There is no replica left to wait for.
    let store = store.wait_for_replicas(0, Duration::ZERO);
    recovered(&store).await;
    assert_eq!(redeem(&store, &served, &attempt()).await, Found::Again);
    assert_eq!(redeem(&store, &live, &attempt()).await, Found::First);
    assert_eq!(scripts(&replica), 1);
}

/// The number of scripts that it knows.
fn scripts(redis: &Redis) -> usize {
    let info = redis.ask(&["INFO", "memory"]).unwrap();
    info.lines().find_map(|line| line.strip_prefix("number_of_cached_scripts:")?.parse().ok()).unwrap()
}
