//! The walk through the flow.

use playground::Result;
use thirtyfour::prelude::*;

use crate::browser::Browser;
use crate::look;

/// From the code verifier to the sign-in page.
pub(crate) async fn go_to_sign_in(browser: &Browser) -> Result<()> {
    for (step, next) in [("verifier", "challenge"), ("challenge", "request")] {
        browser.click(&format!("#step-{step} button")).await?;
        browser.wait_for_step(next, "current").await?;
    }
    browser.click("#step-request button").await?;
    browser.wait_for("input[name=username]").await
}

/// Signs in, and is back on the page.
pub(crate) async fn sign_in(browser: &Browser) -> Result<()> {
    browser.driver.find(By::Name("username")).await?.send_keys("alice").await?;
    browser.driver.find(By::Name("password")).await?.send_keys("wonderland").await?;
    browser.click("button[value=allow]").await?;
    browser.wait_for_step("token", "current").await
}

#[tokio::test]
async fn the_keyboard_alone_leads_from_the_verifier_to_the_tokens() -> Result<()> {
    let Some(browser) = Browser::open().await? else { return Ok(()) };
    browser.tab_to("Skip to the flow").await?;
    browser.press(Key::Enter).await?;
    browser.tab_to("Make a code verifier").await?;
    // From here on the focus goes along.
    browser.press(Key::Enter).await?;
    browser.wait_for_step("challenge", "current").await?;
    browser.press(Key::Enter).await?;
    browser.wait_for_step("request", "current").await?;
    browser.press(Key::Enter).await?;
    browser.wait_for("input[name=username]").await?;
    browser.press(Key::Tab).await?;
    browser.press("alice").await?;
    browser.press(Key::Tab).await?;
    browser.press("wonderland").await?;
    browser.press(Key::Enter).await?;
    // A key that is still down does not redeem the code.
    browser.wait_for_step("token", "current").await?;
    assert_eq!(browser.see("document.activeElement.textContent").await?, "Sign-in");
    browser.tab_to("Redeem the code").await?;
    browser.press(Key::Enter).await?;
    browser.wait_for_step("resource", "current").await?;
    browser.press(Key::Enter).await?;
    browser.wait_for_step("resource", "done").await?;
    assert_eq!(browser.see("document.activeElement.id").await?, "complete");
    assert_eq!(browser.see("document.querySelectorAll('.steps > [data-state=done]').length").await?, 7);

    // The browser has sent what the page says: the challenge of RFC 7636 §4.2, and later its verifier.
    let derived = "(async () => { const flow = JSON.parse(sessionStorage.flow); \
                   return await challengeOf(flow.verifier) === flow.challenge && flow.verifier.length })()";
    assert_eq!(browser.see(derived).await?, 43);
    let request = browser.text("#step-request .result").await?;
    assert!(request.contains("code_challenge_method=S256") && !request.contains("code_verifier"), "{request}");
    assert!(request.contains(r#"endpoint="authorization" outcome="challenge""#), "{request}");
    let metadata = browser.text("#step-challenge .result").await?;
    assert!(metadata.contains(r#""code_challenge_methods_supported":["S256"]"#), "{metadata}");
    assert!(browser.text("#step-signin .result").await?.contains(r#"endpoint="bind" outcome="bound""#));
    let token = browser.text("#step-token .result").await?;
    assert!(token.contains("code_verifier=") && token.contains("200 OK"), "{token}");
    assert!(token.contains(r#"outcome="cleared" clearance="verified""#), "{token}");
    // What is of PKCE is marked, there as in the authorization request.
    assert_eq!(browser.see("document.querySelectorAll('#step-request mark').length").await?, 2);
    assert_eq!(browser.see("document.querySelectorAll('#step-token mark').length").await?, 2);
    let used = browser.text("#step-resource .result").await?;
    assert!(used.contains(r#""sub":"alice""#), "{used}");
    assert!(used.contains("OPTIONS /me") && used.contains("access-control-request-headers: authorization"), "{used}");
    // Nothing of it stays in the address.
    assert_eq!(browser.see("location.href").await?, format!("{}/", browser.playground.origin));
    browser.close().await
}

#[tokio::test]
async fn the_page_remembers_the_flow_until_it_is_started_over() -> Result<()> {
    let Some(browser) = Browser::open().await? else { return Ok(()) };
    go_to_sign_in(&browser).await?;
    browser.driver.back().await?;
    browser.wait_for_step("request", "current").await?;
    browser.click("#step-request button").await?;
    browser.wait_for("input[name=username]").await?;
    sign_in(&browser).await?;
    browser.driver.refresh().await?;
    browser.wait_for_step("token", "current").await?;
    browser.click("#start-over").await?;
    browser.wait_for_step("verifier", "current").await?;
    assert_eq!(browser.see("document.activeElement.textContent").await?, "Make a code verifier");
    browser.close().await
}

#[tokio::test]
async fn a_denial_ends_the_flow_without_a_code() -> Result<()> {
    let Some(browser) = Browser::open().await? else { return Ok(()) };
    go_to_sign_in(&browser).await?;
    browser.click("button[value=deny]").await?;
    browser.wait_for_step("code", "refused").await?;
    assert!(browser.text("#step-code .result").await?.contains("access_denied"));
    browser.become_device(390, "dark").await?;
    look::fits(&browser, 390, "denied-390-dark").await?;
    browser.close().await
}

/// RFC 6749 §10.12, RFC 9207 §2.4.
#[tokio::test]
async fn an_answer_with_another_state_or_issuer_is_ignored() -> Result<()> {
    let Some(browser) = Browser::open().await? else { return Ok(()) };
    let forged = format!("{}/callback?code=stolen&state=another", browser.playground.origin);
    browser.driver.goto(&forged).await?;
    browser.wait_for("#notice:not(:empty)").await?;
    assert!(browser.text("#notice").await?.contains("belongs to no request of this tab"));

    go_to_sign_in(&browser).await?;
    browser.driver.back().await?;
    browser.wait_for_step("request", "current").await?;
    let state = browser.see("JSON.parse(sessionStorage.flow).state").await?;
    let state = state.as_str().ok_or("no state")?;
    for iss in ["", "&iss=https%3A%2F%2Fevil.example"] {
        let forged = format!("{}/callback?code=stolen&state={state}{iss}", browser.playground.origin);
        browser.driver.goto(&forged).await?;
        browser.wait_for("#notice:not(:empty)").await?;
        assert!(browser.text("#notice").await?.contains("another authorization server"));
        browser.wait_for_step("request", "current").await?;
    }
    browser.close().await
}

/// Whatever a forger writes into the address is text.
#[tokio::test]
async fn what_comes_back_is_never_markup() -> Result<()> {
    let Some(browser) = Browser::open().await? else { return Ok(()) };
    let markup = "<img src=x onerror=alert(1)>";
    let escaped = "%3Cimg+src%3Dx+onerror%3Dalert(1)%3E";
    for name in ["code", "error"] {
        go_to_sign_in(&browser).await?;
        browser.driver.back().await?;
        browser.wait_for_step("request", "current").await?;
        let sent = browser.see("[JSON.parse(sessionStorage.flow).state, settings.issuer]").await?;
        let (state, iss) = (sent[0].as_str().unwrap(), sent[1].as_str().unwrap());
        let forged = format!("{}/callback?{name}={escaped}&state={state}&iss={iss}", browser.playground.origin);
        browser.driver.goto(&forged).await?;
        browser.wait_for("#step-code[data-state=done], #step-code[data-state=refused]").await?;
        assert!(browser.text("#step-code").await?.contains(markup), "{name}");
        assert_eq!(browser.see("document.images.length").await?, 0, "{name}");
        browser.click("#start-over").await?;
    }
    browser.close().await
}

#[tokio::test]
async fn a_server_that_was_started_again_begins_a_new_flow() -> Result<()> {
    let Some(mut browser) = Browser::open().await? else { return Ok(()) };
    go_to_sign_in(&browser).await?;
    sign_in(&browser).await?;
    browser.playground.restart();
    browser.driver.refresh().await?;
    browser.wait_for_step("verifier", "current").await?;
    go_to_sign_in(&browser).await?;
    sign_in(&browser).await?;
    browser.click("#step-token button").await?;
    browser.wait_for_step("token", "done").await?;
    browser.close().await
}

#[tokio::test]
async fn a_server_that_is_gone_is_said() -> Result<()> {
    let Some(mut browser) = Browser::open().await? else { return Ok(()) };
    go_to_sign_in(&browser).await?;
    sign_in(&browser).await?;
    browser.playground.stop();
    browser.click("#step-token button").await?;
    browser.wait_for("#notice:not(:empty)").await?;
    assert!(browser.text("#step-token #notice").await?.contains("The server does not answer"));
    browser.wait_for_step("token", "current").await?;
    browser.click("#start-over").await?;
    browser.click("#step-verifier button").await?;
    browser.wait_for_step("challenge", "current").await?;
    browser.click("#step-challenge button").await?;
    browser.wait_for("#step-challenge #notice:not(:empty)").await?;
    assert_eq!(browser.see("document.activeElement.textContent").await?, "Derive the code challenge");
    browser.click("#no-verifier-play").await?;
    browser.wait_for("#attack-no-verifier .failed").await?;
    assert!(browser.text("#attack-no-verifier .failed").await?.contains("The server does not answer"));
    for (width, scheme) in [(1280, "light"), (390, "dark")] {
        browser.become_device(width, scheme).await?;
        look::fits(&browser, width, &format!("gone-{width}-{scheme}")).await?;
    }
    // The console says the same, so it is not looked at.
    Ok(())
}
