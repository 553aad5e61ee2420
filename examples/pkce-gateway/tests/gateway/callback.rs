//! What comes back from the upstream, or claims to.

use std::time::Duration;

use pkce_gateway::demo::{App, CONFIG, Flow, Result, Seen, UserAgent};
use pkce_tower::MemoryStore;

use crate::stage::{Stage, changed, config, value};

/// A flow that has come back from the upstream and not yet to the gateway.
pub(crate) struct Returned {
    pub(crate) browser: UserAgent,
    pub(crate) flow: Flow,
    pub(crate) query: String,
}

impl Returned {
    pub(crate) async fn new(stage: &Stage) -> Result<Self> {
        let (mut browser, flow) = (UserAgent::new(), App::NATIVE.flow()?);
        let query = flow.sign_in(&mut browser, &stage.gateway, &[("scope", "photos")]).await?;
        Ok(Self { browser, flow, query })
    }

    /// Calls the callback with this query; the browser keeps its cookies, as an attacker's would.
    pub(crate) async fn call(&mut self, stage: &Stage, query: &str) -> Result<Seen> {
        let cookies = self.browser.cookies.clone();
        let seen = self.browser.get(&format!("{}/callback?{query}", stage.gateway)).await?;
        self.browser.cookies = cookies;
        Ok(seen)
    }

    pub(crate) async fn finishes(mut self, stage: &Stage) -> Result<()> {
        let query = self.query.clone();
        let code = self.call(stage, &query).await?.parameter("code").ok_or("no code")?;
        assert_eq!(self.flow.redeem(&stage.gateway, &code).await?.status, 200);
        Ok(())
    }
}

pub(crate) fn is_page(seen: &Seen) -> bool {
    seen.status == 400 && !seen.headers.contains_key("location") && seen.body.starts_with("<!doctype html>")
}

#[tokio::test]
async fn a_callback_in_another_browser_goes_nowhere() -> Result<()> {
    let stage = Stage::new().await?;
    let (attackers, victims) = (Returned::new(&stage).await?, Returned::new(&stage).await?);
    let callback = format!("{}/callback?{}", stage.gateway, attackers.query);
    assert!(is_page(&UserAgent::new().get(&callback).await?));
    // Also in a browser that is in the middle of a flow of its own.
    let mut browser = UserAgent::new();
    browser.cookies = victims.browser.cookies.clone();
    assert!(is_page(&browser.get(&callback).await?));
    // With the right name and the wrong value, and with both.
    let (name, _) = attackers.browser.cookies[0].clone();
    browser.cookies.push((name, victims.browser.cookies[0].1.clone()));
    assert!(is_page(&browser.get(&callback).await?));
    browser.cookies.push(attackers.browser.cookies[0].clone());
    assert!(is_page(&browser.get(&callback).await?));
    victims.finishes(&stage).await?;
    attackers.finishes(&stage).await
}

#[tokio::test]
async fn a_state_that_is_not_the_gateways_own_goes_nowhere() -> Result<()> {
    let (stage, other) = (Stage::new().await?, Stage::new().await?);
    let mut returned = Returned::new(&stage).await?;
    let foreign = Returned::new(&other).await?.query;
    let sealed = value(&returned.query, "state").unwrap();
    let mut last_changed = sealed.clone();
    let last = if last_changed.pop() == Some('A') { 'B' } else { 'A' };
    last_changed.push(last);
    let code = returned.flow.code(&mut UserAgent::new(), &stage.gateway).await?;
    let tokens = returned.flow.redeem(&stage.gateway, &code).await?;
    let refresh_token = tokens.member("refresh_token").unwrap();
    for junk in [
        "",
        "x",
        "the client's own state",
        &last_changed,
        &format!("{sealed}A"),
        &format!("{sealed}="),
        &sealed[1..],
        &value(&foreign, "state").unwrap(),
        &refresh_token, // sealed by this gateway, for something else
        &"A".repeat(20_000),
        &"A".repeat(60_000),
    ] {
        let query = changed(&returned.query, "state", junk);
        assert!(is_page(&returned.call(&stage, &query).await?), "{junk:.60}");
    }
    let twice = format!("{}&state={sealed}", returned.query);
    assert!(is_page(&returned.call(&stage, &twice).await?));
    assert!(is_page(&returned.call(&stage, "").await?));
    assert!(is_page(&returned.call(&stage, &format!("code=%ff&state={sealed}")).await?));
    returned.finishes(&stage).await
}

#[tokio::test]
async fn a_state_is_good_for_a_while() -> Result<()> {
    let stage = Stage::with(&config("", "\"transaction_seconds\": 1,"), MemoryStore::new()).await?;
    let mut returned = Returned::new(&stage).await?;
    tokio::time::sleep(Duration::from_millis(2100)).await;
    let query = returned.query.clone();
    assert!(is_page(&returned.call(&stage, &query).await?));
    Returned::new(&stage).await?.finishes(&stage).await
}

#[tokio::test]
async fn an_answer_with_another_iss_is_not_the_upstreams() -> Result<()> {
    let stage = Stage::new().await?;
    let mut returned = Returned::new(&stage).await?;
    for iss in ["https://evil.example", &format!("{}/", stage.upstream), &stage.upstream.to_uppercase()] {
        let query = changed(&returned.query, "iss", iss);
        let seen = returned.call(&stage, &query).await?;
        assert_eq!((seen.error().as_deref(), seen.parameter("code")), (Some("server_error"), None), "{iss}");
    }
    let without = changed(&returned.query, "iss", "");
    let seen = returned.call(&stage, &without).await?;
    assert!(seen.parameter("code").is_some(), "this upstream need not send one");

    let stage = Stage::with(&config("\"requires_iss\": true,", ""), MemoryStore::new()).await?;
    let mut returned = Returned::new(&stage).await?;
    let without = changed(&returned.query, "iss", "");
    assert_eq!(returned.call(&stage, &without).await?.error().as_deref(), Some("server_error"));
    returned.finishes(&stage).await?;

    let named = config("\"issuer\": \"https://idp.example/\",", "");
    let stage = Stage::with(&named, MemoryStore::new()).await?;
    let mut returned = Returned::new(&stage).await?;
    let query = returned.query.clone();
    assert_eq!(returned.call(&stage, &query).await?.error().as_deref(), Some("server_error"));
    returned.query = changed(&query, "iss", "https://idp.example/");
    returned.finishes(&stage).await
}

#[tokio::test]
async fn the_upstreams_error_is_passed_on() -> Result<()> {
    let stage = Stage::new().await?;
    let (mut browser, flow) = (UserAgent::new(), App::WEB.flow()?);
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

#[tokio::test]
async fn rubbish_from_the_upstream_is_not_passed_on() -> Result<()> {
    let stage = Stage::new().await?;
    let mut returned = Returned::new(&stage).await?;
    let sealed = value(&returned.query, "state").unwrap();
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
        "error=unauthorized_client", // that is the gateway, and no business of the client
    ] {
        let seen = returned.call(&stage, &format!("state={sealed}&{rubbish}")).await?;
        assert_eq!(seen.error().as_deref(), Some("server_error"), "{rubbish}");
        assert_eq!(seen.parameter("state").as_deref(), Some("the client's own state"), "{rubbish}");
    }
    for description in ["a%0d%0aSet-Cookie:+a=b", "%C3%A9", "a%22b", &"d".repeat(1025)] {
        let query = format!("state={sealed}&error=access_denied&error_description={description}");
        let seen = returned.call(&stage, &query).await?;
        assert_eq!(seen.error().as_deref(), Some("access_denied"));
        assert_eq!(seen.parameter("error_description"), None, "{description}");
    }
    for (uri, passed) in [("javascript:alert(1)", None), ("https://idp.example/e", Some("https://idp.example/e"))] {
        let query = format!("state={sealed}&error=access_denied&error_uri={uri}");
        assert_eq!(returned.call(&stage, &query).await?.parameter("error_uri").as_deref(), passed);
    }
    Ok(())
}

#[tokio::test]
async fn no_code_leaves_if_it_cannot_be_bound() -> Result<()> {
    let store = MemoryStore::builder().capacity(1).build();
    let stage = Stage::with(CONFIG, store).await?;
    for _ in 0..2 {
        let mut returned = Returned::new(&stage).await?;
        let query = returned.query.clone();
        let seen = returned.call(&stage, &query).await?;
        assert_eq!(seen.error().as_deref(), Some("temporarily_unavailable"));
        assert_eq!(seen.parameter("state").as_deref(), Some("the client's own state"));
        assert_eq!(seen.parameter("iss").as_ref(), Some(&stage.gateway));
        assert_eq!(seen.parameter("code"), None);
    }
    Ok(())
}
