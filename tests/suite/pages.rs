//! The pages of the example servers, and who may read their answers.

use pkce_core::CodeVerifier;
use pkce_tests::{Client, Result, Server, allow, location, on_both_servers, parameter, query, submit, transaction};
use playground::{FORM, Flow, S256, challenge, form};
use url::Url;

on_both_servers! {
    of_fifty_submissions_of_one_page_one_gets_a_code,
    a_wrong_password_gets_the_page_again,
    a_denial_is_told_to_the_client,
    an_unknown_client_or_redirect_uri_is_never_redirected_to,
    a_response_type_other_than_code_is_told_to_the_client,
    a_state_comes_back_whatever_else_is_wrong,
    a_repeated_or_too_long_state_is_dropped_and_nothing_else_is,
    pages_show_nothing_of_the_request_and_cannot_be_framed,
    the_authorization_endpoint_takes_get_alone,
    browsers_may_read_every_answer_but_those_of_the_authorization_endpoint,
}

async fn of_fifty_submissions_of_one_page_one_gets_a_code(server: &Server) -> Result<()> {
    let page = server.wire.get(&page_target()?).await?;
    let wire = server.wire;
    let submissions: Vec<_> = (0..50)
        .map(|_| {
            let page = page.clone();
            tokio::spawn(async move { allow(wire, &page).await })
        })
        .collect();
    let mut codes = 0;
    for submission in submissions {
        let said = submission.await??;
        match said.status {
            303 => codes += usize::from(parameter(&location(&said)?, "code").is_some()),
            status => assert_eq!(status, 400),
        }
    }
    assert_eq!(codes, 1);
    Ok(())
}

async fn a_wrong_password_gets_the_page_again(server: &Server) -> Result<()> {
    let page = server.wire.get(&page_target()?).await?;
    for wrong in ["", "Wonderland", "wonderland "] {
        let again = submit(server.wire, &page, wrong, "allow").await?;
        assert_eq!((again.status, again.header("location")), (401, None));
        assert_eq!(transaction(&again)?, transaction(&page)?);
    }
    assert!(parameter(&location(&allow(server.wire, &page).await?)?, "code").is_some());
    Ok(())
}

async fn a_denial_is_told_to_the_client(server: &Server) -> Result<()> {
    let page = server.wire.get(&format!("{}&state=s%20t", page_target()?)).await?;
    let denied = location(&submit(server.wire, &page, "", "deny").await?)?;
    assert_eq!(query(&denied), ["error", "state", "iss"]);
    assert_eq!(parameter(&denied, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&denied, "state").as_deref(), Some("s t"));
    let late = allow(server.wire, &page).await?;
    assert_eq!((late.status, late.header("location")), (400, None));
    Ok(())
}

/// RFC 9700 §4.11.2.
async fn an_unknown_client_or_redirect_uri_is_never_redirected_to(server: &Server) -> Result<()> {
    const APP: &str = "https://app.example/cb?tenant=7";
    for (client_id, redirect_uri) in [
        ("", APP),
        ("nobody", APP),
        ("SPA", APP),
        ("spa", ""),
        ("spa", "https://evil.example/cb"),
        ("spa", "https://app.example/cb"),
        ("spa", "https://app.example/cb?tenant=7&x"),
        ("spa", "https://app.example/cb?tenant=7#f"),
        ("web", "http://127.0.0.1:8765/callback"),
    ] {
        let parameters = [("response_type", "code"), ("client_id", client_id), ("redirect_uri", redirect_uri)];
        // With a challenge and without one, and beside a second client.
        for more in ["", "&client_id=spa", "&code_challenge=x", "&response_type=token"] {
            let said = server.wire.get(&format!("/authorize?{}{more}", form(&parameters))).await?;
            assert_eq!((said.status, said.header("location")), (400, None), "{client_id} {redirect_uri} {more}");
            assert!(said.header("content-type").is_some_and(|kind| kind.starts_with("text/html")));
        }
    }
    Ok(())
}

/// RFC 6749 §4.1.2.1.
async fn a_response_type_other_than_code_is_told_to_the_client(server: &Server) -> Result<()> {
    for (response_type, error) in [
        ("", "invalid_request"),
        ("&response_type", "invalid_request"),
        ("&response_type=", "invalid_request"),
        ("&response_type=code&response_type=code", "invalid_request"),
        ("&response_type=code&response_type=token", "invalid_request"),
        ("&response_type=code&response%5Ftype=", "invalid_request"),
        ("&response_type=token", "unsupported_response_type"),
        ("&response_type=codes", "unsupported_response_type"),
        ("&response_type=code%20id_token", "unsupported_response_type"),
        ("&response_type=CODE", "unsupported_response_type"),
        ("&response_type=code%0A", "unsupported_response_type"),
    ] {
        let refused = refused(server, &format!("{}{response_type}&state=s", without_response_type()?)).await?;
        assert_eq!(query(&refused), ["error", "state", "iss"], "{response_type}");
        assert_eq!(parameter(&refused, "error").as_deref(), Some(error), "{response_type}");
        assert_eq!(parameter(&refused, "state").as_deref(), Some("s"), "{response_type}");
    }
    Ok(())
}

async fn a_state_comes_back_whatever_else_is_wrong(server: &Server) -> Result<()> {
    let (right, none) = (page_target()?, without_response_type()?);
    let long = "s".repeat(8193);
    for (request, error) in [
        (format!("{right}&scope=a&scope=b"), "invalid_request"),
        (format!("{right}&scope=&scope"), "invalid_request"),
        (format!("{right}&scope={long}"), "invalid_request"),
        (format!("{none}&scope={long}"), "invalid_request"),
        (format!("{right}&code_challenge=x"), "invalid_request"),
        (format!("{right}&request=x"), "invalid_request"),
        (Client::SPA.authorize(&[]), "invalid_request"),
        (format!("{none}&scope=a&scope=b&response_type=token"), "invalid_request"),
    ] {
        let state = "a b&c=d#e%20é";
        let refused = refused(server, &format!("{request}&{}", form(&[("state", state)]))).await?;
        assert_eq!(parameter(&refused, "error").as_deref(), Some(error), "{request}");
        assert_eq!(parameter(&refused, "state").as_deref(), Some(state), "{request}");
    }
    Ok(())
}

/// The limit is 8 KiB after decoding.
async fn a_repeated_or_too_long_state_is_dropped_and_nothing_else_is(server: &Server) -> Result<()> {
    let right = page_target()?;
    let (longest, longer) = ("%C3%A9".repeat(4096), format!("s{}", "%C3%A9".repeat(4096)));
    for state in ["state=s&state=s", "state=s&state=", "state=s&st%61te=t", &format!("state={longer}")] {
        let refused = refused(server, &format!("{right}&{state}")).await?;
        assert_eq!(query(&refused), ["error", "iss"], "{state}");
        assert_eq!(parameter(&refused, "error").as_deref(), Some("invalid_request"), "{state}");
    }
    let page = server.wire.get(&format!("{right}&state={longest}&scope={longest}")).await?;
    let issued = location(&allow(server.wire, &page).await?)?;
    assert_eq!(parameter(&issued, "state"), Some("é".repeat(4096)));
    Ok(())
}

async fn pages_show_nothing_of_the_request_and_cannot_be_framed(server: &Server) -> Result<()> {
    const EVIL: &str = "\"'><script>alert(1)</script>";
    let evil = form(&[("state", EVIL), ("scope", EVIL), ("nonce", EVIL)]);
    let page = server.wire.get(&format!("{}&{evil}", page_target()?)).await?;
    let unknown =
        server.wire.get(&format!("/authorize?{}", form(&[("client_id", EVIL), ("redirect_uri", EVIL)]))).await?;
    let wrong = server.wire.post_form("/sign-in", &form(&[("transaction", EVIL), ("decision", "deny")])).await?;
    let undecided = server.wire.post_form("/sign-in", &form(&[("transaction", EVIL), ("decision", EVIL)])).await?;
    let lost = server.wire.get("/%3Cscript%3Ealert(1)%3C/script%3E").await?;
    for (said, status) in [(&page, 200), (&unknown, 400), (&wrong, 400), (&undecided, 400), (&lost, 404)] {
        assert_eq!(said.status, status);
        assert!(!said.body.contains("alert"), "{}", said.body);
        assert_eq!(said.header("x-frame-options"), Some("DENY"));
        assert!(said.header("content-security-policy").is_some_and(|csp| csp.contains("frame-ancestors 'none'")));
        assert_eq!(said.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(said.header("cache-control"), Some("no-store"));
    }
    let redirect = allow(server.wire, &page).await?;
    assert_eq!(redirect.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(parameter(&location(&redirect)?, "state").as_deref(), Some(EVIL));
    Ok(())
}

/// A1.
async fn the_authorization_endpoint_takes_get_alone(server: &Server) -> Result<()> {
    let target = page_target()?;
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        let said = server.wire.send(method, &target, &[FORM], target.trim_start_matches("/authorize?")).await?;
        assert_eq!((said.status, said.header("allow"), said.header("location")), (405, Some("GET"), None), "{method}");
    }
    assert_eq!(server.wire.get(&target).await?.status, 200);
    Ok(())
}

async fn browsers_may_read_every_answer_but_those_of_the_authorization_endpoint(server: &Server) -> Result<()> {
    const METADATA: &str = "/.well-known/oauth-authorization-server";
    const OPENID: &str = "/.well-known/openid-configuration";
    let flow = Flow::start(server.wire).await?;
    let right = flow.token_request(&[("code_verifier", flow.verifier.as_str())]);
    let origin = ("origin", "https://app.example");
    let preflight = [origin, ("access-control-request-method", "POST")];
    for (method, target, headers, body, status) in [
        ("OPTIONS", "/token", &preflight[..], "", 204),
        ("OPTIONS", "/me", &preflight, "", 204),
        ("OPTIONS", METADATA, &preflight, "", 204),
        ("POST", "/token", &[origin, FORM], "grant_type=authorization_code", 400),
        ("POST", "/token", &[origin, FORM], "grant_type=password&client_id=spa", 400),
        ("POST", "/token", &[origin, FORM], "grant_type=refresh_token", 401),
        ("GET", "/token", &[origin], "", 405),
        ("POST", "/token", &[origin, FORM], &"x".repeat(17_000), 413),
        ("POST", "/token", &[origin, FORM], &right, 200),
        ("GET", "/me", &[origin], "", 401),
        ("POST", "/me", &[origin], "", 405),
        ("GET", METADATA, &[origin], "", 200),
        ("POST", METADATA, &[origin], "", 405),
        ("OPTIONS", OPENID, &preflight, "", 204),
        ("GET", OPENID, &[origin], "", 200),
        ("POST", OPENID, &[origin], "", 405),
    ] {
        let said = server.wire.send(method, target, headers, body).await?;
        assert_eq!((said.status, said.header("access-control-allow-origin")), (status, Some("*")), "{method} {target}");
        let allowed = said.header("access-control-allow-headers").unwrap_or_default();
        assert!(
            ["authorization", "content-type", "dpop", "mcp-protocol-version"].iter().all(|name| allowed.contains(name)),
            "{allowed}"
        );
    }
    for (method, target) in [("GET", page_target()?), ("GET", "/authorize".to_owned()), ("OPTIONS", page_target()?)] {
        let said = server.wire.send(method, &target, &preflight, "").await?;
        assert_eq!(said.header("access-control-allow-origin"), None, "{method} {target}");
    }
    Ok(())
}

/// An authorization request that gets a sign-in page.
fn page_target() -> Result<String> {
    let challenge = challenge(&CodeVerifier::generate()?);
    Ok(Client::SPA.authorize(&[("code_challenge", &challenge), S256]))
}

/// The same without its response type.
fn without_response_type() -> Result<String> {
    Ok(page_target()?.replace("response_type=code&", ""))
}

/// Where the error of a request is sent.
async fn refused(server: &Server, target: &str) -> Result<Url> {
    let refused = location(&server.wire.get(target).await?)?;
    assert!(refused.as_str().starts_with(playground::CALLBACK), "{refused}");
    Ok(refused)
}
