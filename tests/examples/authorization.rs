//! The authorization request, and the page that asks the user.

use reqwest::StatusCode;
use url::Url;

use crate::browser::Browser;
use crate::program::Program;
use crate::token_client::{member, of_native, token, whose};
use crate::{CHALLENGE, NATIVE_URI, Result, VERIFIER, WEB_URI};

#[tokio::test]
async fn nobody_is_sent_to_a_redirect_uri_that_is_not_registered() -> Result {
    let (program, mut browser) = (Program::start(), Browser::new()?);
    for (client, uri) in [
        ("native", "https://evil.example/callback"),
        ("native", "http://127.0.0.1.evil.example/callback"),
        ("native", "http://127.0.0.1:49152@evil.example/callback"),
        ("native", "http://127.0.0.1:49152/callback/other"),
        ("native", "http://127.0.0.1:49152/callback?x=y"),
        ("native", "http://127.0.0.1:49152/callback#"),
        ("native", "http://user@127.0.0.1/callback"),
        ("native", "https://127.0.0.1:49152/callback"),
        ("native", "http://localhost:49152/callback"),
        ("native", ""),
        ("native", WEB_URI),
        ("web", NATIVE_URI),
        ("web", "https://web.example:444/callback"),
        ("web", "https://web.example/callback/"),
        ("nobody", WEB_URI),
    ] {
        let page = browser.authorize(&program, client, uri).await?;
        assert_eq!((page.status, page.header("location")), (StatusCode::BAD_REQUEST, ""), "{client} {uri}");
    }
    for uri in ["http://127.0.0.1/callback", "http://127.0.0.1:1/callback", NATIVE_URI] {
        assert_eq!(browser.authorize(&program, "native", uri).await?.status, StatusCode::OK, "{uri}");
    }
    Ok(())
}

#[tokio::test]
async fn a_client_hears_of_a_rejected_request_by_redirect() -> Result {
    let (program, mut browser) = (Program::start(), Browser::new()?);
    for (response_type, challenge, error) in [
        ("code", vec![], "invalid_request"),
        ("code", vec![("code_challenge", CHALLENGE)], "invalid_request"),
        ("code", vec![("code_challenge", VERIFIER), ("code_challenge_method", "plain")], "invalid_request"),
        ("token", vec![], "unsupported_response_type"),
        (
            "code token",
            vec![("code_challenge", CHALLENGE), ("code_challenge_method", "S256")],
            "unsupported_response_type",
        ),
    ] {
        let client = [("response_type", response_type), ("client_id", "native"), ("redirect_uri", NATIVE_URI)];
        let mut url = Url::parse_with_params(&program.url("/authorize"), client)?;
        url.query_pairs_mut().append_pair("state", "xyz").extend_pairs(&challenge);
        let redirect = browser.visit(&url).await?;
        assert_eq!(redirect.parameter("error").as_deref(), Some(error), "{url}");
        assert_eq!(redirect.parameter("state").as_deref(), Some("xyz"));
        assert_eq!(redirect.parameter("iss").as_ref(), Some(&program.base));
        assert_eq!(redirect.parameter("code"), None);
    }
    Ok(())
}

#[tokio::test]
async fn a_user_can_deny() -> Result {
    let (program, mut browser) = (Program::start(), Browser::new()?);
    let page = browser.authorize(&program, "native", NATIVE_URI).await?;
    let denied = browser.answer(&program, page.csrf(), "deny").await?;
    assert_eq!(denied.parameter("error").as_deref(), Some("access_denied"));
    assert_eq!(denied.parameter("code"), None);
    let late = browser.answer(&program, page.csrf(), "allow").await?;
    assert_eq!(late.status, StatusCode::FORBIDDEN);
    Ok(())
}

#[tokio::test]
async fn a_wrong_password_gives_no_code_and_can_be_corrected() -> Result {
    let (program, mut browser) = (Program::start(), Browser::new()?);
    let page = browser.authorize(&program, "native", NATIVE_URI).await?;
    let guess = [("csrf", page.csrf()), ("answer", "allow"), ("user", "alice"), ("password", "guess")];
    assert_eq!(browser.post(&program, &guess).await?.status, StatusCode::FORBIDDEN);
    let allowed = browser.answer(&program, page.csrf(), "allow").await?;
    assert!(allowed.parameter("code").is_some());
    Ok(())
}

#[tokio::test]
async fn a_consent_without_the_token_of_the_page_is_rejected() -> Result {
    let (program, mut browser) = (Program::start(), Browser::new()?);
    let page = browser.authorize(&program, "native", NATIVE_URI).await?;
    for forged in ["", "guess", &page.csrf().to_lowercase()] {
        assert_eq!(browser.answer(&program, forged, "allow").await?.status, StatusCode::FORBIDDEN);
    }
    let without = [("answer", "allow"), ("user", "alice"), ("password", "wonderland")];
    assert!(browser.post(&program, &without).await?.status.is_client_error());
    assert!(browser.answer(&program, page.csrf(), "allow").await?.parameter("code").is_some());
    Ok(())
}

#[tokio::test]
async fn another_session_cannot_consent() -> Result {
    let (program, mut victim, mut attacker) = (Program::start(), Browser::new()?, Browser::new()?);
    let page = victim.authorize(&program, "native", NATIVE_URI).await?;
    attacker.authorize(&program, "native", NATIVE_URI).await?;
    assert_ne!(victim.cookie, attacker.cookie);
    for cookie in [attacker.cookie.clone(), None, Some("session=".to_owned())] {
        attacker.cookie = cookie;
        assert_eq!(attacker.answer(&program, page.csrf(), "allow").await?.status, StatusCode::FORBIDDEN);
    }
    assert!(victim.answer(&program, page.csrf(), "allow").await?.parameter("code").is_some());
    Ok(())
}

#[tokio::test]
async fn an_empty_cookie_is_no_session() -> Result {
    let (program, mut victim, mut attacker) = (Program::start(), Browser::new()?, Browser::new()?);
    victim.cookie = Some("session=".to_owned());
    let page = victim.authorize(&program, "native", NATIVE_URI).await?;
    assert_eq!(attacker.answer(&program, page.csrf(), "allow").await?.status, StatusCode::FORBIDDEN);
    Ok(())
}

#[tokio::test]
async fn two_tabs_do_not_disturb_each_other() -> Result {
    let (program, mut browser) = (Program::start(), Browser::new()?);
    let first = browser.authorize(&program, "native", NATIVE_URI).await?;
    let second = browser.authorize(&program, "web", WEB_URI).await?;
    let allowed = browser.answer(&program, second.csrf(), "allow").await?;
    assert!(allowed.location().starts_with(WEB_URI), "{}", allowed.location());
    let allowed = browser.answer(&program, first.csrf(), "allow").await?;
    assert!(allowed.location().starts_with(NATIVE_URI), "{}", allowed.location());
    let tokens = token(&program, &of_native(&allowed.parameter("code").unwrap())).await?;
    assert_eq!(whose(&program, &member(&tokens, "access_token")).await?.as_deref(), Some("alice"));
    Ok(())
}

#[tokio::test]
async fn the_page_is_nobodys_frame_and_holds_nothing_of_the_challenge() -> Result {
    let (program, mut browser) = (Program::start(), Browser::new()?);
    let page = browser.authorize(&program, "native", NATIVE_URI).await?;
    assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"));
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(page.header("cache-control"), "no-store");
    assert!(page.header("content-type").starts_with("text/html"));
    let cookie = page.header("set-cookie");
    assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Lax"), "{cookie}");
    assert!(page.body.contains("native at http://127.0.0.1:49152/callback"), "{}", page.body);
    assert!(!page.body.contains(CHALLENGE), "{}", page.body);
    Ok(())
}
