//! Stores that fail (rules C24, C25): never a pass, and the handler does not run.

use std::time::{Duration, Instant};

use pkce_core::{Pkce, Policy};
use pkce_tests::{Adapter, Behaviour, Double, Fault, Faulty, Mount, Result, Server, on_both_servers};
use playground::{S256, challenge};

const GUESS: &str = "a-guess-a-guess-a-guess-a-guess-a-guess-a-guess";

on_both_servers! {
    a_store_that_fails_serves_nobody(own),
    a_store_that_hangs_is_given_up_in_time(own),
    a_store_whose_answer_is_lost_serves_nobody(own),
    an_invalid_record_is_never_a_pass(own),
    a_store_that_ignores_the_proof_lets_nobody_in(own),
    a_store_that_refuses_the_right_proof_is_at_fault(own),
    a_store_that_is_asked_twice_redeems_once(own),
    a_store_that_cannot_restore_keeps_the_code_redeemed(own),
    a_code_that_cannot_be_bound_does_not_leave(own),
    the_code_is_restored_before_the_response_is_sent(own),
    without_a_layer_a_store_that_hangs_is_given_up_too(own),
}

/// C24.
async fn a_store_that_fails_serves_nobody(adapter: Adapter) -> Result<()> {
    let double = double(adapter, Fault::Fails);
    let redemption = format!("grant_type=authorization_code&code=x&code_verifier={GUESS}");
    unavailable(&double, &redemption).await?;
    // What needs no look into the store is answered as always.
    for (body, error) in [("grant_type=authorization_code&code=x", "invalid_grant"), ("x=y", "invalid_request")] {
        let said = double.server.wire.post_form("/token", body).await?;
        assert_eq!((said.status, said.error().as_deref(), double.runs()), (400, Some(error), 0));
    }
    let said = double.server.wire.post_form("/token", "grant_type=refresh_token").await?;
    assert_eq!((said.status, double.runs()), (200, 1));
    Ok(())
}

/// C24.
async fn a_store_that_hangs_is_given_up_in_time(adapter: Adapter) -> Result<()> {
    let double = double(adapter, Fault::Hangs);
    let bound = double.bind().await?;
    let began = Instant::now();
    unavailable(&double, &bound.token_request(Behaviour::Echo)).await?;
    let took = began.elapsed();
    assert!(took >= TIMEOUT && took < TIMEOUT * 20, "{took:?}");
    Ok(())
}

/// C24: a redeem whose answer never came may have marked the code.
async fn a_store_whose_answer_is_lost_serves_nobody(adapter: Adapter) -> Result<()> {
    let double = double(adapter, Fault::LosesAnswers);
    let bound = double.bind().await?;
    for _ in 0..2 {
        unavailable(&double, &bound.token_request(Behaviour::Echo)).await?;
    }
    Ok(())
}

/// C25: never compared as `plain`, never taken for a code without a challenge.
async fn an_invalid_record_is_never_a_pass(adapter: Adapter) -> Result<()> {
    let policy = Policy::new().allow_plain().allow_missing_challenge();
    let pkce = Pkce::builder(Faulty::new(Fault::InvalidRecord)).policy(policy).build();
    let double = Double::start(adapter, Mount::Layer, pkce);
    let bound = double.bind().await?;
    let right = bound.token_request(Behaviour::Echo);
    for body in [right.as_str(), &right.replace("code_verifier", "x"), &right.replace(bound.verifier.as_str(), GUESS)] {
        unavailable(&double, body).await?;
    }
    Ok(())
}

/// The core compares again: a store that marks the code for anybody lets nobody in, and the client is served.
async fn a_store_that_ignores_the_proof_lets_nobody_in(adapter: Adapter) -> Result<()> {
    let double = double(adapter, Fault::IgnoresTheProof);
    let bound = double.bind().await?;
    let right = bound.token_request(Behaviour::Echo);
    for body in [right.replace("code_verifier", "x"), right.replace(bound.verifier.as_str(), GUESS)] {
        let said = double.server.wire.post_form("/token", &body).await?;
        assert_ne!(said.status, 200);
        assert_eq!(double.runs(), 0);
    }
    assert!(double.is_live(&bound).await?);
    Ok(())
}

async fn a_store_that_refuses_the_right_proof_is_at_fault(adapter: Adapter) -> Result<()> {
    let double = double(adapter, Fault::RefusesEverything);
    let bound = double.bind().await?;
    unavailable(&double, &bound.token_request(Behaviour::Echo)).await
}

async fn a_store_that_is_asked_twice_redeems_once(adapter: Adapter) -> Result<()> {
    let double = double(adapter, Fault::Resends);
    let bound = double.bind().await?;
    assert_eq!(double.redeem(&bound, Behaviour::Answer(401)).await?.status, 401);
    assert!(double.is_live(&bound).await?);
    assert!(!double.is_live(&bound).await?);
    Ok(())
}

/// The host's answer stands.
async fn a_store_that_cannot_restore_keeps_the_code_redeemed(adapter: Adapter) -> Result<()> {
    let double = double(adapter, Fault::FailsToRestore);
    let bound = double.bind().await?;
    let said = double.redeem(&bound, Behaviour::Answer(401)).await?;
    assert_eq!((said.status, said.header("x-clearance")), (401, Some("verified")));
    assert!(!double.is_live(&bound).await?);
    Ok(())
}

/// B; RFC 7636 §4.4.
async fn a_code_that_cannot_be_bound_does_not_leave(adapter: Adapter) -> Result<()> {
    let query = |challenge: &str| playground::form(&[("response_type", "code"), ("code_challenge", challenge), S256]);
    let challenge = challenge(&GUESS.parse()?);
    let double = double(adapter, Fault::Fails);
    let said = double.server.wire.get(&format!("/authorize?{}", query(&challenge))).await?;
    assert_eq!((said.status, said.error().as_deref()), (503, Some("temporarily_unavailable")));

    // The example tells the client.
    let (server, _) = Server::with(adapter, Faulty::new(Fault::Fails), Policy::new());
    let page = server.wire.get(&playground::authorize(&[("code_challenge", &challenge), S256])).await?;
    let said = pkce_tests::allow(server.wire, &page).await?;
    let location = pkce_tests::location(&said)?;
    assert_eq!(pkce_tests::query(&location), ["error", "error_description", "state", "iss"]);
    assert_eq!(pkce_tests::parameter(&location, "error").as_deref(), Some("temporarily_unavailable"));
    Ok(())
}

/// C19.
async fn the_code_is_restored_before_the_response_is_sent(adapter: Adapter) -> Result<()> {
    let double = Double::start(adapter, Mount::Layer, Pkce::new(Faulty::new(Fault::RestoresLate)));
    let bound = double.bind().await?;
    for _ in 0..2 {
        assert_eq!(double.redeem(&bound, Behaviour::Answer(401)).await?.status, 401);
    }
    Ok(())
}

/// C24: the time-out needs neither layer nor extractor.
async fn without_a_layer_a_store_that_hangs_is_given_up_too(adapter: Adapter) -> Result<()> {
    let challenge = challenge(&GUESS.parse()?);
    let parameters = playground::form(&[("client_id", "spa"), ("code_challenge", &challenge), S256]);
    let binding = double(adapter, Fault::HangsAtInsert).server;
    let redeeming = double(adapter, Fault::Hangs).server;
    for said in [
        binding.wire.get(&format!("/authorize?{parameters}")).await?,
        binding.wire.post_form("/par", &parameters).await?,
        redeeming.wire.post_form("/redeem", &format!("code=c&code_verifier={GUESS}")).await?,
    ] {
        let told = (said.status, said.error(), said.header("x-reason"));
        assert_eq!(told, (503, Some("temporarily_unavailable".to_owned()), Some("store_timed_out")));
    }
    Ok(())
}

const TIMEOUT: Duration = Duration::from_millis(150);

fn double(adapter: Adapter, fault: Fault) -> Double {
    let policy = Policy::new().store_timeout(TIMEOUT);
    Double::start(adapter, Mount::Layer, Pkce::builder(Faulty::new(fault)).policy(policy).build())
}

async fn unavailable(double: &Double, body: &str) -> Result<()> {
    let runs = double.runs();
    let said = double.server.wire.post_form("/token", body).await?;
    assert_eq!((said.status, said.error().as_deref()), (503, Some("temporarily_unavailable")), "{}", said.body);
    assert_eq!(said.header("cache-control"), Some("no-store"));
    assert_eq!(double.runs(), runs, "the handler ran");
    Ok(())
}
