//! Authorization requests that do not get as far as the upstream.

use pkce_gateway::demo::{App, Result, UserAgent};
use pkce_tower::MemoryStore;

use crate::stage::{Stage, config};

#[tokio::test]
async fn nobody_is_sent_to_where_no_client_is_registered() -> Result<()> {
    let stage = Stage::new().await?;
    let good = App::NATIVE.flow()?.request(&stage.gateway, &[])?;
    for (from, to) in [
        ("client_id=native", "client_id=nobody"),
        ("client_id=native", "client_id="),
        ("client_id=native", "client_id=native&client_id=native"),
        ("client_id=native", "client_id=the-gateway"),
        ("client_id=native", "client_id=web"),
        ("8765%2Fcallback", "8765%2Fcallback&redirect_uri=https%3A%2F%2Fevil.example"),
        ("8765%2Fcallback", "8765%2Fcallback%2F.."),
        ("8765%2Fcallback", "8765%40evil.example%2Fcallback"),
        ("127.0.0.1%3A8765", "127.0.0.1.evil.example"),
        ("http%3A%2F%2F127.0.0.1%3A8765%2Fcallback", "https%3A%2F%2Fevil.example"),
        ("http%3A%2F%2F127.0.0.1%3A8765%2Fcallback", "%2F%2Fevil.example"),
        ("http%3A%2F%2F127.0.0.1%3A8765%2Fcallback", "javascript%3Aalert(1)"),
        ("http%3A%2F%2F127.0.0.1%3A8765%2Fcallback", ""),
        ("redirect_uri", "Redirect_URI"),
        ("state=", "state=%ff"),
    ] {
        assert!(good.contains(from));
        let seen = UserAgent::new().get(&good.replacen(from, to, 1)).await?;
        assert_eq!(seen.status, 400, "{to}");
        assert!(!seen.headers.contains_key("location") && !seen.headers.contains_key("set-cookie"), "{to}");
        assert!(!seen.body.contains("evil"), "{to}");
        assert!(seen.headers["content-security-policy"].to_str()?.contains("frame-ancestors 'none'"));
    }
    assert_eq!(UserAgent::new().get(&format!("{}/authorize", stage.gateway)).await?.status, 400);
    assert!(stage.heard("/authorize").is_empty());
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_is_said_to_the_client_with_its_state() -> Result<()> {
    let stage = Stage::new().await?;
    let good = App::NATIVE.flow()?.request(&stage.gateway, &[])?;
    let (challenge, long) =
        (good.split_once("code_challenge=").unwrap().1.split('&').next().unwrap(), "s".repeat(2049));
    for (from, to, error) in [
        (&*format!("&code_challenge={challenge}"), "", "invalid_request"),
        (challenge, "short", "invalid_request"),
        ("=S256", "=plain", "invalid_request"),
        ("=S256", "=S256&code_challenge_method=S256", "invalid_request"),
        ("&code_challenge_method=S256", "", "invalid_request"),
        ("response_type=code", "response_type=token", "unsupported_response_type"),
        ("response_type=code", "response_type=code+id_token", "unsupported_response_type"),
        ("response_type=code", "response_type=none", "unsupported_response_type"),
        ("response_type=code", "", "unsupported_response_type"),
        ("=S256", "=S256&response_mode=fragment", "invalid_request"),
        ("=S256", "=S256&response_mode=form_post", "invalid_request"),
        ("=S256", "=S256&request_uri=https://evil.example", "invalid_request"),
        ("=S256", "=S256&request=e30.e30.", "invalid_request"),
        ("=S256", "=S256&scope=a&scope=b", "invalid_request"),
        ("=S256", "=S256&prompt=none&%70rompt=login", "invalid_request"),
        ("=S256", "=S256&Redirect_Uri=https://evil.example", "invalid_request"),
        ("=S256", "=S256&STATE=x", "invalid_request"),
        ("=S256", "=S256&redirect.uri=https://evil.example", "invalid_request"),
        ("=S256", "=S256&clientId=evil", "invalid_request"),
        ("=S256", "=S256&redirect_uri[]=https://evil.example", "invalid_request"),
        ("=S256", "=S256&redirect_uri%00=https://evil.example", "invalid_request"),
        ("the+client%27s+own+state", &long, "invalid_request"),
    ] {
        assert!(good.contains(from), "{from}");
        let mut browser = UserAgent::new();
        let seen = browser.get(&good.replacen(from, to, 1)).await?;
        assert!(seen.location()?.as_str().starts_with("http://127.0.0.1:8765/callback?error="), "{to}");
        assert_eq!(seen.parameter("error").as_deref(), Some(error), "{to}");
        let sent = if to == long { to } else { "the client's own state" };
        assert_eq!(seen.parameter("state").as_deref(), Some(sent), "{to}");
        assert_eq!(seen.parameter("iss").as_ref(), Some(&stage.gateway), "{to}");
        assert!(browser.cookies.is_empty());
    }
    let twice = UserAgent::new().get(&format!("{good}&state=other")).await?;
    assert_eq!((twice.error().as_deref(), twice.parameter("state")), (Some("invalid_request"), None));
    assert!(stage.heard("/authorize").is_empty());
    Ok(())
}

#[tokio::test]
async fn what_the_operator_has_fixed_is_not_the_clients_to_change() -> Result<()> {
    let at = config("\"authorization_endpoint\": \"/authorize?tenant=7\",", "");
    let stage = Stage::with(&at, MemoryStore::new()).await?;
    let request = App::NATIVE.flow()?.request(&stage.gateway, &[("prompt", "login")])?;
    let seen = UserAgent::new().get(&format!("{request}&TENANT=8")).await?;
    assert_eq!(seen.error().as_deref(), Some("invalid_request"));
    let names = ["redirect_uri[x]", "redirect_uri%00x", "tenant%00x", "%0a", "[]"];
    let more = names.map(|name| format!("&{name}=https://evil.example")).concat();
    let location = UserAgent::new().get(&format!("{request}{more}&tenant=8")).await?.location()?;
    assert!(location.as_str().starts_with(&format!("{}/authorize?tenant=7&", stage.upstream)));
    let names: Vec<String> = location.query_pairs().map(|(name, _)| name.into()).collect();
    assert_eq!(names, ["tenant", "response_type", "client_id", "redirect_uri", "state", "prompt"]);
    Ok(())
}

#[tokio::test]
async fn a_state_that_could_not_come_back_is_not_sent() -> Result<()> {
    let stage = Stage::new().await?;
    // Each takes six characters in JSON, and eight once that is sealed.
    let long = "\u{1}".repeat(2048);
    let request = App::NATIVE.flow()?.request(&stage.gateway, &[])?.replace("state=", "ignored=");
    let seen = UserAgent::new().get(&format!("{request}&{}", playground::form(&[("state", long.as_str())]))).await?;
    assert_eq!(seen.error().as_deref(), Some("invalid_request"));
    assert_eq!(seen.parameter("state"), Some(long));
    Ok(())
}

#[tokio::test]
async fn a_request_without_measure_is_refused() -> Result<()> {
    let stage = Stage::new().await?;
    let flow = App::NATIVE.flow()?;
    for (length, status) in [(17 * 1024, 414), (300 * 1024, 414)] {
        let request = flow.request(&stage.gateway, &[("more", &"x".repeat(length))])?;
        assert_eq!(stage.wire().get(&request[stage.gateway.len()..]).await?.status, status);
    }
    Ok(())
}

#[tokio::test]
async fn the_request_is_a_get() -> Result<()> {
    let stage = Stage::new().await?;
    for path in ["/authorize", "/callback"] {
        let said = stage.wire().post_form(path, "client_id=native").await?;
        assert_eq!((said.status, said.header("allow")), (405, Some("GET")));
    }
    Ok(())
}
