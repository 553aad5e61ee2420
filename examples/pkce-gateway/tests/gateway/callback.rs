//! What comes back from the upstream, or claims to.

use std::time::Duration;

use serde_json::json;

use crate::Result;
use crate::app::{App, Returned, STATE};
use crate::program::Stage;
use crate::user_agent::{UserAgent, changed, get, value};

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_in_another_browser_goes_nowhere() -> Result {
    let stage = Stage::new().await?;
    let (attackers, victims) = (Returned::new(&stage.gateway).await?, Returned::new(&stage.gateway).await?);
    let callback = format!("{}/callback?{}", stage.gateway, attackers.query);
    get(&callback).await?.is_page();
    // Also in a browser that is in the middle of a flow of its own.
    let mut browser = UserAgent { cookies: victims.browser.cookies.clone() };
    browser.get(&callback).await?.is_page();
    // With the right name and the wrong value, and with both.
    let (name, _) = attackers.browser.cookies[0].clone();
    browser.cookies.push((name, victims.browser.cookies[0].1.clone()));
    browser.get(&callback).await?.is_page();
    browser.cookies.push(attackers.browser.cookies[0].clone());
    browser.get(&callback).await?.is_page();
    victims.finishes().await?;
    attackers.finishes().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_is_not_the_gateways_own_goes_nowhere() -> Result {
    let (stage, other) = (Stage::new().await?, Stage::new().await?);
    let mut returned = Returned::new(&stage.gateway).await?;
    let foreign = Returned::new(&other.gateway).await?;
    let id = value(&returned.query, "state").unwrap();
    let code = returned.flow.code(&stage.gateway).await?;
    let refresh_token = returned.flow.redeem(&stage.gateway, &code).await?.member("refresh_token").unwrap();
    let last_changed = format!("{}{}", &id[..54], if id.ends_with('A') { 'B' } else { 'A' });
    let foreign_state = value(&foreign.query, "state").unwrap();
    for junk in ["", "x", STATE, &last_changed, &format!("{id}A"), &id[1..], &foreign_state, &"A".repeat(60_000)] {
        let query = changed(&returned.query, "state", junk);
        returned.call(&query).await?.is_page();
    }
    let twice = format!("{}&state={id}", returned.query);
    for query in [twice, String::new(), format!("code=%ff&state={id}")] {
        returned.call(&query).await?.is_page();
    }
    // The right name, and a value that is another gateway's, changed, or sealed for something else.
    let (name, sealed) = returned.browser.cookies[0].clone();
    let of_other = &foreign.browser.cookies[0].1;
    for junk in ["", "x", of_other, &sealed[1..], &format!("{sealed}A"), &refresh_token] {
        let mut browser = UserAgent { cookies: vec![(name.clone(), junk.to_owned())] };
        browser.get(&format!("{}/callback?{}", stage.gateway, returned.query)).await?.is_page();
    }
    returned.finishes().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_takes_too_long_ends_at_the_client_with_an_error() -> Result {
    let stage = Stage::with(|config| config["transaction_seconds"] = json!(1)).await?;
    for app in [App::NATIVE, App::WEB] {
        let (flow, mut browser) = (app.flow(), UserAgent::default());
        let query = flow.sign_in(&mut browser, &stage.gateway, &[]).await?;
        tokio::time::sleep(Duration::from_millis(2100)).await;
        let seen = browser.get(&format!("{}/callback?{query}", stage.gateway)).await?;
        seen.is(303, "access_denied");
        assert!(seen.location()?.as_str().starts_with(app.redirect_uri));
        assert_eq!(seen.parameter("error_description").as_deref(), Some("the sign-in took too long"));
        assert_eq!(seen.parameter("state").as_deref(), Some(STATE));
        assert_eq!((seen.parameter("iss").as_ref(), browser.cookies.len()), (Some(&stage.gateway), 0));
    }
    Returned::new(&stage.gateway).await?.finishes().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_with_another_iss_is_not_the_upstreams() -> Result {
    let stage = Stage::new().await?;
    let mut returned = Returned::new(&stage.gateway).await?;
    let query = returned.query.clone();
    for iss in ["https://evil.example", &format!("{}/", stage.upstream.url), &stage.upstream.url.to_uppercase()] {
        let seen = returned.call(&changed(&query, "iss", iss)).await?;
        seen.is(303, "server_error");
        assert_eq!(seen.parameter("code"), None, "{iss}");
    }
    let seen = returned.call(&changed(&query, "iss", "")).await?;
    assert!(seen.parameter("code").is_some(), "this upstream need not send one");

    let stage = Stage::with(|config| config["upstream"]["requires_iss"] = json!(true)).await?;
    let mut returned = Returned::new(&stage.gateway).await?;
    let query = returned.query.clone();
    returned.call(&changed(&query, "iss", "")).await?.is(303, "server_error");
    returned.finishes().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_upstreams_error_is_passed_on() -> Result {
    let stage = Stage::new().await?;
    let (mut browser, flow) = (UserAgent::default(), App::WEB.flow());
    let query = flow.sign_in(&mut browser, &stage.gateway, &[("scope", "nothing")]).await?;
    let seen = browser.get(&format!("{}/callback?{query}", stage.gateway)).await?;
    let expected = format!(
        "https://app.example/cb?tenant=7&error=access_denied&state=the%20client%27s%20own%20state&iss={}&error_description=alice%20said%20no",
        stage.gateway.replace(':', "%3A").replace('/', "%2F")
    );
    assert_eq!(seen.headers["location"], expected);
    assert!(browser.cookies.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rubbish_from_the_upstream_is_not_passed_on() -> Result {
    let stage = Stage::new().await?;
    let mut returned = Returned::new(&stage.gateway).await?;
    let id = value(&returned.query, "state").unwrap();
    for rubbish in [
        "",
        "code=",
        "code=a%00",
        "code=%C3%A9",
        &format!("code={}", "c".repeat(4097)),
        "code=a&code=b",
        "code=a&error=access_denied",
        "Code=a",
        "code=a&%43ode=b",
        "error=a%22b",
        "error=access%0d%0aSet-Cookie:+a=b",
        &format!("error={}", "e".repeat(65)),
        "error=unauthorized_client", // that is the gateway, and the client can do nothing about it
    ] {
        let seen = returned.call(&format!("state={id}&{rubbish}")).await?;
        seen.is(303, "server_error");
        assert_eq!(seen.parameter("state").as_deref(), Some(STATE), "{rubbish}");
    }
    for description in ["a%0d%0aSet-Cookie:+a=b", "%C3%A9", "a%22b", &"d".repeat(1025)] {
        let query = format!("state={id}&error=access_denied&error_description={description}");
        let seen = returned.call(&query).await?;
        seen.is(303, "access_denied");
        assert_eq!(seen.parameter("error_description"), None, "{description}");
    }
    for (uri, passed) in [("javascript:alert(1)", None), ("https://idp.example/e", Some("https://idp.example/e"))] {
        let query = format!("state={id}&error=access_denied&error_uri={uri}");
        assert_eq!(returned.call(&query).await?.parameter("error_uri").as_deref(), passed);
    }
    Ok(())
}
