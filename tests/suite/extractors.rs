//! The extractors of the authorization request, in a host that binds a code at once.

use pkce_core::{CodeVerifier, MemoryStore, Pkce, Policy};
use pkce_tests::{Adapter, Bound, Double, Mount, REDIRECT_URI, Result, location, on_both_servers, parameter};
use playground::{S256, challenge, form};

on_both_servers! {
    a_rejection_is_a_plain_400_and_never_a_redirect(own),
    every_outcome_of_the_authorization_endpoint_is_one_redirect(own),
    the_optional_challenge_is_none_only_if_none_was_sent(own),
}

/// A13.
async fn a_rejection_is_a_plain_400_and_never_a_redirect(adapter: Adapter) -> Result<()> {
    let double = double(adapter, Pkce::new(MemoryStore::new()));
    for (query, reason) in [
        ("", "challenge_required"),
        ("code_challenge=short&code_challenge_method=S256", "challenge_malformed"),
        ("response_type=token", "response_type_without_code"),
    ] {
        let said = double.server.wire.get(&format!("/authorize?redirect_uri=https://evil.example/&{query}")).await?;
        assert_eq!((said.status, said.error().as_deref()), (400, Some("invalid_request")), "{query}");
        assert_eq!((said.header("location"), said.header("x-reason")), (None, Some(reason)), "{query}");
        assert_eq!(said.header("content-type"), Some("application/json"));
        assert_eq!(said.header("cache-control"), Some("no-store"));
    }
    Ok(())
}

/// A13, B: a challenge that is rejected, a code that cannot be bound, and a code, by the same value and `?`.
async fn every_outcome_of_the_authorization_endpoint_is_one_redirect(adapter: Adapter) -> Result<()> {
    let (query, verifier) = right()?;
    for (store, query, error) in [
        (MemoryStore::new(), query.as_str(), None),
        (MemoryStore::new(), "", Some("invalid_request")),
        (MemoryStore::builder().capacity(0).build(), &query, Some("temporarily_unavailable")),
    ] {
        let double = double(adapter, Pkce::builder(store).issuer("https://as.example").build());
        let said = double.server.wire.get(&format!("/redirect?{query}")).await?;
        let told = location(&said)?;
        assert!(told.as_str().starts_with(&format!("{REDIRECT_URI}&")), "{told}");
        assert_eq!(parameter(&told, "error").as_deref(), error);
        assert_eq!(parameter(&told, "state").as_deref(), Some("s t"));
        assert_eq!(parameter(&told, "iss").as_deref(), Some("https://as.example"));
        assert_eq!(said.header("cache-control"), Some("no-store"));
        assert_eq!(said.header("referrer-policy"), Some("no-referrer"));
        let code = parameter(&told, "code");
        assert_eq!(code.is_some(), error.is_none());
        if let Some(code) = code {
            assert!(double.is_live(&Bound { code, verifier: verifier.as_str().parse()? }).await?);
        }
    }
    Ok(())
}

/// A10, A14.
async fn the_optional_challenge_is_none_only_if_none_was_sent(adapter: Adapter) -> Result<()> {
    let policy = Policy::new().allow_missing_challenge();
    let (strict, lenient) = (Pkce::new(MemoryStore::new()), Pkce::builder(MemoryStore::new()).policy(policy).build());
    let (strict, lenient) = (double(adapter, strict).server, double(adapter, lenient).server);
    let (right, malformed) = (right()?.0, "code_challenge=short&code_challenge_method=S256");
    for (query, expected) in [("", Ok("none")), (right.as_str(), Ok("some")), (malformed, Err("challenge_malformed"))] {
        let by_get = lenient.wire.get(&format!("/authorize-optional?{query}")).await?;
        let by_post = lenient.wire.post_form("/par-optional", &format!("client_id=spa&{query}")).await?;
        match expected {
            Ok(challenge) => {
                assert_eq!((by_get.status, by_get.body.as_str()), (200, challenge));
                assert_eq!((by_post.status, by_post.body), (200, format!("spa {challenge}")));
            }
            Err(reason) => {
                assert_eq!((by_get.status, by_get.header("x-reason")), (400, Some(reason)));
                assert_eq!((by_post.status, by_post.header("x-reason")), (400, Some(reason)));
            }
        }
    }
    let required = strict.wire.get("/authorize-optional").await?;
    assert_eq!((required.status, required.header("x-reason")), (400, Some("challenge_required")));
    Ok(())
}

fn double(adapter: Adapter, pkce: Pkce) -> Double {
    Double::start(adapter, Mount::Layer, pkce)
}

/// The parameters that PKCE adds to an authorization request, and the verifier.
fn right() -> Result<(String, CodeVerifier)> {
    let verifier = CodeVerifier::generate()?;
    let challenge = challenge(&verifier);
    Ok((form(&[("code_challenge", challenge.as_str()), S256]), verifier))
}
