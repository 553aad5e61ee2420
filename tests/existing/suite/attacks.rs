//! What a thief gets who has seen the code, and a client that does no PKCE.

use std::sync::Arc;

use pkce_core::CodeVerifier;
use playground::{Result, S256, challenge};

use crate::client::parameter;
use crate::host::{Host, on_each_server};

on_each_server! {
    before_a_stolen_code_is_served_with_any_verifier_and_with_none,
    a_stolen_code_is_refused_and_stays_good_for_its_client,
    a_redeemed_code_is_refused,
    of_twenty_requests_at_once_one_is_served,
    before_a_code_leaves_without_a_challenge,
    without_an_acceptable_challenge_no_code_leaves,
    a_refusal_by_the_server_itself_leaves_the_code_good,
}

async fn before_a_stolen_code_is_served_with_any_verifier_and_with_none(host: Host) -> Result<()> {
    let server = host.start_before()?;
    let wrong = CodeVerifier::generate()?;
    for verifier in [None, Some(wrong.as_str()), Some("short")] {
        let issued = server.issue().await?;
        let said = server.redeem(&issued.code, verifier, &[]).await?;
        assert_eq!(said.status, 200, "{said:?}");
        assert!(said.member("access_token").is_some());
    }
    Ok(())
}

async fn a_stolen_code_is_refused_and_stays_good_for_its_client(host: Host) -> Result<()> {
    let issued = host.start()?.issue().await?;
    let wrong = CodeVerifier::generate()?;
    for verifier in [None, Some(wrong.as_str()), Some("short"), Some(&challenge(&issued.verifier))] {
        let said = issued.server.redeem(&issued.code, verifier, &[]).await?;
        assert_eq!((said.status, said.error().as_deref()), (400, Some("invalid_grant")), "{said:?}");
    }
    assert_eq!(issued.redeem().await?.status, 200);
    Ok(())
}

async fn a_redeemed_code_is_refused(host: Host) -> Result<()> {
    let issued = host.start()?.issue().await?;
    assert_eq!(issued.redeem().await?.status, 200);
    let again = issued.redeem().await?;
    assert_eq!((again.status, again.error().as_deref()), (400, Some("invalid_grant")), "{again:?}");
    Ok(())
}

async fn of_twenty_requests_at_once_one_is_served(host: Host) -> Result<()> {
    let issued = Arc::new(host.start()?.issue().await?);
    let crowd: Vec<_> = (0..20)
        .map(|_| {
            let issued = Arc::clone(&issued);
            tokio::spawn(async move { issued.redeem().await.map(|said| said.status) })
        })
        .collect();
    let mut statuses = Vec::new();
    for one in crowd {
        statuses.push(one.await??);
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [&[200][..], &[400; 19]].concat());
    Ok(())
}

async fn before_a_code_leaves_without_a_challenge(host: Host) -> Result<()> {
    let location = host.start_before()?.ask(&[]).await?;
    assert!(parameter(&location, "code").is_some(), "{location}");
    Ok(())
}

async fn without_an_acceptable_challenge_no_code_leaves(host: Host) -> Result<()> {
    let server = host.start()?;
    let right = challenge(&CodeVerifier::generate()?);
    let right = right.as_str();
    for parameters in [
        &[][..],
        &[("code_challenge", right)],
        &[("code_challenge", right), ("code_challenge_method", "plain")],
        &[("code_challenge", "short"), S256],
        &[S256],
    ] {
        let location = server.ask(parameters).await?;
        assert_eq!(parameter(&location, "code"), None, "{parameters:?}");
        assert_eq!(parameter(&location, "error").as_deref(), Some("invalid_request"), "{parameters:?}");
        assert_eq!(parameter(&location, "state").as_deref(), Some("a state & more"), "{parameters:?}");
    }
    Ok(())
}

async fn a_refusal_by_the_server_itself_leaves_the_code_good(host: Host) -> Result<()> {
    let issued = host.start()?.issue().await?;
    let wrong = [("client_id", "nobody")];
    let said = issued.server.redeem(&issued.code, Some(issued.verifier.as_str()), &wrong).await?;
    assert!([400, 401].contains(&said.status), "{said:?}");
    assert_eq!(issued.redeem().await?.status, 200);
    Ok(())
}
