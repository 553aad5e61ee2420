//! Servers that share a store answer like one.

use std::time::Duration;

use pkce_tests::{Backend, Kind, Result};
use playground::Flow;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{all_is_well, on_stores, servers};

on_stores! {
    [redis Redis, redis_cluster RedisCluster, postgres Postgres, mariadb MariaDb, sqlite Sqlite] {
        a_code_of_one_server_is_redeemed_at_the_other,
        a_code_is_redeemed_once_whatever_servers_are_asked,
        every_attack_is_refused,
        a_code_lapses,
    }
}

async fn a_code_of_one_server_is_redeemed_at_the_other(kind: Kind) -> Result<()> {
    let Some(store) = Backend::shared(kind) else { return Ok(()) };
    let servers = servers(2, &store.url(), &[])?;
    for (issues, redeems) in [(0, 1), (1, 0)] {
        let flow = Flow::start(servers[issues].wire).await?;
        let guess = flow.token_request(&[("code_verifier", &"a".repeat(43))]);
        for server in &servers {
            assert_eq!(server.wire.post_form("/token", &guess).await?.status, 400);
        }
        let said = flow.redeem(servers[redeems].wire).await?;
        assert_eq!(said.status, 200, "{}", said.body);
        for server in &servers {
            let replay = flow.redeem(server.wire).await?;
            assert_eq!((replay.status, replay.error().as_deref()), (400, Some("invalid_grant")));
        }
    }
    Ok(())
}

async fn a_code_is_redeemed_once_whatever_servers_are_asked(kind: Kind) -> Result<()> {
    let Some(store) = Backend::shared(kind) else { return Ok(()) };
    let servers = servers(4, &store.url(), &[])?;
    for round in 0..25 {
        let flow = Flow::start(servers[round % 4].wire).await?;
        let body = flow.token_request(&[("code_verifier", flow.verifier.as_str())]);
        let mut asked = JoinSet::new();
        for server in servers.iter().cycle().take(8) {
            let (wire, body) = (server.wire, body.clone());
            asked.spawn(async move { wire.post_form("/token", &body).await.map(|said| said.status) });
        }
        let mut statuses = asked.join_all().await.into_iter().collect::<std::io::Result<Vec<u16>>>()?;
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 400, 400, 400, 400, 400, 400, 400]);
    }
    Ok(())
}

async fn every_attack_is_refused(kind: Kind) -> Result<()> {
    let Some(store) = Backend::shared(kind) else { return Ok(()) };
    for server in servers(2, &store.url(), &[])? {
        let mut rows = playground::honest_clients(server.wire).await?;
        rows.extend(playground::attacks(server.wire).await?);
        let wrong: Vec<String> = rows.iter().filter(|row| !row.is_right()).map(ToString::to_string).collect();
        assert!(rows.len() > 30 && wrong.is_empty(), "{}", wrong.join("\n"));
    }
    Ok(())
}

async fn a_code_lapses(kind: Kind) -> Result<()> {
    let Some(store) = Backend::shared(kind) else { return Ok(()) };
    let servers = servers(2, &store.url(), &["--code-lifetime", "3"])?;
    all_is_well(&servers).await?;
    let flow = Flow::start(servers[0].wire).await?;
    sleep(Duration::from_millis(3100)).await;
    for server in &servers {
        assert_eq!(flow.redeem(server.wire).await?.error().as_deref(), Some("invalid_grant"));
    }
    Ok(())
}
