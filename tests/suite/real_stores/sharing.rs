//! Servers that share a store answer like one.

use std::time::Duration;

use pkce_tests::{Backend, Kind, Result};
use playground::{CALLBACK, CLIENT, Flow, form};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{all_is_well, on_stores, servers};

on_stores! {
    [redis Redis, redis_cluster RedisCluster, postgres Postgres, mariadb MariaDb, sqlite Sqlite] {
        a_code_of_one_server_is_redeemed_at_the_other,
        a_code_is_redeemed_once_whatever_servers_are_asked,
        of_a_race_the_client_that_a_code_is_bound_to_is_served_and_keeps_its_tokens,
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

/// C26, C27: a request of another client, or with another redirect URI, is no replay either.
async fn of_a_race_the_client_that_a_code_is_bound_to_is_served_and_keeps_its_tokens(kind: Kind) -> Result<()> {
    let Some(store) = Backend::shared(kind) else { return Ok(()) };
    let servers = servers(4, &store.url(), &[])?;
    for round in 0..25 {
        let flow = Flow::start(servers[round % 4].wire).await?;
        let right = flow.token_request(&[("code_verifier", flow.verifier.as_str())]);
        let of_another = right.replace(&form(&[("client_id", CLIENT)]), "client_id=native");
        let to_another =
            right.replace(&form(&[("redirect_uri", CALLBACK)]), "redirect_uri=https%3A%2F%2Fapp.example%2F");
        assert!(right != of_another && right != to_another);
        let mut asked = JoinSet::new();
        for (index, server) in servers.iter().cycle().take(9).enumerate() {
            let is_right = index == round % 9;
            let body = if is_right { &right } else { [&of_another, &to_another][index % 2] };
            let (wire, body) = (server.wire, body.clone());
            asked.spawn(async move { (is_right, wire, wire.post_form("/token", &body).await) });
        }
        for (is_right, wire, said) in asked.join_all().await {
            let said = said?;
            assert_eq!(said.status, if is_right { 200 } else { 400 }, "{}", said.body);
            if !is_right {
                continue;
            }
            // Each server knows the tokens that it has issued.
            for body in [&of_another, &to_another] {
                assert_eq!(wire.post_form("/token", body).await?.error().as_deref(), Some("invalid_grant"));
            }
            let bearer = format!("Bearer {}", said.member("access_token").ok_or("no token")?);
            assert_eq!(wire.send("GET", "/me", &[("authorization", &bearer)], "").await?.status, 200);
        }
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
