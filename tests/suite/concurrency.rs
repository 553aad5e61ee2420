//! Many at once (OAuth 2.1 §4.1.3): of any number of correct requests exactly one reaches the host.

use std::sync::Arc;

use pkce_core::{MemoryStore, Policy};
use pkce_tests::{Adapter, Result, Server, on_both_servers};
use playground::{FORM, Flow, Said, Wire};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

const GUESS: &str = "a-guess-a-guess-a-guess-a-guess-a-guess-a-guess";

on_both_servers! {
    of_a_hundred_redemptions_at_once_one_is_served,
    wrong_verifiers_in_the_crowd_stop_nobody,
    clients_that_hang_up_stop_nobody_else,
    of_two_servers_on_one_store_one_serves_the_code(own),
    codes_of_many_clients_at_once_do_not_touch_each_other,
}

async fn of_a_hundred_redemptions_at_once_one_is_served(server: &Server) -> Result<()> {
    for _ in 0..5 {
        let flow = Flow::start(server.wire).await?;
        let body = right(&flow);
        let said = at_once((0..100).map(|_| (server.wire, body.clone()))).await?;
        assert_eq!(count(&said, 200), 1);
        assert_eq!(count(&said, 400), 99);
        let errors = said.iter().filter(|said| said.error().as_deref() == Some("invalid_grant")).count();
        assert_eq!(errors, 99);
    }
    Ok(())
}

async fn wrong_verifiers_in_the_crowd_stop_nobody(server: &Server) -> Result<()> {
    for _ in 0..10 {
        let flow = Flow::start(server.wire).await?;
        let bodies = [right(&flow), flow.token_request(&[("code_verifier", GUESS)]), flow.token_request(&[])];
        let crowd = (0..30).map(|nth| (server.wire, bodies[usize::from(nth != 15) * (1 + nth % 2)].clone()));
        let said = at_once(crowd).await?;
        assert_eq!((count(&said, 200), count(&said, 400)), (1, 29));
    }
    Ok(())
}

async fn clients_that_hang_up_stop_nobody_else(server: &Server) -> Result<()> {
    let flow = Flow::start(server.wire).await?;
    let wrong = flow.token_request(&[("code_verifier", GUESS)]);
    for _ in 0..20 {
        server.wire.hang_up("POST", "/token", &[FORM], &wrong).await?;
        // A body that breaks off, with everything in it that a redemption needs.
        let broken = [FORM, ("content-length", "1000")];
        server.wire.hang_up("PUT", "/token", &broken, "").await?;
        server.wire.hang_up("POST", "/token", &[FORM, ("transfer-encoding", "chunked")], "").await.ok();
    }
    assert_eq!(flow.redeem(server.wire).await?.status, 200);

    // One with the right verifier that hangs up may have used up its own code, but the code is served once at most.
    for _ in 0..20 {
        let flow = Flow::start(server.wire).await?;
        server.wire.hang_up("POST", "/token", &[FORM], &right(&flow)).await?;
        let statuses = [flow.redeem(server.wire).await?.status, flow.redeem(server.wire).await?.status];
        assert!([[200, 400], [400, 400]].contains(&statuses), "{statuses:?}");
    }
    Ok(())
}

async fn of_two_servers_on_one_store_one_serves_the_code(adapter: Adapter) -> Result<()> {
    let store = Arc::new(MemoryStore::new());
    let other = match adapter {
        Adapter::Axum => Adapter::Actix,
        Adapter::Actix => Adapter::Axum,
    };
    // One of them is even built on the other framework.
    let servers = [adapter, adapter, other].map(|adapter| Server::with(adapter, Arc::clone(&store), Policy::new()).0);
    for nth in 0..10 {
        let flow = Flow::start(servers[nth % 3].wire).await?;
        let body = right(&flow);
        let said = at_once((0..30).map(|nth| (servers[nth % 3].wire, body.clone()))).await?;
        assert_eq!((count(&said, 200), count(&said, 400)), (1, 29));
    }
    Ok(())
}

async fn codes_of_many_clients_at_once_do_not_touch_each_other(server: &Server) -> Result<()> {
    let mut flows = JoinSet::new();
    for _ in 0..50 {
        let wire = server.wire;
        flows.spawn(async move { Flow::start(wire).await });
    }
    let flows = flows.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
    // Everybody tries its own verifier on its neighbour's code, and redeems its own.
    let neighbours = flows.iter().zip(flows.iter().cycle().skip(1));
    let crossed = neighbours.map(|(mine, theirs)| mine.token_request(&[("code_verifier", theirs.verifier.as_str())]));
    let bodies: Vec<_> = crossed.chain(flows.iter().map(right)).map(|body| (server.wire, body)).collect();
    let said = at_once(bodies).await?;
    assert_eq!((count(&said, 200), count(&said, 400)), (50, 50));
    Ok(())
}

async fn at_once(requests: impl IntoIterator<Item = (Wire, String)>) -> Result<Vec<Said>> {
    let requests: Vec<_> = requests.into_iter().collect();
    let start = Arc::new(Barrier::new(requests.len()));
    let mut tasks = JoinSet::new();
    for (wire, body) in requests {
        let start = Arc::clone(&start);
        tasks.spawn(async move {
            start.wait().await;
            wire.post_form("/token", &body).await
        });
    }
    Ok(tasks.join_all().await.into_iter().collect::<std::io::Result<_>>()?)
}

fn count(said: &[Said], status: u16) -> usize {
    said.iter().filter(|said| said.status == status).count()
}

fn right(flow: &Flow) -> String {
    flow.token_request(&[("code_verifier", flow.verifier.as_str())])
}
