//! What comes back a second time, or in another's place.

use serde_json::json;
use tokio::task::JoinSet;

use crate::Result;
use crate::app::{App, Returned};
use crate::program::Stage;
use crate::user_agent::{UserAgent, changed, form, value};

#[tokio::test(flavor = "multi_thread")]
async fn a_code_of_the_upstream_comes_through_once() -> Result {
    let stage = Stage::new().await?;
    let (mut victims, mut attackers) = (Returned::new(&stage.gateway).await?, Returned::new(&stage.gateway).await?);
    let query = victims.query.clone();
    let code = victims.call(&query).await?.parameter("code").unwrap();
    // The callback is replayed by a browser that has kept its cookies.
    victims.call(&query).await?.is(303, "server_error");
    // An attacker puts the victim's code into a flow of his own.
    let injected = changed(&attackers.query, "code", &value(&query, "code").unwrap());
    attackers.call(&injected).await?.is(303, "server_error");
    assert_eq!(victims.flow.redeem(&stage.gateway, &code).await?.status, 200);
    attackers.call(&injected).await?.is(303, "server_error");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn with_pkce_at_the_upstream_a_code_that_was_stolen_before_its_owner_came_back_is_of_no_use() -> Result {
    let stage = Stage::with(|config| config["upstream"]["pkce"] = json!(true)).await?;
    let (victims, mut attackers) = (Returned::new(&stage.gateway).await?, Returned::new(&stage.gateway).await?);
    let injected = changed(&attackers.query, "code", &value(&victims.query, "code").unwrap());
    let code = attackers.call(&injected).await?.parameter("code").unwrap();
    attackers.flow.redeem(&stage.gateway, &code).await?.is(400, "invalid_grant");
    assert!(stage.upstream.parts.access_tokens.lock().unwrap().is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_and_a_code_of_the_upstream_are_no_codes() -> Result {
    use base64::Engine as _;
    use sha2::Digest as _;
    let stage = Stage::new().await?;
    let mut returned = Returned::new(&stage.gateway).await?;
    let query = returned.query.clone();
    returned.call(&query).await?;
    let (upstream_code, id) = (value(&query, "code").unwrap(), value(&query, "state").unwrap());
    let digest = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(&upstream_code));
    for code in [&format!("upstream {digest}"), &format!("transaction {id}"), &format!("stored {id}"), &upstream_code] {
        returned.flow.redeem(&stage.gateway, code).await?.is(400, "invalid_grant");
    }
    assert!(stage.upstream.heard("/token").is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_leads_to_one_code() -> Result {
    let stage = Stage::new().await?;
    let (mut returned, another) = (Returned::new(&stage.gateway).await?, Returned::new(&stage.gateway).await?);
    let query = returned.query.clone();
    let code = returned.call(&query).await?.parameter("code").unwrap();
    // The same state with a code that has not come through yet, in a browser that has kept its cookies.
    let again = changed(&query, "code", &value(&another.query, "code").unwrap());
    returned.call(&again).await?.is(303, "server_error");
    assert_eq!(returned.flow.redeem(&stage.gateway, &code).await?.status, 200);
    another.finishes().await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_callbacks_at_once_one_gets_a_code() -> Result {
    let stage = Stage::new().await?;
    for long in [false, true] {
        let (mut browser, flow) = (UserAgent::default(), App::NATIVE.flow());
        let mut request = flow.request(&stage.gateway, &[]);
        if long {
            request = format!("{}&{}", request.replace("state=", "x="), form(&[("state", &"s".repeat(2000))]));
        }
        let to_upstream = browser.get(&request).await?.location()?;
        let callback = UserAgent::default().get(to_upstream.as_str()).await?.location()?;
        let mut tasks = JoinSet::new();
        for _ in 0..20 {
            let (mut browser, callback) = (UserAgent { cookies: browser.cookies.clone() }, callback.clone());
            tasks.spawn(async move { browser.get(callback.as_str()).await.map(|seen| seen.parameter("code")) });
        }
        let codes: Vec<Option<String>> = tasks.join_all().await.into_iter().collect::<Result<_>>()?;
        assert_eq!(codes.iter().flatten().count(), 1, "{long}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_swapped_between_clients_leads_to_the_client_it_was_begun_for() -> Result {
    let stage = Stage::new().await?;
    let (mut browser, native, web) = (UserAgent::default(), App::NATIVE.flow(), App::WEB.flow());
    let of_native = native.sign_in(&mut browser, &stage.gateway, &[]).await?;
    let of_web = web.sign_in(&mut browser, &stage.gateway, &[]).await?;
    let swapped = changed(&of_native, "state", &value(&of_web, "state").unwrap());
    let callback = format!("{}/callback?{swapped}", stage.gateway);
    // Another browser has the cookie of neither, or of the wrong one.
    UserAgent { cookies: vec![browser.cookies[0].clone()] }.get(&callback).await?.is_page();
    // In the browser that began both, the state says who gets the code: the code alone is of no use to anybody else.
    let seen = browser.get(&callback).await?;
    assert!(seen.location()?.as_str().starts_with(App::WEB.redirect_uri));
    let code = seen.parameter("code").unwrap();
    let (of_native, of_web) = (native.verifier.as_str(), web.verifier.as_str());
    for (app, verifier) in [(App::NATIVE, of_native), (App::NATIVE, of_web), (App::WEB, of_native)] {
        let form = [("grant_type", "authorization_code"), ("code", code.as_str()), ("code_verifier", verifier)];
        app.token(&stage.gateway, &form).await?.is(400, "invalid_grant");
    }
    assert_eq!(web.redeem(&stage.gateway, &code).await?.status, 200);
    Ok(())
}
