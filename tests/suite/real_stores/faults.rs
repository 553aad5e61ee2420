//! Real stores that fail under servers that run: nothing is served twice, and when the store is back the servers go on
//! without a restart.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pkce_core::CodeVerifier;
use pkce_test_servers::{Proxy, Redis};
use pkce_tests::{Backend, Kind, Program, Result, allow, location, parameter};
use playground::{Flow, Wire};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{all_is_well, on_stores, servers};

on_stores! {
    [redis Redis, postgres Postgres, mariadb MariaDb] {
        a_store_that_hangs_is_given_up_in_time,
        a_store_that_is_killed_serves_no_code_twice,
        connections_that_break_serve_no_code_twice,
        an_answer_that_is_lost_is_no_token,
    }
}

on_stores! {
    [redis_cluster RedisCluster] {
        a_cluster_that_hangs_is_given_up_in_time,
        a_cluster_that_loses_a_master_goes_on,
    }
}

/// The policy's time-out, and as much again: the machine is busy.
const IN_TIME: Duration = Duration::from_secs(4);

/// How long until servers whose store is back serve again.
const BACK: Duration = Duration::from_secs(20);

async fn a_store_that_hangs_is_given_up_in_time(kind: Kind) -> Result<()> {
    let Some(store) = Backend::start(kind) else { return Ok(()) };
    hang(&store, &servers(2, &store.url(), &[])?).await
}

async fn a_cluster_that_hangs_is_given_up_in_time(kind: Kind) -> Result<()> {
    a_store_that_hangs_is_given_up_in_time(kind).await
}

async fn hang(store: &Backend, servers: &[Program]) -> Result<()> {
    all_is_well(servers).await?;
    let mut flows = Vec::new();
    for server in servers {
        flows.push((server, Flow::start(server.wire).await?));
    }
    store.pause();
    for (server, flow) in &flows {
        let began = Instant::now();
        let said = flow.redeem(server.wire).await?;
        assert_eq!((said.status, said.error().as_deref()), (503, Some("temporarily_unavailable")), "{server:?}");
        assert!(began.elapsed() < IN_TIME, "{server:?} took {:?}", began.elapsed());
    }
    store.resume();
    // What was sent may be carried out now: the client gets tokens, or has to start again. Never both, never twice.
    let mut served = Served::default();
    for _ in 0..2 {
        for (server, flow) in &flows {
            served.note(flow, redeemed(server.wire, flow).await?);
        }
    }
    served.assert_once_at_most();
    soon_well(servers).await
}

async fn a_store_that_is_killed_serves_no_code_twice(kind: Kind) -> Result<()> {
    let Some(mut store) = Backend::start(kind) else { return Ok(()) };
    let servers = servers(2, &store.url(), &[])?;
    let run = Run::start(&servers, 80).await?;
    sleep(Duration::from_millis(40)).await;
    store.kill();
    sleep(Duration::from_millis(300)).await;
    store.restart();
    let served = run.finish().await?;
    served.assert_once_at_most();
    assert!(served.tokens() > 0, "nobody was served");
    soon_well(&servers).await
}

async fn connections_that_break_serve_no_code_twice(kind: Kind) -> Result<()> {
    let Some(store) = Backend::start(kind) else { return Ok(()) };
    let proxy = Proxy::to(store.port());
    let servers = servers(2, &store.url_at(proxy.port()), &[])?;
    let run = Run::start(&servers, 80).await?;
    for _ in 0..20 {
        sleep(Duration::from_millis(15)).await;
        proxy.cut();
    }
    let served = run.finish().await?;
    served.assert_once_at_most();
    assert!(served.tokens() > 0, "nobody was served");
    soon_well(&servers).await
}

/// The code may be redeemed: the client has to start again, and nobody gets tokens for it.
async fn an_answer_that_is_lost_is_no_token(kind: Kind) -> Result<()> {
    let Some(store) = Backend::start(kind) else { return Ok(()) };
    let proxy = Proxy::to(store.port());
    let servers = servers(2, &store.url_at(proxy.port()), &[])?;
    all_is_well(&servers).await?;
    let mut flows = Vec::new();
    for server in &servers {
        flows.push((server, Flow::start(server.wire).await?));
    }
    proxy.lose_answers();
    for (server, flow) in &flows {
        let said = flow.redeem(server.wire).await?;
        assert_eq!((said.status, said.error().as_deref()), (503, Some("temporarily_unavailable")), "{server:?}");
    }
    proxy.resume();
    soon_well(&servers).await?;
    let mut served = Served::default();
    for _ in 0..2 {
        for (server, flow) in &flows {
            served.note(flow, redeemed(server.wire, flow).await?);
        }
    }
    served.assert_once_at_most();
    Ok(())
}

/// What asynchronous replication can lose is shown where the store is tested; here the servers find the new master.
async fn a_cluster_that_loses_a_master_goes_on(kind: Kind) -> Result<()> {
    let Some(mut store) = Backend::start(kind) else { return Ok(()) };
    let servers = servers(2, &store.url(), &[])?;
    let run = Run::start(&servers, 80).await?;
    sleep(Duration::from_millis(40)).await;
    store.kill();
    store.restart();
    let served = run.finish().await?;
    assert!(served.tokens() > 0, "nobody was served");
    for _ in 0..5 {
        soon_well(&servers).await?;
    }
    Ok(())
}

/// No live code makes room for another; the code that cannot be bound does not leave.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_full_keeps_what_it_has() -> Result<()> {
    let Some(redis) = Redis::start_with(&["--maxmemory-policy", "noeviction"]) else { return Ok(()) };
    let servers = servers(2, &redis.url(), &["--code-lifetime", "600"])?;
    let mut flows = Vec::new();
    for server in &servers {
        flows.push((server, Flow::start(server.wire).await?));
    }
    redis.ask(&["CONFIG", "SET", "maxmemory", "1"])?;
    let challenge = playground::challenge(&CodeVerifier::generate()?);
    for server in &servers {
        let page = server.wire.get(&playground::authorize(&[("code_challenge", &challenge), playground::S256])).await?;
        let location = location(&allow(server.wire, &page).await?)?;
        assert_eq!(parameter(&location, "error").as_deref(), Some("temporarily_unavailable"));
        assert_eq!(parameter(&location, "code"), None);
    }
    // A full Redis does not write, so it cannot mark: refused, and still there afterwards.
    for (server, flow) in &flows {
        assert_eq!(flow.redeem(server.wire).await?.status, 503);
    }
    redis.ask(&["CONFIG", "SET", "maxmemory", "0"])?;
    for (server, flow) in &flows {
        assert_eq!(flow.redeem(server.wire).await?.status, 200);
    }
    Ok(())
}

/// How often each code was answered with tokens.
#[derive(Default)]
struct Served(HashMap<String, u32>);

impl Served {
    fn note(&mut self, flow: &Flow, tokens: bool) {
        *self.0.entry(flow.code.clone()).or_default() += u32::from(tokens);
    }

    fn assert_once_at_most(&self) {
        let twice = self.0.values().filter(|tokens| **tokens > 1).count();
        assert_eq!(twice, 0, "of {} codes {twice} were served more than once", self.0.len());
    }

    fn tokens(&self) -> usize {
        self.0.values().filter(|tokens| **tokens > 0).count()
    }
}

/// Many clients that redeem a code each, at both servers at once, again and again until the answer is a final one.
struct Run(JoinSet<Result<(Arc<Flow>, bool)>>);

impl Run {
    async fn start(servers: &[Program], codes: usize) -> Result<Self> {
        let mut flows = Vec::new();
        for server in servers.iter().cycle().take(codes) {
            flows.push(Arc::new(Flow::start(server.wire).await?));
        }
        let mut run = JoinSet::new();
        for flow in flows {
            for wire in servers.iter().map(|server| server.wire) {
                let flow = Arc::clone(&flow);
                run.spawn(async move {
                    let tokens = redeemed(wire, &flow).await?;
                    Ok((flow, tokens))
                });
            }
        }
        Ok(Self(run))
    }

    async fn finish(self) -> Result<Served> {
        let mut served = Served::default();
        for outcome in self.0.join_all().await {
            let (flow, tokens) = outcome?;
            served.note(&flow, tokens);
        }
        Ok(served)
    }
}

/// Whether the client gets tokens. It asks again as long as the server says that it is for a time unavailable.
async fn redeemed(wire: Wire, flow: &Flow) -> Result<bool> {
    let began = Instant::now();
    loop {
        let said = flow.redeem(wire).await?;
        match said.status {
            200 => return Ok(true),
            400 => return Ok(false),
            503 if began.elapsed() < BACK => sleep(Duration::from_millis(50)).await,
            status => return Err(format!("{status} after {:?}: {}", began.elapsed(), said.body).into()),
        }
    }
}

/// The servers' flows go through again before long, without a restart.
async fn soon_well(servers: &[Program]) -> Result<()> {
    let began = Instant::now();
    while let Err(error) = tokio::time::timeout(BACK, well(servers)).await? {
        if began.elapsed() > BACK {
            return Err(error);
        }
        sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

async fn well(servers: &[Program]) -> Result<()> {
    for server in servers {
        let said = Flow::start(server.wire).await?.redeem(server.wire).await?;
        if said.status != 200 {
            return Err(format!("{server:?} says {}: {}", said.status, said.body).into());
        }
    }
    Ok(())
}
