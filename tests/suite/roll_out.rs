//! The extractors in a host: a roll-out that only reports, pushed authorization requests, other response types.

use pkce_core::{CodeVerifier, MemoryStore, Pkce, Policy};
use pkce_tests::{Adapter, Behaviour, Bound, Double, Mount, Result, on_both_servers};
use playground::{FORM, JSON, challenge, form};

const GUESS: &str = "a-guess-a-guess-a-guess-a-guess-a-guess-a-guess";

on_both_servers! {
    a_roll_out_lets_pass_what_has_no_challenge_and_enforces_the_rest(own),
    without_the_roll_out_the_same_requests_are_refused(own),
    a_pushed_authorization_request_is_read_from_its_body(own),
    a_refused_pushed_authorization_request_binds_nothing(own),
    only_response_types_with_a_code_need_a_challenge(own),
}

async fn a_roll_out_lets_pass_what_has_no_challenge_and_enforces_the_rest(adapter: Adapter) -> Result<()> {
    let double = double(adapter, Policy::new().report_only());
    let wire = double.server.wire;
    for unacceptable in ["", "&code_challenge=x", "&code_challenge_method=S256", &format!("&code_challenge={GUESS}")] {
        let said = wire.get(&format!("/authorize?response_type=code{unacceptable}")).await?;
        assert_eq!(said.status, 200, "{unacceptable}: {}", said.body);
        // With a verifier or without one, it passes.
        for verifier in ["", GUESS] {
            let said = wire.post_form("/token", &redemption(&said.body, verifier)).await?;
            assert_eq!((said.status, said.header("x-clearance")), (200, Some("unverified")), "{unacceptable}");
        }
    }
    let said = wire.get("/authorize?response_type=code&code_challenge=a&code_challenge=a").await?;
    assert_eq!(said.status, 400);
    let runs = double.runs();

    // A code that is bound is enforced as always.
    let (query, verifier) = right()?;
    let said = wire.get(&format!("/authorize?response_type=code&{query}")).await?;
    let bound = Bound { code: said.body, verifier };
    for verifier in ["", GUESS, "a"] {
        let said = wire.post_form("/token", &redemption(&bound.code, verifier)).await?;
        assert_eq!((said.status, said.error().as_deref()), (400, Some("invalid_grant")), "{verifier}");
    }
    assert_eq!(double.runs(), runs);
    let said = double.redeem(&bound, Behaviour::Echo).await?;
    assert_eq!((said.status, said.header("x-clearance")), (200, Some("verified")));
    assert!(!double.is_live(&bound).await?);
    Ok(())
}

async fn without_the_roll_out_the_same_requests_are_refused(adapter: Adapter) -> Result<()> {
    let double = double(adapter, Policy::new());
    for unacceptable in ["", "&code_challenge=x", "&code_challenge_method=S256", &format!("&code_challenge={GUESS}")] {
        let said = double.server.wire.get(&format!("/authorize?response_type=code{unacceptable}")).await?;
        assert_eq!((said.status, said.error().as_deref()), (400, Some("invalid_request")));
        assert_eq!(said.header("location"), None); // A13
    }
    let said = double.server.wire.post_form("/token", &redemption("never-bound", GUESS)).await?;
    assert_eq!((said.status, said.error().as_deref(), double.runs()), (400, Some("invalid_grant"), 0));
    Ok(())
}

/// A1; RFC 9126.
async fn a_pushed_authorization_request_is_read_from_its_body(adapter: Adapter) -> Result<()> {
    let double = double(adapter, Policy::new());
    let (query, verifier) = right()?;
    let said = double.server.wire.post_form("/par", &format!("response_type=code&client_id=s%70a&{query}")).await?;
    assert_eq!(said.status, 201, "{}", said.body);
    assert!(said.body.starts_with("spa-"), "the host's own form comes from the same octets: {}", said.body);
    let bound = Bound { code: said.body, verifier };
    let guessed = double.server.wire.post_form("/token", &redemption(&bound.code, GUESS)).await?;
    assert_eq!(guessed.status, 400);
    assert!(double.is_live(&bound).await?);
    Ok(())
}

/// A1, A3, A12.
async fn a_refused_pushed_authorization_request_binds_nothing(adapter: Adapter) -> Result<()> {
    let double = double(adapter, Policy::new());
    let (query, _) = right()?;
    let right = format!("response_type=code&client_id=spa&{query}");
    let large = format!("{right}&x={}", "x".repeat(17_000));
    for (target, header, body, status) in [
        ("/par?code_challenge=x", FORM, right.as_str(), 400),
        ("/par?code_challenge_method", FORM, &right, 400),
        ("/par", JSON, &right, 400),
        ("/par", FORM, "response_type=code&client_id=spa", 400),
        ("/par", FORM, &right.replace("code_challenge_method=S256", ""), 400),
        ("/par", FORM, &format!("{right}&code%5fchallenge=x"), 400),
        ("/par", FORM, &format!("{right}&request_uri=x"), 400),
        ("/par", FORM, &right.replace("client_id", "x"), 400),
        ("/par", FORM, &large, 413),
    ] {
        let said = double.server.wire.send("POST", target, &[header], body).await?;
        assert_eq!((said.status, said.error().as_deref()), (status, Some("invalid_request")), "{target} {body}");
    }
    assert_eq!(double.server.wire.post_form("/par", &right).await?.status, 201);
    Ok(())
}

/// A11.
async fn only_response_types_with_a_code_need_a_challenge(adapter: Adapter) -> Result<()> {
    let double = double(adapter, Policy::new());
    let (query, _) = right()?;
    let ask = async |target: String| double.server.wire.get(&target).await;
    for with_code in ["code", "code+id_token", "id_token%20code", "token+code+id_token", ""] {
        let refused = ask(format!("/authorize-optional?response_type={with_code}")).await?;
        assert_eq!((refused.status, refused.error().as_deref()), (400, Some("invalid_request")), "{with_code}");
        let accepted = ask(format!("/authorize-optional?response_type={with_code}&{query}")).await?;
        assert_eq!((accepted.status, accepted.body.as_str()), (200, "some"), "{with_code}");
    }
    for without_code in ["token", "id_token", "codes", "id_token+codex"] {
        let passed = ask(format!("/authorize-optional?response_type={without_code}")).await?;
        assert_eq!((passed.status, passed.body.as_str()), (200, "none"), "{without_code}");
        // A host that demands one of every client gets a refusal.
        let refused = ask(format!("/authorize?response_type={without_code}&{query}")).await?;
        assert_eq!(refused.status, 400, "{without_code}");
    }
    // One that a reader might take for a code is neither.
    for lookalike in ["CODE", "Code", "code%0A", "%20code", "token%09code"] {
        for parameters in ["", &query] {
            let refused = ask(format!("/authorize-optional?response_type={lookalike}&{parameters}")).await?;
            assert_eq!((refused.status, refused.error().as_deref()), (400, Some("invalid_request")), "{lookalike}");
        }
    }
    Ok(())
}

fn double(adapter: Adapter, policy: Policy) -> Double {
    Double::start(adapter, Mount::Layer, Pkce::builder(MemoryStore::new()).policy(policy).build())
}

/// The parameters that PKCE adds to an authorization request, and the verifier.
fn right() -> Result<(String, CodeVerifier)> {
    let verifier = CodeVerifier::generate()?;
    let challenge = challenge(&verifier);
    Ok((form(&[("code_challenge", challenge.as_str()), playground::S256]), verifier))
}

fn redemption(code: &str, verifier: &str) -> String {
    form(&[("grant_type", "authorization_code"), ("code", code), ("code_verifier", verifier)])
}
