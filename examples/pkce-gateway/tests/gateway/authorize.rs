//! Authorization requests that do not get as far as the upstream, and what an operator changes about the others.

use serde_json::json;

use crate::Result;
use crate::app::{App, STATE};
use crate::program::Stage;
use crate::user_agent::{UserAgent, get, post};

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_sent_to_where_no_client_is_registered() -> Result {
    let stage = Stage::new().await?;
    let good = App::NATIVE.flow().request(&stage.gateway, &[]);
    for (from, to) in [
        ("client_id=native", "client_id=nobody"),
        ("client_id=native", "client_id="),
        ("client_id=native", "client_id=native&client_id=native"),
        ("client_id=native", "client_id=the-gateway"),
        ("client_id=native", "client_id=web"),
        ("8765%2Fcallback", "8765%2Fcallback&redirect_uri=https%3A%2F%2Fevil.example"),
        ("8765%2Fcallback", "8765%2Fcallback%2F.."),
        ("8765%2Fcallback", "8765%40evil.example%2Fcallback"),
        ("localhost%3A8765", "localhost.evil.example"),
        ("localhost%3A8765", "127.0.0.1%3A8765"),
        ("http%3A%2F%2Flocalhost%3A8765%2Fcallback", "https%3A%2F%2Fevil.example"),
        ("http%3A%2F%2Flocalhost%3A8765%2Fcallback", "%2F%2Fevil.example"),
        ("http%3A%2F%2Flocalhost%3A8765%2Fcallback", "javascript%3Aalert(1)"),
        ("http%3A%2F%2Flocalhost%3A8765%2Fcallback", ""),
        ("redirect_uri", "Redirect_URI"),
        ("state=", "state=%ff"),
    ] {
        assert!(good.contains(from), "{from}");
        let seen = get(&good.replacen(from, to, 1)).await?;
        seen.is_page();
        assert!(!seen.headers.contains_key("set-cookie") && !seen.body.contains("evil"), "{to}");
        assert!(seen.headers["content-security-policy"].to_str()?.contains("frame-ancestors 'none'"));
    }
    get(&format!("{}/authorize", stage.gateway)).await?.is_page();
    for length in [17 * 1024, 60 * 1024] {
        let request = App::NATIVE.flow().request(&stage.gateway, &[("more", &"x".repeat(length))]);
        assert_eq!(get(&request).await?.status, 414);
    }
    for path in ["/authorize", "/callback"] {
        let seen = post(&format!("{}{path}", stage.gateway), &[], "client_id=native").await?;
        assert_eq!((seen.status, seen.headers["allow"].to_str()?), (405, "GET"));
    }
    assert!(stage.upstream.heard("/authorize").is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_to_the_client_with_its_state() -> Result {
    let stage = Stage::new().await?;
    let good = App::NATIVE.flow().request(&stage.gateway, &[]);
    let challenge = good.split_once("code_challenge=").unwrap().1.split('&').next().unwrap();
    let long = "s".repeat(2049);
    for (from, to, error) in [
        (&*format!("&code_challenge={challenge}"), "", "invalid_request"),
        (challenge, "short", "invalid_request"),
        ("=S256", "=plain", "invalid_request"),
        ("=S256", "=S256&code_challenge_method=S256", "invalid_request"),
        ("&code_challenge_method=S256", "", "invalid_request"),
        ("response_type=code", "response_type=token", "unsupported_response_type"),
        ("response_type=code", "response_type=code+id_token", "unsupported_response_type"),
        ("response_type=code", "", "unsupported_response_type"),
        ("=S256", "=S256&response_mode=fragment", "invalid_request"),
        ("=S256", "=S256&response_mode=form_post", "invalid_request"),
        ("=S256", "=S256&request_uri=https://evil.example", "invalid_request"),
        ("=S256", "=S256&request=e30.e30.", "invalid_request"),
        ("=S256", "=S256&scope=a&scope=b", "invalid_request"),
        ("=S256", "=S256&prompt=none&%70rompt=login", "invalid_request"),
        ("=S256", "=S256&Redirect_Uri=https://evil.example", "invalid_request"),
        ("=S256", "=S256&STATE=x", "invalid_request"),
        ("=S256", "=S256&clientId=evil", "invalid_request"),
        ("=S256", "=S256&redirect_uri[]=https://evil.example", "invalid_request"),
        ("=S256", "=S256&redirect_uri%00=https://evil.example", "invalid_request"),
        ("the+client%27s+own+state", &long, "invalid_request"),
    ] {
        assert!(good.contains(from), "{from}");
        let mut browser = UserAgent::default();
        let seen = browser.get(&good.replacen(from, to, 1)).await?;
        assert!(seen.location()?.as_str().starts_with("http://localhost:8765/callback?error="), "{to}");
        seen.is(303, error);
        assert_eq!(seen.parameter("state").as_deref(), Some(if to == long { to } else { STATE }), "{to}");
        assert_eq!(seen.parameter("iss").as_ref(), Some(&stage.gateway), "{to}");
        assert!(browser.cookies.is_empty());
    }
    let twice = get(&format!("{good}&state=other")).await?;
    twice.is(303, "invalid_request");
    assert_eq!(twice.parameter("state"), None);
    assert!(stage.upstream.heard("/authorize").is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_operator_has_fixed_is_not_the_clients_to_change() -> Result {
    let stage = Stage::with(|config| {
        config["upstream"]["authorization_endpoint"] = json!("/authorize?tenant=7");
        config["upstream"]["authorization"] =
            json!({ "add": { "prompt": "consent", "access_type": "offline" }, "drop": ["resource"] });
    })
    .await?;
    let more = [("prompt", "none"), ("resource", "https://mcp.example/"), ("scope", "photos")];
    let request = App::NATIVE.flow().request(&stage.gateway, &more);
    get(&format!("{request}&TENANT=8")).await?.is(303, "invalid_request");
    get(&format!("{request}&Prompt=login")).await?.is(303, "invalid_request");
    let names = ["redirect_uri[x]", "redirect_uri%00x", "tenant%00x", "%0a", "[]"];
    let more = names.map(|name| format!("&{name}=https://evil.example")).concat();
    let location = get(&format!("{request}{more}&tenant=8")).await?.location()?;
    assert!(location.as_str().starts_with(&format!("{}/authorize?tenant=7&", stage.upstream.url)));
    let sent: Vec<(String, String)> = location.query_pairs().into_owned().collect();
    let names: Vec<&str> = sent.iter().map(|(name, _)| name.as_str()).collect();
    let expected = ["tenant", "response_type", "client_id", "redirect_uri", "state", "scope", "access_type", "prompt"];
    assert_eq!(names, expected);
    assert_eq!(sent[7].1, "consent");
    Ok(())
}
