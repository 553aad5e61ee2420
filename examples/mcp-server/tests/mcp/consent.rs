//! The consent page and the authorization response.

use serde_json::json;

use crate::client::{changed, register, request};
use crate::site::Site;
use crate::user::{User, csrf};
use crate::{CALLBACK, CHALLENGE, Result, VERIFIER};

#[tokio::test]
async fn the_page_names_client_redirect_host_and_resource_and_escapes_them() -> Result {
    let site = Site::start().await?;
    let uri = "https://app.example/cb?a=1&b='2'";
    let body = json!({ "redirect_uris": [uri], "client_name": "<b>\"Tools\" & more</b>" });
    let client = site.post_json("/oauth/register", &body.to_string()).await?.text("client_id");
    let page = User::default().open(&site, &changed(request(&client), "redirect_uri", uri)).await?;
    page.assert_is_page(200);
    for shown in [
        "<b>&lt;b&gt;&quot;Tools&quot; &amp; more&lt;/b&gt;</b>",
        &client,
        "<b>app.example</b>",
        "https://mcp.example/mcp",
    ] {
        assert!(page.body.contains(shown), "{shown} {}", page.body);
    }
    assert!(!page.body.contains("on this computer"), "{}", page.body);
    let page = User::default().open(&site, &request(&register(&site).await?)).await?;
    assert!(page.body.contains("on this computer"), "{}", page.body);
    Ok(())
}

#[tokio::test]
async fn nothing_of_the_request_is_in_the_form() -> Result {
    let site = Site::start().await?;
    let client = register(&site).await?;
    let page = User::default().open(&site, &request(&client)).await?;
    let (_, form) = page.body.split_once("<form").ok_or("no form")?;
    for part in [CHALLENGE, client.as_str(), CALLBACK, "state"] {
        assert!(!form.contains(part), "{part} {form}");
    }
    Ok(())
}

#[tokio::test]
async fn the_cookie_is_for_this_host_and_this_browser() -> Result {
    let site = Site::start().await?;
    let client = register(&site).await?;
    let said = User::default().open(&site, &request(&client)).await?;
    let cookie = said.header("set-cookie");
    assert!(cookie.starts_with("__Host-session="), "{cookie}");
    for attribute in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    Ok(())
}

#[tokio::test]
async fn another_browser_can_neither_approve_nor_use_up_the_request() -> Result {
    let site = Site::start().await?;
    let client = register(&site).await?;
    let (mut victim, mut attacker) = (User::default(), User::default());
    let page = victim.open(&site, &request(&client)).await?;
    let of_attacker = attacker.open(&site, &request(&client)).await?;
    let approve = |csrf| [("csrf", csrf), ("approved", "true")];
    // The attacker's token in the victim's browser, the victim's in the attacker's, and without a cookie.
    victim.send(&site, &approve(csrf(&of_attacker))).await?.assert_is_page(403);
    attacker.send(&site, &approve(csrf(&page))).await?.assert_is_page(403);
    User::default().send(&site, &approve(csrf(&page))).await?.assert_is_page(403);
    for wrong in ["", "x", &csrf(&page)[1..]] {
        victim.send(&site, &approve(wrong)).await?.assert_is_page(403);
    }
    let said = victim.send(&site, &approve(csrf(&page))).await?;
    assert!(said.parameter("code").is_some());
    victim.send(&site, &approve(csrf(&page))).await?.assert_is_page(403); // once
    Ok(())
}

#[tokio::test]
async fn two_tabs_of_a_browser_do_not_disturb_each_other() -> Result {
    let site = Site::start().await?;
    let client = register(&site).await?;
    let mut user = User::default();
    let first = user.open(&site, &changed(request(&client), "state", "1")).await?;
    let second = user.open(&site, &changed(request(&client), "state", "2")).await?;
    for (page, state) in [(first, "1"), (second, "2")] {
        let said = user.send(&site, &[("csrf", csrf(&page)), ("approved", "true")]).await?;
        assert_eq!(said.parameter("state").as_deref(), Some(state));
    }
    Ok(())
}

#[tokio::test]
async fn a_denial_is_an_error_with_state_and_issuer() -> Result {
    let site = Site::start().await?;
    let client = register(&site).await?;
    let mut user = User::default();
    let page = user.open(&site, &request(&client)).await?;
    let said = user.send(&site, &[("csrf", csrf(&page)), ("approved", "false")]).await?;
    assert_eq!(said.parameter("error").as_deref(), Some("access_denied"));
    assert_eq!(said.parameter("state").as_deref(), Some("a state & more"));
    assert_eq!(said.parameter("iss").as_deref(), Some(crate::ISSUER));
    assert_eq!((said.parameter("code"), said.header("cache-control")), (None, "no-store"));
    Ok(())
}

#[tokio::test]
async fn without_the_password_nobody_approves() -> Result {
    let site = Site::with(Some("correct horse"), reqwest::Client::new()).await?;
    let client = register(&site).await?;
    let mut user = User::default();
    let page = user.open(&site, &request(&client)).await?;
    assert!(page.body.contains("type=\"password\""), "{}", page.body);
    let form = vec![("csrf", csrf(&page)), ("approved", "true")];
    for wrong in [None, Some(""), Some("correct"), Some("correct horse ")] {
        user.send(&site, &changed(form.clone(), "password", wrong)).await?.assert_is_page(403);
    }
    let said = user.send(&site, &changed(form, "password", "correct horse")).await?;
    assert!(said.parameter("code").is_some());
    Ok(())
}

#[tokio::test]
async fn nobody_is_sent_to_a_redirect_uri_that_the_client_has_not_registered() -> Result {
    let site = Site::start().await?;
    let client = register(&site).await?;
    for (name, value) in [
        ("client_id", Some("nobody")),
        ("client_id", Some("")),
        ("client_id", None),
        ("redirect_uri", Some("https://attacker.example/")),
        ("redirect_uri", Some("http://127.0.0.1:8080/callback/")),
        ("redirect_uri", Some("http://127.0.0.1:8080/callback?x")),
        ("redirect_uri", Some("http://127.0.0.1:8080@attacker.example/callback")),
        ("redirect_uri", Some("http://127.0.0.1:8080.attacker.example/callback")),
        ("redirect_uri", Some("https://127.0.0.1:8080/callback")),
        ("redirect_uri", Some("http://localhost:8080/callback")),
        ("redirect_uri", Some("")),
        ("redirect_uri", None),
    ] {
        User::default().open(&site, &changed(request(&client), name, value)).await?.assert_is_page(400);
    }
    for name in ["client_id", "redirect_uri"] {
        let mut twice = request(&client);
        twice.extend(request(&client).into_iter().filter(|(found, _)| *found == name));
        User::default().open(&site, &twice).await?.assert_is_page(400);
    }
    Ok(())
}

#[tokio::test]
async fn a_state_comes_back_as_it_was_unless_it_is_too_long_to_be_kept() -> Result {
    let site = Site::start().await?;
    let client = register(&site).await?;
    for state in ["", "%20 +&=#\u{e9}", &"x".repeat(4096)] {
        let said = User::default().approve(&site, &changed(request(&client), "state", state)).await?;
        assert_eq!(said.parameter("state").unwrap_or_default(), state);
    }
    let long = "x".repeat(4097);
    User::default().open(&site, &changed(request(&client), "state", &*long)).await?.assert_is_page(400);
    let said = User::default().approve(&site, &changed(request(&client), "state", None)).await?;
    assert_eq!(said.parameter("state"), None);
    Ok(())
}

#[tokio::test]
async fn a_native_client_takes_any_port() -> Result {
    let site = Site::start().await?;
    for (registered, asked) in [
        ("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb"),
        ("http://127.0.0.1:3334/cb", "http://127.0.0.1:49152/cb"),
        ("http://[::1]/cb", "http://[::1]:49152/cb"),
        ("http://localhost:3334/cb", "http://localhost:49152/cb"),
    ] {
        let body = json!({ "redirect_uris": [registered] }).to_string();
        let client = site.post_json("/oauth/register", &body).await?.text("client_id");
        let said = User::default().approve(&site, &changed(request(&client), "redirect_uri", asked)).await?;
        assert!(said.header("location").starts_with(&format!("{asked}?code=")), "{said:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_wrong_request_of_a_right_client_is_an_error_by_redirect_before_the_page() -> Result {
    let site = Site::start().await?;
    let client = register(&site).await?;
    for (name, value, error) in [
        ("response_type", Some("token"), "unsupported_response_type"),
        ("response_type", None, "invalid_request"),
        ("code_challenge", None, "invalid_request"),
        ("code_challenge", Some("short"), "invalid_request"),
        ("code_challenge_method", Some("plain"), "invalid_request"),
        ("code_challenge_method", None, "invalid_request"),
        ("scope", Some("root"), "invalid_scope"),
        ("scope", Some("toolsx tool"), "invalid_scope"),
        ("resource", Some("https://other.example/mcp"), "invalid_target"),
    ] {
        let said = User::default().open(&site, &changed(request(&client), name, value)).await?;
        assert_eq!(said.parameter("error").as_deref(), Some(error), "{name} {value:?}");
        assert_eq!(said.parameter("state").as_deref(), Some("a state & more"), "{name} {value:?}");
        assert_eq!(said.parameter("iss").as_deref(), Some(crate::ISSUER), "{name} {value:?}");
        assert_eq!(said.parameter("code"), None, "{name} {value:?}");
    }
    for scope in ["", "tools", "tools offline_access", "offline_access tools"] {
        let said = User::default().approve(&site, &changed(request(&client), "scope", scope)).await?;
        assert!(said.parameter("code").is_some(), "{scope}");
    }
    // A verifier in the place of the challenge, which nothing would match.
    let said = User::default().open(&site, &changed(request(&client), "code_challenge", &VERIFIER[1..])).await?;
    assert_eq!(said.parameter("error").as_deref(), Some("invalid_request"));
    Ok(())
}
