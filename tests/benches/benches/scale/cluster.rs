//! What a sign-in takes of the masters of a Redis Cluster: a `bind` and a token request, each with one command.

use pkce_benches::report;
use pkce_benches::requests::{CLIENT_ID, REDIRECT_URI, body, challenge};
use pkce_core::Pkce;
use pkce_core::adapter::{Body, Request};
use pkce_redis::RedisStore;
use pkce_test_servers::RedisCluster;
use tokio::task::JoinSet;

const TASKS: usize = 64;
const SIGN_INS: usize = 16_384;

/// The values that the servers count themselves, for one sign-in. Their replicas take no part.
pub(crate) async fn measure() {
    let Some(cluster) = RedisCluster::start() else { return };
    let client = redis::cluster::ClusterClient::new(cluster.urls()).unwrap();
    let pkce = Pkce::new(RedisStore::new(client.get_async_connection().await.unwrap()));
    for (name, is_bound) in [("unbound", false), ("bound to client and redirect URI", true)] {
        // The first ones load the script, and learn whether codes are bound.
        sign_ins(&pkce, &format!("first-{is_bound}"), 1_024, is_bound).await;
        let before = spent(&cluster);
        sign_ins(&pkce, &format!("code-{is_bound}"), SIGN_INS, is_bound).await;
        let after = spent(&cluster);
        let names = ["SET", "EVALSHA", "other commands", "bytes in", "bytes out", "µs of the masters' cores"];
        for ((value, after), before) in names.into_iter().zip(after).zip(before) {
            let each = (after - before) / f64::from(u32::try_from(SIGN_INS).unwrap());
            report::value(&format!("Redis Cluster, {name}: {value}"), each);
        }
    }
}

async fn sign_ins(pkce: &Pkce, prefix: &str, count: usize, is_bound: bool) {
    let mut running = JoinSet::new();
    for task in 0..TASKS {
        let (pkce, prefix) = (pkce.clone(), prefix.to_owned());
        running.spawn(async move {
            for nth in 0..count / TASKS {
                let code = format!("{prefix}-{task}-{nth}");
                let mut bind = pkce.bind(&code, challenge().unwrap());
                if is_bound {
                    bind = bind.client_id(CLIENT_ID).redirect_uri(REDIRECT_URI);
                }
                bind.await.unwrap();
                let body = body(&code);
                let request = Request::new("POST", Body::Complete(body.as_bytes()));
                let request = request.header("content-type", b"application/x-www-form-urlencoded");
                assert!(pkce.judge(&request).await.is_ok());
            }
        });
    }
    running.join_all().await;
}

/// What the masters have spent so far: calls of SET and of EVALSHA, other calls, bytes in and out, microseconds.
fn spent(cluster: &RedisCluster) -> [f64; 6] {
    let mut sums = [0.0; 6];
    for nth in cluster.masters() {
        let node = cluster.nodes().get(nth).unwrap();
        let info = ["commandstats", "stats", "cpu"].map(|section| node.ask(&["INFO", section]).unwrap()).concat();
        for (name, value) in info.lines().filter_map(|line| line.trim().split_once(':')) {
            let calls = || value.split([',', '=']).nth(1).and_then(|calls| calls.parse().ok()).unwrap_or(0.0);
            let number = || value.parse().unwrap_or(0.0);
            let (place, more) = match name {
                "cmdstat_set" => (0, calls()),
                "cmdstat_evalsha" => (1, calls()),
                // Of the script; of the servers among themselves; and this question.
                "cmdstat_get" | "cmdstat_setrange" | "cmdstat_replconf" | "cmdstat_ping" | "cmdstat_info" => continue,
                "total_net_input_bytes" => (3, number()),
                "total_net_output_bytes" => (4, number()),
                "used_cpu_user" | "used_cpu_sys" => (5, number() * 1e6),
                _ if name.starts_with("cmdstat_") => (2, calls()),
                _ => continue,
            };
            *sums.get_mut(place).unwrap() += more;
        }
    }
    sums
}
