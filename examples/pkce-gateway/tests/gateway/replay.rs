//! What comes back a second time, or in another's place.

use pkce_gateway::demo::{App, Result, UserAgent};
use tokio::task::JoinSet;

use crate::callback::{Returned, is_page};
use crate::stage::{Stage, changed, value};

#[tokio::test]
async fn a_code_of_the_upstream_comes_through_once() -> Result<()> {
    let stage = Stage::new().await?;
    let (mut victims, mut attackers) = (Returned::new(&stage).await?, Returned::new(&stage).await?);
    let query = victims.query.clone();
    let code = victims.call(&stage, &query).await?.parameter("code").unwrap();
    // The callback is replayed by a browser that has kept its cookies.
    let seen = victims.call(&stage, &query).await?;
    assert_eq!((seen.error().as_deref(), seen.parameter("code")), (Some("server_error"), None));
    // An attacker puts the victim's code into a flow of his own.
    let injected = changed(&attackers.query, "code", &value(&query, "code").unwrap());
    let seen = attackers.call(&stage, &injected).await?;
    assert_eq!((seen.error().as_deref(), seen.parameter("code")), (Some("server_error"), None));
    assert_eq!(victims.flow.redeem(&stage.gateway, &code).await?.status, 200);
    let seen = attackers.call(&stage, &injected).await?;
    assert_eq!(seen.error().as_deref(), Some("server_error"));
    Ok(())
}

#[tokio::test]
async fn the_mark_of_a_code_of_the_upstream_is_no_code() -> Result<()> {
    use base64::Engine as _;
    let stage = Stage::new().await?;
    let mut returned = Returned::new(&stage).await?;
    let query = returned.query.clone();
    returned.call(&stage, &query).await?;
    let upstream_code = value(&query, "code").unwrap();
    let digest = pkce_tower::pkce_core::store::CodeDigest::of(upstream_code.as_bytes());
    let mark = format!("upstream {}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest.as_bytes()));
    let (_, id) = returned.browser.cookies[0].0.split_once("gateway-").unwrap();
    for code in [&mark, &format!("transaction {id}"), &upstream_code] {
        let seen = returned.flow.redeem(&stage.gateway, code).await?;
        assert_eq!((seen.status, seen.error().as_deref()), (400, Some("invalid_grant")));
    }
    assert!(stage.heard("/token").is_empty());
    Ok(())
}

#[tokio::test]
async fn a_state_leads_to_one_code() -> Result<()> {
    let stage = Stage::new().await?;
    let (mut returned, another) = (Returned::new(&stage).await?, Returned::new(&stage).await?);
    let query = returned.query.clone();
    let code = returned.call(&stage, &query).await?.parameter("code").unwrap();
    // The same state with a code that has not come through yet, in a browser that has kept its cookies.
    let again = changed(&query, "code", &value(&another.query, "code").unwrap());
    let seen = returned.call(&stage, &again).await?;
    assert_eq!((seen.error().as_deref(), seen.parameter("code")), (Some("server_error"), None));
    assert_eq!(returned.flow.redeem(&stage.gateway, &code).await?.status, 200);
    another.finishes(&stage).await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_callbacks_at_once_one_gets_a_code() -> Result<()> {
    let stage = Stage::new().await?;
    let returned = Returned::new(&stage).await?;
    let mut tasks = JoinSet::new();
    for _ in 0..20 {
        let mut browser = UserAgent::new();
        browser.cookies.clone_from(&returned.browser.cookies);
        let callback = format!("{}/callback?{}", stage.gateway, returned.query);
        tasks.spawn(async move { browser.get(&callback).await.map(|seen| seen.parameter("code")) });
    }
    let codes: Vec<Option<String>> = tasks.join_all().await.into_iter().collect::<Result<_>>()?;
    assert_eq!(codes.iter().flatten().count(), 1);
    Ok(())
}

#[tokio::test]
async fn a_state_swapped_between_clients_leads_to_the_client_it_was_sealed_for() -> Result<()> {
    let stage = Stage::new().await?;
    let (mut browser, native, web) = (UserAgent::new(), App::NATIVE.flow()?, App::WEB.flow()?);
    let of_native = native.sign_in(&mut browser, &stage.gateway, &[]).await?;
    let of_web = web.sign_in(&mut browser, &stage.gateway, &[]).await?;
    let swapped = changed(&of_native, "state", &value(&of_web, "state").unwrap());
    let callback = format!("{}/callback?{swapped}", stage.gateway);
    // Another browser has the cookie of neither, or of the wrong one.
    let mut other = UserAgent::new();
    other.cookies.push(browser.cookies[0].clone());
    assert!(is_page(&other.get(&callback).await?));
    // In the browser that began both, the state says who gets the code: the code alone is of no use to anybody else.
    let seen = browser.get(&callback).await?;
    assert!(seen.location()?.as_str().starts_with(App::WEB.redirect_uri));
    let code = seen.parameter("code").unwrap();
    for (app, verifier) in [(App::NATIVE, &native.verifier), (App::NATIVE, &web.verifier), (App::WEB, &native.verifier)]
    {
        let form =
            [("grant_type", "authorization_code"), ("code", code.as_str()), ("code_verifier", verifier.as_str())];
        let seen = app.token(&stage.gateway, &form).await?;
        assert_eq!((seen.status, seen.error().as_deref()), (400, Some("invalid_grant")));
    }
    assert_eq!(web.redeem(&stage.gateway, &code).await?.status, 200);
    Ok(())
}
