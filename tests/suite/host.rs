//! The layer around a host that does what the examples do not: what it answers, and what becomes of the code.

use std::time::Duration;

use pkce_core::{MemoryStore, Pkce, Settle};
use pkce_tests::{Adapter, Behaviour, Connection, Double, Mount, Result, TIME_OUT, on_both_servers};
use playground::{FORM, form};
use tokio::time::{Instant, sleep, timeout};

on_both_servers! {
    a_nonce_may_be_asked_for_and_the_code_is_live(own),
    a_clear_refusal_restores_the_code(own),
    every_other_answer_keeps_the_code_redeemed(own),
    an_error_of_the_framework_counts_by_its_status(own),
    the_host_can_overrule_its_status(own),
    a_panic_keeps_the_code_redeemed(own),
    a_caught_panic_keeps_the_code_redeemed(own),
    a_client_that_hangs_up_while_the_handler_runs_has_used_its_code(own),
    a_time_out_inside_or_outside_keeps_the_code_redeemed(own),
    without_the_layer_nothing_is_served(own),
    mounted_twice_nothing_is_served(own),
    refusals_are_rendered_as_the_host_wants(own),
    another_grant_type_reaches_the_host(own),
    a_2xx_without_cache_control_is_not_stored(own),
    a_middleware_inside_finds_the_clearance_and_one_outside_the_reason(own),
}

/// C19; RFC 9449 §8.
async fn a_nonce_may_be_asked_for_and_the_code_is_live(adapter: Adapter) -> Result<()> {
    let double = double(adapter, Mount::Layer);
    let bound = double.bind().await?;
    let body = bound.token_request(Behaviour::AskForNonce);
    for _ in 0..2 {
        let said = double.server.wire.post_form("/token", &body).await?;
        assert_eq!((said.status, said.error().as_deref()), (400, Some("use_dpop_nonce")));
        assert_eq!(said.header("dpop-nonce"), Some("n"));
    }
    let said = double.server.wire.send("POST", "/token", &[FORM, ("dpop", "proof")], &body).await?;
    assert_eq!((said.status, said.header("x-clearance")), (200, Some("verified")));
    assert!(!double.is_live(&bound).await?);
    Ok(())
}

/// C19.
async fn a_clear_refusal_restores_the_code(adapter: Adapter) -> Result<()> {
    let double = double(adapter, Mount::Layer);
    for status in [400, 401, 403, 413, 415, 422, 429] {
        let bound = double.bind().await?;
        for _ in 0..3 {
            assert_eq!(double.redeem(&bound, Behaviour::Answer(status)).await?.status, status);
        }
        assert!(double.is_live(&bound).await?, "{status}");
        assert!(!double.is_live(&bound).await?, "{status}");
    }
    Ok(())
}

/// C20, C21.
async fn every_other_answer_keeps_the_code_redeemed(adapter: Adapter) -> Result<()> {
    let double = double(adapter, Mount::Layer);
    for status in
        [200, 201, 204, 302, 303, 402, 404, 405, 406, 408, 409, 410, 418, 423, 425, 451, 499, 500, 501, 502, 503, 504]
    {
        let bound = double.bind().await?;
        assert_eq!(double.redeem(&bound, Behaviour::Answer(status)).await?.status, status);
        assert!(!double.is_live(&bound).await?, "{status}");
    }
    Ok(())
}

/// C19, C21: on Actix a handler may fail with an error instead of an answer.
async fn an_error_of_the_framework_counts_by_its_status(adapter: Adapter) -> Result<()> {
    let double = double(adapter, Mount::Layer);
    for (status, live) in [(400, true), (401, true), (429, true), (404, false), (500, false), (503, false)] {
        let bound = double.bind().await?;
        assert_eq!(double.redeem(&bound, Behaviour::Fail(status)).await?.status, status);
        assert_eq!(double.is_live(&bound).await?, live, "{status}");
    }
    Ok(())
}

/// C21.
async fn the_host_can_overrule_its_status(adapter: Adapter) -> Result<()> {
    let double = double(adapter, Mount::Layer);
    for status in [200, 303, 400, 401, 404, 500, 503] {
        for (settle, live) in [(Settle::Keep, false), (Settle::Restore, true)] {
            let bound = double.bind().await?;
            assert_eq!(double.redeem(&bound, Behaviour::Overrule(settle, status)).await?.status, status);
            assert_eq!(double.is_live(&bound).await?, live, "{settle:?} {status}");
        }
    }
    Ok(())
}

/// C21: the connection dies with the handler.
async fn a_panic_keeps_the_code_redeemed(adapter: Adapter) -> Result<()> {
    let double = double(adapter, Mount::Layer);
    let (bound, other) = (double.bind().await?, double.bind().await?);
    assert!(double.redeem(&bound, Behaviour::Panic).await.is_err());
    assert_eq!((double.runs(), double.dropped()), (1, 1));
    assert!(!double.is_live(&bound).await?);
    assert!(double.is_live(&other).await?, "the server goes on");
    Ok(())
}

/// C21.
async fn a_caught_panic_keeps_the_code_redeemed(adapter: Adapter) -> Result<()> {
    for mount in [Mount::CatchPanicInside, Mount::CatchPanicOutside] {
        let double = double(adapter, mount);
        let (bound, other) = (double.bind().await?, double.bind().await?);
        assert_eq!(double.redeem(&bound, Behaviour::Panic).await?.status, 500);
        assert_eq!(double.runs(), 1);
        assert!(!double.is_live(&bound).await?, "{mount:?}");
        assert!(double.is_live(&other).await?, "{mount:?}");
    }
    Ok(())
}

/// C21.
async fn a_client_that_hangs_up_while_the_handler_runs_has_used_its_code(adapter: Adapter) -> Result<()> {
    let double = double(adapter, Mount::Layer);
    for reset in [true, false] {
        let bound = double.bind().await?;
        let body = bound.token_request(Behaviour::Hang);
        let mut connection = Connection::open(double.server.wire).await?;
        let head = "POST /token HTTP/1.1\r\nhost: x\r\n";
        let head = format!("{head}{}: {}\r\ncontent-length: {}\r\n\r\n", FORM.0, FORM.1, body.len());
        let (runs, dropped) = (double.runs(), double.dropped());
        connection.send((head + &body).as_bytes()).await?;
        until(|| double.runs() > runs).await?;
        if reset {
            connection.reset()?;
        } else {
            drop(connection);
        }
        // Actix lets the handler of a client that only said that it sends no more run on.
        if reset || adapter == Adapter::Axum {
            until(|| double.dropped() > dropped).await?;
        }
        assert!(!double.is_live(&bound).await?);
    }
    Ok(())
}

/// C21.
async fn a_time_out_inside_or_outside_keeps_the_code_redeemed(adapter: Adapter) -> Result<()> {
    for (mount, status) in
        [(Mount::TimeOutInside(408), 408), (Mount::TimeOutInside(504), 504), (Mount::TimeOutOutside, 504)]
    {
        let double = double(adapter, mount);
        let (bound, other) = (double.bind().await?, double.bind().await?);
        let began = Instant::now();
        assert_eq!(double.redeem(&bound, Behaviour::Hang).await?.status, status, "{mount:?}");
        assert!(began.elapsed() >= TIME_OUT);
        until(|| double.dropped() == 1).await?;
        assert!(!double.is_live(&bound).await?, "{mount:?}");
        assert!(double.is_live(&other).await?, "{mount:?}");
    }
    Ok(())
}

/// Forgetting the layer is loud.
async fn without_the_layer_nothing_is_served(adapter: Adapter) -> Result<()> {
    let double = double(adapter, Mount::Nothing);
    let bound = double.bind().await?;
    let said = double.redeem(&bound, Behaviour::Answer(200)).await?;
    assert_eq!((said.status, said.error().as_deref(), double.runs()), (500, Some("server_error"), 0));
    assert_eq!(said.header("x-reason"), Some("misconfigured"));
    Ok(())
}

async fn mounted_twice_nothing_is_served(adapter: Adapter) -> Result<()> {
    let double = double(adapter, Mount::Twice);
    let bound = double.bind().await?;
    let said = double.redeem(&bound, Behaviour::Answer(200)).await?;
    assert_eq!((said.status, said.error().as_deref(), double.runs()), (500, Some("server_error"), 0));
    Ok(())
}

async fn refusals_are_rendered_as_the_host_wants(adapter: Adapter) -> Result<()> {
    let double = double(adapter, Mount::Rendered);
    let bound = double.bind().await?;
    let said = double
        .server
        .wire
        .post_form("/token", &bound.token_request(Behaviour::Echo).replace("code_verifier", "x"))
        .await?;
    assert_eq!((said.status, said.header("content-type")), (400, Some("application/problem+json")));
    assert_eq!(said.member("title").as_deref(), Some("invalid_grant"));
    assert_eq!(said.header("x-reason"), Some("verifier_missing"));
    let said = double.server.wire.get("/token").await?;
    assert_eq!((said.status, said.member("title").as_deref()), (405, Some("invalid_request")));
    assert_eq!(double.runs(), 0);
    assert!(double.is_live(&bound).await?);
    Ok(())
}

/// C8.
async fn another_grant_type_reaches_the_host(adapter: Adapter) -> Result<()> {
    let double = double(adapter, Mount::Layer);
    let body = form(&[("grant_type", "refresh_token"), ("do", &Behaviour::Answer(200).to_string())]);
    for _ in 0..2 {
        let said = double.server.wire.post_form("/token", &body).await?;
        assert_eq!((said.status, said.header("x-clearance")), (200, Some("other_grant")));
    }
    assert_eq!(double.runs(), 2);
    Ok(())
}

/// C20; RFC 6749 §5.1.
async fn a_2xx_without_cache_control_is_not_stored(adapter: Adapter) -> Result<()> {
    let double = double(adapter, Mount::Layer);
    for (behaviour, cache_control, pragma) in [
        (Behaviour::Answer(200), Some("no-store"), Some("no-cache")),
        (Behaviour::Private, Some("private"), None),
        (Behaviour::Answer(303), None, None),
        (Behaviour::Answer(401), None, None),
    ] {
        let bound = double.bind().await?;
        let refresh = form(&[("grant_type", "refresh_token"), ("do", &behaviour.to_string())]);
        for body in [bound.token_request(behaviour), refresh] {
            let said = double.server.wire.post_form("/token", &body).await?;
            assert_eq!((said.header("cache-control"), said.header("pragma")), (cache_control, pragma), "{body}");
        }
    }
    Ok(())
}

async fn a_middleware_inside_finds_the_clearance_and_one_outside_the_reason(adapter: Adapter) -> Result<()> {
    let double = double(adapter, Mount::Layer);
    let bound = double.bind().await?;
    let (right, refresh) = (bound.token_request(Behaviour::Echo), "grant_type=refresh_token".to_owned());
    for (body, inside, reason) in [
        (right.replace("code_verifier", "x"), None, Some("verifier_missing")),
        (right.clone(), Some("verified"), None),
        (right, None, Some("code_replayed")),
        (refresh, Some("other_grant"), None),
        (String::new(), None, Some("grant_type_missing")),
    ] {
        let said = double.server.wire.post_form("/token", &body).await?;
        assert_eq!((said.header("x-inside"), said.header("x-reason")), (inside, reason), "{body}");
    }
    Ok(())
}

fn double(adapter: Adapter, mount: Mount) -> Double {
    Double::start(adapter, mount, Pkce::new(MemoryStore::new()))
}

async fn until(condition: impl Fn() -> bool) -> Result<()> {
    let wait = async {
        while !condition() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    Ok(timeout(Duration::from_secs(10), wait).await?)
}
