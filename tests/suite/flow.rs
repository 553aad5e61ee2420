//! The honest flow and what surrounds PKCE in the example servers: pages, redirects, metadata, CORS.

use std::collections::HashSet;

use pkce_core::CodeVerifier;
use pkce_tests::{Client, Result, Server, allow, location, on_both_servers, parameter, query, submit};
use playground::{FORM, Flow, S256, Said, Wire, challenge, form};
use serde_json::{Value, json};

on_both_servers! {
    every_client_goes_through_the_whole_flow,
    every_code_is_new_and_as_long_as_256_bits,
    an_access_token_is_good_for_me_and_nothing_else_is,
    a_refresh_token_is_used_up_and_belongs_to_its_client,
    an_empty_secret_in_the_header_is_none,
    the_metadata_is_truthful,
    the_metadata_says_so_if_plain_is_allowed("--allow-plain"),
    the_issuer_of_the_command_line_is_named_everywhere("--issuer", "https://as.example/tenant"),
    the_metadata_is_where_openid_connect_has_it_too,
    an_issuer_with_a_path_is_found_by_its_metadata("--issuer", "https://as.example/tenant/"),
    a_scope_that_nobody_asked_for_is_in_no_response,
    the_state_comes_back_exactly,
    the_query_of_a_redirect_uri_is_kept,
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

/// RFC 6749 §10.10.
async fn every_code_is_new_and_as_long_as_256_bits(server: &Server) -> Result<()> {
    let mut codes = HashSet::new();
    for _ in 0..50 {
        let code = Flow::start(server.wire).await?.code;
        assert_eq!(code.len(), 43, "{code}");
        assert!(codes.insert(code));
    }
    // No place of them is always the same.
    let differs = |place: usize| codes.iter().map(|code| code.as_bytes()[place]).collect::<HashSet<_>>().len() > 4;
    assert!((0..43).all(differs), "{codes:?}");
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

/// As in the body (RFC 6749 §2.3.1). Requests-OAuthlib names every public client like that.
async fn an_empty_secret_in_the_header_is_none(server: &Server) -> Result<()> {
    for (client, credentials, status) in [
        (Client::SPA, "c3BhOg==", 200),             // spa:
        (Client::WEB, "d2ViOg==", 401),             // web:
        (Client::SPA, "c3BhOndlYi1zZWNyZXQ=", 401), // spa:web-secret
    ] {
        let issued = client.go(server.wire, &[]).await?;
        let request = form(&[
            ("grant_type", "authorization_code"),
            ("code", issued.code.as_str()),
            ("code_verifier", issued.verifier.as_str()),
        ]);
        let basic = format!("Basic {credentials}");
        let said = server.wire.send("POST", "/token", &[FORM, ("authorization", &basic)], &request).await?;
        assert_eq!(said.status, status, "{credentials}: {}", said.body);
        assert_eq!(said.header("www-authenticate").is_some(), status == 401);
    }
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

/// RFC 8414 §5: some clients look nowhere else.
async fn the_metadata_is_where_openid_connect_has_it_too(server: &Server) -> Result<()> {
    let (document, same) = (metadata(server.wire).await?, server.wire.get("/.well-known/openid-configuration").await?);
    assert_eq!((same.status, same.header("content-type")), (200, Some("application/json")));
    assert_eq!(serde_json::from_str::<Value>(&same.body)?, document);
    let head = server.wire.send("HEAD", "/.well-known/openid-configuration", &[], "").await?;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    Ok(())
}

/// RFC 8414 §3.1, §5: the well-known part is inserted before the path of the issuer, or (`OpenID` Connect) added to it.
async fn an_issuer_with_a_path_is_found_by_its_metadata(server: &Server) -> Result<()> {
    let document = metadata(server.wire).await?;
    assert_eq!(document["issuer"], json!("https://as.example/tenant/"));
    for place in [
        "/.well-known/oauth-authorization-server/tenant",
        "/.well-known/openid-configuration/tenant",
        "/tenant/.well-known/openid-configuration",
    ] {
        let said = server.wire.send("GET", place, &[("origin", "https://app.example")], "").await?;
        assert_eq!((said.status, said.header("access-control-allow-origin")), (200, Some("*")), "{place}");
        assert_eq!(serde_json::from_str::<Value>(&said.body)?, document, "{place}");
    }
    for place in ["/.well-known/oauth-authorization-server/other", "/tenant/.well-known/oauth-authorization-server"] {
        assert_eq!(server.wire.get(place).await?.status, 404, "{place}");
    }
    // The endpoints are where the document has them.
    assert_eq!(document["authorization_endpoint"], json!("https://as.example/tenant/authorize"));
    let page = server.wire.get(&format!("/tenant{}", page_target()?)).await?;
    assert!(parameter(&location(&allow(server.wire, &page).await?)?, "code").is_some());
    let said = server.wire.send("POST", "/tenant/token", &[FORM], "grant_type=refresh_token&client_id=spa").await?;
    assert_eq!((said.status, said.error().as_deref()), (400, Some("invalid_request")));
    let code = Client::SPA.go(server.wire, &[]).await?;
    let stolen = form(&[("grant_type", "authorization_code"), ("code", &code.code), ("client_id", "spa")]);
    assert_eq!(server.wire.post_form("/tenant/token", &stolen).await?.error().as_deref(), Some("invalid_grant"));
    let proven = format!("{stolen}&code_verifier={}", code.verifier.as_str());
    let tokens = server.wire.post_form("/tenant/token", &proven).await?;
    assert_eq!(tokens.status, 200);
    let bearer = format!("Bearer {}", tokens.member("access_token").ok_or("no access token")?);
    assert_eq!(server.wire.send("GET", "/tenant/me", &[("authorization", &bearer)], "").await?.status, 200);
    Ok(())
}

/// RFC 6749 §3.3: a scope has at least one character.
async fn a_scope_that_nobody_asked_for_is_in_no_response(server: &Server) -> Result<()> {
    for scope in [&[][..], &[("scope", "")]] {
        let tokens = Client::SPA.go(server.wire, scope).await?.redeem(server.wire, &[]).await?;
        let refreshed = refresh(server.wire, Client::SPA, &tokens).await?;
        for said in [tokens, refreshed] {
            let body: Value = serde_json::from_str(&said.body)?;
            assert_eq!((said.status, body.get("scope")), (200, None));
        }
    }
    Ok(())
}

async fn the_state_comes_back_exactly(server: &Server) -> Result<()> {
    for state in
        ["xyz", "a b+c&d=e%20/?#", "\"'<>\\`|{}^", "\r\nset-cookie: a=b", "äö€𝄞\u{0}", "%", "a;b", &"s".repeat(8000)]
    {
        let issued = Client::SPA.go(server.wire, &[("state", state)]).await?;
        assert_eq!(parameter(&issued.location, "state").as_deref(), Some(state));
        assert_eq!(query(&issued.location), ["code", "state", "iss"]);
        let refused = location(&server.wire.get(&Client::SPA.authorize(&[("state", state)])).await?)?;
        assert_eq!(parameter(&refused, "state").as_deref(), Some(state));
    }
    // One that is longer than the server keeps is refused, not cut.
    let long = location(&server.wire.get(&Client::SPA.authorize(&[("state", &"s".repeat(8193))])).await?)?;
    assert_eq!(query(&long), ["error", "iss"]);
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

/// RFC 8252 §7.3.
async fn the_port_of_a_loopback_redirect_uri_is_free(server: &Server) -> Result<()> {
    for redirect_uri in [
        "http://127.0.0.1:1/callback",
        "http://127.0.0.1:65535/callback",
        "http://127.0.0.1/callback",
        "http://localhost:33418/callback",
        "http://localhost/callback",
        "http://[::1]:33418/callback",
        "http://[::1]/callback",
    ] {
        let issued = Client { redirect_uri, ..Client::SPA }.go(server.wire, &[]).await?;
        assert!(issued.location.as_str().starts_with(redirect_uri));
        // At the token endpoint it is the very same one.
        let other = issued.redeem(server.wire, &[("redirect_uri", playground::CALLBACK)]).await?;
        assert_eq!(other.error().as_deref(), Some("invalid_grant"));
        assert_eq!(issued.redeem(server.wire, &[("redirect_uri", redirect_uri)]).await?.status, 200);
    }
    for redirect_uri in [
        "http://127.0.0.1:0/callback",
        "http://127.0.0.1:65536/callback",
        "http://localhost:0/callback",
        "http://localhost:1/callback/",
        "http://LOCALHOST:1/callback",
        "https://localhost:1/callback",
        "http://localhost.evil.example:1/callback",
        "http://[::1]:65536/callback",
        "http://[::2]:1/callback",
    ] {
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
