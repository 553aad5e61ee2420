//! The honest flow and what surrounds PKCE in the example servers: pages, redirects, metadata, CORS.

use pkce_core::CodeVerifier;
use pkce_tests::{Client, Result, Server, allow, location, on_both_servers, parameter, query, submit, transaction};
use playground::{FORM, Flow, S256, Said, Wire, challenge, form};
use serde_json::{Value, json};

on_both_servers! {
    every_client_goes_through_the_whole_flow,
    an_access_token_is_good_for_me_and_nothing_else_is,
    a_refresh_token_is_used_up_and_belongs_to_its_client,
    the_metadata_is_truthful,
    the_metadata_says_so_if_plain_is_allowed("--allow-plain"),
    the_issuer_of_the_command_line_is_named_everywhere("--issuer", "https://as.example/tenant"),
    the_state_comes_back_exactly,
    the_query_of_a_redirect_uri_is_kept,
    of_fifty_submissions_of_one_page_one_gets_a_code,
    a_wrong_password_gets_the_page_again,
    a_denial_is_told_to_the_client,
    an_unknown_client_or_redirect_uri_is_never_redirected_to,
    an_unsupported_response_type_is_told_to_the_client,
    pages_show_nothing_of_the_request_and_cannot_be_framed,
    the_authorization_endpoint_takes_get_alone,
    browsers_may_read_every_answer_but_those_of_the_authorization_endpoint,
    the_port_of_a_loopback_redirect_uri_is_free,
}

async fn every_client_goes_through_the_whole_flow(server: &Server) -> Result<()> {
    for client in [Client::SPA, Client::WEB, Client::WEB_BY_BODY] {
        let issued = client.go(server.wire, &[("scope", "openid profile"), ("state", "s")]).await?;
        let tokens = issued.redeem(server.wire, &[("redirect_uri", client.redirect_uri)]).await?;
        assert_eq!(tokens.status, 200, "{client:?}: {}", tokens.body);
        assert_eq!(tokens.header("content-type"), Some("application/json"));
        assert_eq!(tokens.header("cache-control"), Some("no-store")); // RFC 6749 §5.1
        let body: Value = serde_json::from_str(&tokens.body)?;
        assert_eq!((&body["token_type"], &body["scope"]), (&json!("Bearer"), &json!("openid profile")));
        assert!(body["expires_in"].as_u64().is_some_and(|seconds| seconds > 0));

        let refreshed = refresh(server.wire, client, &tokens).await?;
        assert_eq!(refreshed.status, 200, "{client:?}: {}", refreshed.body);
        for tokens in [&tokens, &refreshed] {
            let said = me(server.wire, tokens).await?;
            let body: Value = serde_json::from_str(&said.body)?;
            assert_eq!((said.status, body), (200, json!({ "sub": "alice", "client_id": client.id })));
        }
    }
    Ok(())
}

async fn an_access_token_is_good_for_me_and_nothing_else_is(server: &Server) -> Result<()> {
    let tokens = Flow::start(server.wire).await?.redeem(server.wire).await?;
    let refresh_token = tokens.member("refresh_token").ok_or("no refresh token")?;
    for authorization in ["Bearer", "Bearer x", "Basic c3BhOg==", &format!("Bearer {refresh_token}")] {
        let said = server.wire.send("GET", "/me", &[("authorization", authorization)], "").await?;
        assert_eq!(said.status, 401, "{authorization}");
        assert!(said.header("www-authenticate").is_some_and(|challenge| challenge.starts_with("Bearer")));
    }
    assert_eq!(server.wire.get("/me").await?.status, 401);
    assert_eq!(me(server.wire, &tokens).await?.status, 200);
    Ok(())
}

async fn a_refresh_token_is_used_up_and_belongs_to_its_client(server: &Server) -> Result<()> {
    let tokens = Flow::start(server.wire).await?.redeem(server.wire).await?;
    let stolen = refresh(server.wire, Client::WEB, &tokens).await?;
    assert_eq!((stolen.status, stolen.error().as_deref()), (400, Some("invalid_grant")));
    assert_eq!(refresh(server.wire, Client::SPA, &tokens).await?.status, 200);
    let again = refresh(server.wire, Client::SPA, &tokens).await?;
    assert_eq!((again.status, again.error().as_deref()), (400, Some("invalid_grant")));
    Ok(())
}

/// E.
async fn the_metadata_is_truthful(server: &Server) -> Result<()> {
    let issuer = format!("http://{}", server.wire.0);
    let metadata = metadata(server.wire).await?;
    assert_eq!(metadata["issuer"], json!(issuer));
    assert_eq!(metadata["authorization_endpoint"], json!(format!("{issuer}/authorize")));
    assert_eq!(metadata["token_endpoint"], json!(format!("{issuer}/token")));
    assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], json!(true));
    // What is not in it is not accepted.
    let verifier = CodeVerifier::generate()?;
    let plain = [("code_challenge", verifier.as_str()), ("code_challenge_method", "plain")];
    assert_eq!(server.wire.get(&Client::SPA.authorize(&plain)).await?.error().as_deref(), Some("invalid_request"));
    Ok(())
}

/// E.
async fn the_metadata_says_so_if_plain_is_allowed(server: &Server) -> Result<()> {
    assert_eq!(metadata(server.wire).await?["code_challenge_methods_supported"], json!(["S256", "plain"]));
    let verifier = CodeVerifier::generate()?;
    let challenge = verifier.as_str().to_owned();
    let plain = [("code_challenge", challenge.as_str()), ("code_challenge_method", "plain")];
    let issued = Client::SPA.sign_in(server.wire, verifier, &plain).await?;
    assert_eq!(issued.redeem(server.wire, &[]).await?.status, 200);
    assert_eq!(Flow::start(server.wire).await?.redeem(server.wire).await?.status, 200);
    Ok(())
}

async fn the_issuer_of_the_command_line_is_named_everywhere(server: &Server) -> Result<()> {
    const ISSUER: &str = "https://as.example/tenant";
    let metadata = metadata(server.wire).await?;
    assert_eq!((&metadata["issuer"], &metadata["token_endpoint"]), (&json!(ISSUER), &json!(format!("{ISSUER}/token"))));
    let issued = Client::SPA.go(server.wire, &[]).await?;
    let refused = server.wire.get(&Client::SPA.authorize(&[])).await?;
    let page = server.wire.get(&page_target()?).await?;
    let denied = submit(server.wire, &page, "", "deny").await?;
    for location in [issued.location, location(&refused)?, location(&denied)?] {
        assert_eq!(parameter(&location, "iss").as_deref(), Some(ISSUER), "{location}"); // RFC 9207 §2
    }
    Ok(())
}

async fn the_state_comes_back_exactly(server: &Server) -> Result<()> {
    for state in
        ["xyz", "a b+c&d=e%20/?#", "\"'<>\\`|{}^", "\r\nset-cookie: a=b", "äö€𝄞\u{0}", "%", "a;b", &"s".repeat(2000)]
    {
        let issued = Client::SPA.go(server.wire, &[("state", state)]).await?;
        assert_eq!(parameter(&issued.location, "state").as_deref(), Some(state));
        assert_eq!(query(&issued.location), ["code", "state", "iss"]);
        let refused = location(&server.wire.get(&Client::SPA.authorize(&[("state", state)])).await?)?;
        assert_eq!(parameter(&refused, "state").as_deref(), Some(state));
    }
    // None came, none goes back.
    assert_eq!(query(&Client::SPA.go(server.wire, &[]).await?.location), ["code", "iss"]);
    Ok(())
}

async fn the_query_of_a_redirect_uri_is_kept(server: &Server) -> Result<()> {
    let issued = Client::WEB.go(server.wire, &[("state", "s")]).await?;
    assert!(issued.location.as_str().starts_with("https://app.example/cb?tenant=7&code="), "{}", issued.location);
    assert_eq!(query(&issued.location), ["tenant", "code", "state", "iss"]);
    let refused = location(&server.wire.get(&Client::WEB.authorize(&[])).await?)?;
    assert!(refused.as_str().starts_with("https://app.example/cb?tenant=7&error="), "{refused}");
    Ok(())
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

async fn an_unsupported_response_type_is_told_to_the_client(server: &Server) -> Result<()> {
    let verifier = CodeVerifier::generate()?;
    let challenge = challenge(&verifier);
    for (response_type, error) in [
        ("token", "unsupported_response_type"),
        ("codes", "unsupported_response_type"),
        ("", "unsupported_response_type"),
    ] {
        let parameters = [
            ("response_type", response_type),
            ("client_id", "spa"),
            ("redirect_uri", playground::CALLBACK),
            ("state", "s"),
            ("code_challenge", &challenge),
            S256,
        ];
        let refused = location(&server.wire.get(&format!("/authorize?{}", form(&parameters))).await?)?;
        assert_eq!(query(&refused), ["error", "state", "iss"]);
        assert_eq!(parameter(&refused, "error").as_deref(), Some(error), "{response_type}");
    }
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
    ] {
        let said = server.wire.send(method, target, headers, body).await?;
        assert_eq!((said.status, said.header("access-control-allow-origin")), (status, Some("*")), "{method} {target}");
        let allowed = said.header("access-control-allow-headers").unwrap_or_default();
        assert!(["authorization", "content-type", "dpop"].iter().all(|name| allowed.contains(name)), "{allowed}");
    }
    for (method, target) in [("GET", page_target()?), ("GET", "/authorize".to_owned()), ("OPTIONS", page_target()?)] {
        let said = server.wire.send(method, &target, &preflight, "").await?;
        assert_eq!(said.header("access-control-allow-origin"), None, "{method} {target}");
    }
    Ok(())
}

/// RFC 8252 §7.3.
async fn the_port_of_a_loopback_redirect_uri_is_free(server: &Server) -> Result<()> {
    for redirect_uri in ["http://127.0.0.1:1/callback", "http://127.0.0.1:65535/callback", "http://127.0.0.1/callback"]
    {
        let issued = Client { redirect_uri, ..Client::SPA }.go(server.wire, &[]).await?;
        assert!(issued.location.as_str().starts_with(redirect_uri));
        // At the token endpoint it is the very same one.
        let other = issued.redeem(server.wire, &[("redirect_uri", playground::CALLBACK)]).await?;
        assert_eq!(other.error().as_deref(), Some("invalid_grant"));
        assert_eq!(issued.redeem(server.wire, &[("redirect_uri", redirect_uri)]).await?.status, 200);
    }
    for redirect_uri in
        ["http://127.0.0.1:0/callback", "http://127.0.0.1:65536/callback", "http://localhost:1/callback"]
    {
        let said = server.wire.get(&Client { redirect_uri, ..Client::SPA }.authorize(&[])).await?;
        assert_eq!((said.status, said.header("location")), (400, None), "{redirect_uri}");
    }
    Ok(())
}

/// An authorization request that gets a sign-in page.
fn page_target() -> Result<String> {
    let challenge = challenge(&CodeVerifier::generate()?);
    Ok(Client::SPA.authorize(&[("code_challenge", &challenge), S256]))
}

async fn metadata(wire: Wire) -> Result<Value> {
    Ok(serde_json::from_str(&wire.get("/.well-known/oauth-authorization-server").await?.body)?)
}

async fn me(wire: Wire, tokens: &Said) -> Result<Said> {
    let bearer = format!("Bearer {}", tokens.member("access_token").ok_or("no access token")?);
    Ok(wire.send("GET", "/me", &[("authorization", &bearer)], "").await?)
}

async fn refresh(wire: Wire, client: Client, tokens: &Said) -> Result<Said> {
    let refresh_token = tokens.member("refresh_token").ok_or("no refresh token")?;
    client.token(wire, &[("grant_type", "refresh_token"), ("refresh_token", &refresh_token)]).await
}
