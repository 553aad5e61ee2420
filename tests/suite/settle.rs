//! What becomes of a code once it is redeemed (rules C14 to C17 by policy, C19 to C23 in the example servers).

use std::sync::Arc;
use std::time::Duration;

use pkce_core::{CodeVerifier, MemoryStore, Policy};
use pkce_tests::{Adapter, Client, Gated, Issued, Result, Secret, Server, allow, location, on_both_servers, parameter};
use playground::{FORM, Flow, S256, Said, Wire, challenge, form};
use tokio::time::{Instant, sleep, sleep_until};

const GUESS: &str = "a-guess-a-guess-a-guess-a-guess-a-guess-a-guess";

on_both_servers! {
    a_client_that_fails_to_authenticate_may_try_again,
    a_wrong_redirect_uri_leaves_the_code_live,
    another_client_cannot_use_up_the_code,
    a_replay_revokes_what_the_code_has_produced,
    a_replay_without_the_right_verifier_revokes_nothing,
    a_mismatch_burns_the_code_if_told_to("--burn-on-mismatch"),
    a_code_lives_as_long_as_it_is_told_and_no_longer("--code-lifetime", "1"),
    a_client_may_leave_out_the_challenge_if_told_so("--allow-missing-challenge"),
    a_replay_that_overtakes_the_issuance_revokes_it_too(own),
    what_the_policy_no_longer_allows_is_refused(own),
}

/// C19.
async fn a_client_that_fails_to_authenticate_may_try_again(server: &Server) -> Result<()> {
    for client in [Client::WEB, Client::WEB_BY_BODY] {
        let issued = client.go(server.wire, &[]).await?;
        let base = [
            ("grant_type", "authorization_code"),
            ("code", issued.code.as_str()),
            ("code_verifier", issued.verifier.as_str()),
        ];
        let body = |more: &[(&str, &str)]| form(base.iter().chain(more));
        for (authorization, body) in [
            (None, body(&[])),
            (None, body(&[("client_id", "web")])),
            (None, body(&[("client_id", "web"), ("client_secret", "guess")])),
            (Some("Basic d2ViOmd1ZXNz"), body(&[])),
            (Some("Basic %%%"), body(&[])),
            (Some("Bearer x"), body(&[])),
            (Some("Basic d2ViOndlYi1zZWNyZXQ="), body(&[("client_secret", "web-secret")])),
        ] {
            let headers: Vec<_> =
                [FORM].into_iter().chain(authorization.map(|value| ("authorization", value))).collect();
            let said = server.wire.send("POST", "/token", &headers, &body).await?;
            assert_eq!(
                (said.status, said.error().as_deref()),
                (401, Some("invalid_client")),
                "{authorization:?} {body}"
            );
            assert!(said.header("www-authenticate").is_some_and(|challenge| challenge.starts_with("Basic")));
        }
        // C26: another client.
        let said = server.wire.post_form("/token", &body(&[("client_id", "nobody")])).await?;
        assert_eq!((said.status, said.error().as_deref()), (400, Some("invalid_grant")));
        let twice = body(&[("client_id", "web"), ("client_secret", "web-secret"), ("client_secret", "web-secret")]);
        let said = server.wire.post_form("/token", &twice).await?;
        assert_eq!((said.status, said.error().as_deref()), (400, Some("invalid_request")));
        served(&issued.redeem(server.wire, &[]).await?);
    }
    Ok(())
}

/// C19.
async fn a_wrong_redirect_uri_leaves_the_code_live(server: &Server) -> Result<()> {
    let issued = Client::SPA.go(server.wire, &[]).await?;
    for wrong in ["http://127.0.0.1:8766/callback", "https://app.example/cb?tenant=7", "https://evil.example", "x"] {
        refused(&issued.redeem(server.wire, &[("redirect_uri", wrong)]).await?);
    }
    served(&issued.redeem(server.wire, &[("redirect_uri", issued.client.redirect_uri)]).await?);
    Ok(())
}

/// C19.
async fn another_client_cannot_use_up_the_code(server: &Server) -> Result<()> {
    let issued = Client::SPA.go(server.wire, &[]).await?;
    let parameters = [
        ("grant_type", "authorization_code"),
        ("code", issued.code.as_str()),
        ("code_verifier", issued.verifier.as_str()),
    ];
    for other in [Client::WEB, Client::WEB_BY_BODY] {
        refused(&other.token(server.wire, &parameters).await?);
    }
    served(&issued.redeem(server.wire, &[]).await?);
    let issued = Client::WEB.go(server.wire, &[]).await?;
    let stolen = Issued { client: Client { secret: Secret::None, ..Client::SPA }, ..issued };
    refused(&stolen.redeem(server.wire, &[]).await?);
    served(&Issued { client: Client::WEB, ..stolen }.redeem(server.wire, &[]).await?);
    Ok(())
}

/// C20, C22.
async fn a_replay_revokes_what_the_code_has_produced(server: &Server) -> Result<()> {
    let (flow, bystander) = (Flow::start(server.wire).await?, Flow::start(server.wire).await?);
    let (first, unrelated) = (flow.redeem(server.wire).await?, bystander.redeem(server.wire).await?);
    let refreshed = refresh(server.wire, &first).await?;
    for tokens in [&first, &refreshed, &unrelated] {
        assert_eq!(me(server.wire, tokens).await?, 200);
    }
    for _ in 0..2 {
        refused(&flow.redeem(server.wire).await?);
        assert_eq!(me(server.wire, &first).await?, 401);
        assert_eq!(me(server.wire, &refreshed).await?, 401);
        assert_eq!(refresh(server.wire, &refreshed).await?.status, 400);
    }
    assert_eq!(me(server.wire, &unrelated).await?, 200);
    Ok(())
}

/// C23; OAuth 2.1 §7.5.3.
async fn a_replay_without_the_right_verifier_revokes_nothing(server: &Server) -> Result<()> {
    let flow = Flow::start(server.wire).await?;
    let tokens = flow.redeem(server.wire).await?;
    let challenge = challenge(&flow.verifier);
    for verifier in [GUESS, &challenge, "a", "", &format!("{}a", flow.verifier.as_str())] {
        refused(&server.wire.post_form("/token", &flow.token_request(&[("code_verifier", verifier)])).await?);
        assert_eq!(me(server.wire, &tokens).await?, 200, "{verifier}");
    }
    refused(&server.wire.post_form("/token", &flow.token_request(&[])).await?);
    // Nor does a request that is no redemption at all.
    let right = flow.token_request(&[("code_verifier", flow.verifier.as_str())]);
    assert_eq!(server.wire.post_form("/token", &format!("{right}&code=x")).await?.status, 400);
    assert_eq!(server.wire.send("PUT", "/token", &[FORM], &right).await?.status, 405);
    assert_eq!(me(server.wire, &tokens).await?, 200);
    assert_eq!(refresh(server.wire, &tokens).await?.status, 200);
    Ok(())
}

/// C22: a replay can overtake the issue of the first tokens.
async fn a_replay_that_overtakes_the_issuance_revokes_it_too(adapter: Adapter) -> Result<()> {
    let store = Gated::new();
    let (server, _) = Server::with(adapter, store.clone(), Policy::new());
    let flow = Flow::start(server.wire).await?;
    let body = flow.token_request(&[("code_verifier", flow.verifier.as_str())]);
    let (wire, first) = (server.wire, body.clone());
    let overtaken = tokio::spawn(async move { wire.post_form("/token", &first).await });
    store.entered().await;
    refused(&server.wire.post_form("/token", &body).await?);
    store.open();
    let tokens = overtaken.await??;
    served(&tokens);
    assert_eq!(me(server.wire, &tokens).await?, 401);
    assert_eq!(refresh(server.wire, &tokens).await?.status, 400);
    Ok(())
}

/// C14.
async fn a_mismatch_burns_the_code_if_told_to(server: &Server) -> Result<()> {
    let (flow, other) = (Flow::start(server.wire).await?, Flow::start(server.wire).await?);
    // What can be told without a look at the binding burns nothing.
    for harmless in ["", "a"] {
        refused(&server.wire.post_form("/token", &flow.token_request(&[("code_verifier", harmless)])).await?);
    }
    served(&flow.redeem(server.wire).await?);
    refused(&server.wire.post_form("/token", &other.token_request(&[("code_verifier", GUESS)])).await?);
    refused(&other.redeem(server.wire).await?);
    refused(&other.redeem(server.wire).await?);
    // After a redemption a wrong verifier burns nothing either: the tokens stay.
    let flow = Flow::start(server.wire).await?;
    let tokens = flow.redeem(server.wire).await?;
    refused(&server.wire.post_form("/token", &flow.token_request(&[("code_verifier", GUESS)])).await?);
    assert_eq!(me(server.wire, &tokens).await?, 200);
    Ok(())
}

/// C13.
async fn a_code_lives_as_long_as_it_is_told_and_no_longer(server: &Server) -> Result<()> {
    // On a machine that was too slow the early one proves nothing, so it is tried again.
    for _ in 0..5 {
        let before = Instant::now();
        let (early, late) = (Flow::start(server.wire).await?, Flow::start(server.wire).await?);
        let after = Instant::now();
        sleep_until(before + Duration::from_millis(700)).await;
        let said = early.redeem(server.wire).await?;
        let in_time = before.elapsed() < Duration::from_secs(1);
        sleep_until(after + Duration::from_millis(1010)).await;
        refused(&late.redeem(server.wire).await?);
        if in_time {
            served(&said);
            // A replay after its time is no replay: nothing is revoked.
            sleep(Duration::from_millis(10)).await;
            refused(&early.redeem(server.wire).await?);
            assert_eq!(me(server.wire, &said).await?, 200);
            return Ok(());
        }
    }
    Err("this machine is too slow to redeem a code within a second".into())
}

/// C12, C15, C16; RFC 9700 §4.8.2.
async fn a_client_may_leave_out_the_challenge_if_told_so(server: &Server) -> Result<()> {
    let bound = Flow::start(server.wire).await?;
    let page = server.wire.get(&Client::SPA.authorize(&[])).await?;
    let code = parameter(&location(&allow(server.wire, &page).await?)?, "code").ok_or("no code")?;
    let free = |more: &str| format!("grant_type=authorization_code&client_id=spa&code={code}{more}");

    // Bound to a challenge: the verifier is needed, whatever the policy.
    refused(&server.wire.post_form("/token", &bound.token_request(&[])).await?);
    refused(&server.wire.post_form("/token", &bound.token_request(&[("code_verifier", GUESS)])).await?);
    served(&bound.redeem(server.wire).await?);

    // Bound to none: a verifier is a downgrade, and says so; without one it passes, once.
    let downgrade = server.wire.post_form("/token", &free(&format!("&code_verifier={GUESS}"))).await?;
    assert_eq!((downgrade.status, downgrade.error().as_deref()), (400, Some("invalid_request")));
    refused(&server.wire.post_form("/token", &free("&code_verifier=a")).await?);
    let tokens = server.wire.post_form("/token", &free("&code_verifier=")).await?;
    served(&tokens);
    refused(&server.wire.post_form("/token", &free(&format!("&code_verifier={GUESS}"))).await?);
    assert_eq!(me(server.wire, &tokens).await?, 200);
    refused(&server.wire.post_form("/token", &free("")).await?);
    assert_eq!(me(server.wire, &tokens).await?, 401);

    // A code without any record is no code without a challenge.
    refused(&server.wire.post_form("/token", &free("x")).await?);
    Ok(())
}

/// C16, C17: two servers on one store, of which one is stricter.
async fn what_the_policy_no_longer_allows_is_refused(adapter: Adapter) -> Result<()> {
    let store = Arc::new(MemoryStore::new());
    let (lax, _) = Server::with(adapter, Arc::clone(&store), Policy::new().allow_plain().allow_missing_challenge());
    let (strict, _) = Server::with(adapter, store, Policy::new());

    let verifier = CodeVerifier::generate()?;
    let text = verifier.as_str().to_owned();
    let plain = [("code_challenge", text.as_str()), ("code_challenge_method", "plain")];
    let issued = Client::SPA.sign_in(lax.wire, verifier, &plain).await?;
    refused(&issued.redeem(strict.wire, &[]).await?);
    served(&issued.redeem(lax.wire, &[]).await?);

    let page = lax.wire.get(&Client::SPA.authorize(&[])).await?;
    let code = parameter(&location(&allow(lax.wire, &page).await?)?, "code").ok_or("no code")?;
    let free = format!("grant_type=authorization_code&client_id=spa&code={code}");
    refused(&strict.wire.post_form("/token", &free).await?);
    served(&lax.wire.post_form("/token", &free).await?);

    // What both allow, each serves for the other.
    let verifier = CodeVerifier::generate()?;
    let derived = challenge(&verifier);
    let issued = Client::SPA.sign_in(lax.wire, verifier, &[("code_challenge", &derived), S256]).await?;
    served(&issued.redeem(strict.wire, &[]).await?);
    Ok(())
}

async fn me(wire: Wire, tokens: &Said) -> Result<u16> {
    let bearer = format!("Bearer {}", tokens.member("access_token").ok_or("no access token")?);
    Ok(wire.send("GET", "/me", &[("authorization", &bearer)], "").await?.status)
}

async fn refresh(wire: Wire, tokens: &Said) -> Result<Said> {
    let refresh_token = tokens.member("refresh_token").ok_or("no refresh token")?;
    Client::SPA.token(wire, &[("grant_type", "refresh_token"), ("refresh_token", &refresh_token)]).await
}

#[track_caller]
fn served(said: &Said) {
    assert_eq!(said.status, 200, "{}", said.body);
}

#[track_caller]
fn refused(said: &Said) {
    assert_eq!((said.status, said.error().as_deref()), (400, Some("invalid_grant")), "{}", said.body);
}
