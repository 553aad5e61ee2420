//! The authorization request (rules A), as the example servers answer it.

use pkce_core::CodeVerifier;
use pkce_tests::{Client, Issued, Result, Server, location, on_both_servers, parameter, query};
use playground::{S256, Wire, challenge, form};
use url::Url;

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const REQUIRED: &str = "code challenge required";
const METHOD: &str = "transform algorithm not supported";
const MALFORMED: &str = "the code challenge is malformed";
const STRIPPED: &str = "a code challenge method is included without a code challenge";
const TWICE: &str = "a parameter is included more than once";
const OBJECT: &str = "the parameters of a request object are not accepted in this way";

on_both_servers! {
    a_parameter_without_a_value_counts_as_omitted,
    a_challenge_or_a_method_more_than_once_is_refused,
    parameters_that_are_not_ours_are_none_of_our_business,
    the_method_is_s256_in_exactly_this_spelling,
    with_plain_allowed_there_are_two_methods_in_exactly_these_spellings("--allow-plain"),
    an_omitted_method_means_plain("--allow-plain"),
    an_s256_challenge_is_43_canonical_characters,
    a_plain_challenge_is_43_to_128_unreserved_characters("--allow-plain"),
    a_required_challenge_cannot_be_left_out,
    a_malformed_challenge_is_never_no_challenge("--allow-missing-challenge"),
    a_request_object_is_refused,
    a_refusal_is_a_redirect_that_keeps_query_state_and_issuer,
}

/// A2.
async fn a_parameter_without_a_value_counts_as_omitted(server: &Server) -> Result<()> {
    for query in ["code_challenge=&code_challenge_method=S256", "code_challenge&code_challenge_method=S256"] {
        refused(server.wire, query, REQUIRED).await?;
    }
    for query in [
        &format!("code_challenge={CHALLENGE}&code_challenge_method="),
        &format!("code_challenge={CHALLENGE}&code_challenge_method"),
    ] {
        refused(server.wire, query, METHOD).await?;
    }
    accepted(server.wire, &format!("code_challenge={CHALLENGE}&code_challenge_method=S256&request=&request_uri")).await
}

/// A3.
async fn a_challenge_or_a_method_more_than_once_is_refused(server: &Server) -> Result<()> {
    let right = format!("code_challenge={CHALLENGE}&code_challenge_method=S256");
    for more in [
        &format!("code_challenge={CHALLENGE}"),
        "code_challenge=",
        "code_challenge",
        "code%5Fchallenge=x",
        "%63ode_challenge=x",
        "code_challenge_method=S256",
        "code_challenge_method=",
        "code_challenge%5fmethod=plain",
    ] {
        refused(server.wire, &format!("{right}&{more}"), TWICE).await?;
        refused(server.wire, &format!("{more}&{right}"), TWICE).await?;
    }
    accepted(server.wire, &right).await
}

/// A4.
async fn parameters_that_are_not_ours_are_none_of_our_business(server: &Server) -> Result<()> {
    let right = format!("code%5Fchallenge={CHALLENGE}&code_challenge_method=S%32%356");
    for more in
        ["resource=a&resource=b", "x&&=&y=%zz&%ff=1", "Code_Challenge=x", "code_challenge[]=x", "code_verifier=x"]
    {
        accepted(server.wire, &format!("{right}&{more}")).await?;
    }
    Ok(())
}

/// A5.
async fn the_method_is_s256_in_exactly_this_spelling(server: &Server) -> Result<()> {
    for method in ["s256", "S256%20", "+S256", "S512", "S256%00", "plain", "PLAIN", "none", "%", "%ff", "S256,S256"] {
        refused(server.wire, &format!("code_challenge={CHALLENGE}&code_challenge_method={method}"), METHOD).await?;
    }
    accepted(server.wire, &format!("code_challenge={CHALLENGE}&code_challenge_method=S256")).await
}

/// A5.
async fn with_plain_allowed_there_are_two_methods_in_exactly_these_spellings(server: &Server) -> Result<()> {
    for method in ["s256", "Plain", "PLAIN", "plain%20", "plain%0A", "none"] {
        refused(server.wire, &format!("code_challenge={CHALLENGE}&code_challenge_method={method}"), METHOD).await?;
    }
    for method in ["S256", "plain"] {
        accepted(server.wire, &format!("code_challenge={CHALLENGE}&code_challenge_method={method}")).await?;
    }
    Ok(())
}

/// A6: S256 is never assumed. That an S256-only server refuses an omitted method stands under A2 too.
async fn an_omitted_method_means_plain(server: &Server) -> Result<()> {
    let (verifier, twin) = (CodeVerifier::generate()?, CodeVerifier::generate()?);
    let derived = challenge(&twin);
    let issued = Client::SPA.sign_in(server.wire, twin, &[("code_challenge", &derived)]).await?;
    assert_eq!(issued.redeem(server.wire, &[]).await?.error().as_deref(), Some("invalid_grant"));
    let verbatim = Issued { verifier: derived.parse()?, ..issued };
    assert_eq!(verbatim.redeem(server.wire, &[]).await?.status, 200);

    let text = verifier.as_str().to_owned();
    let issued = Client::SPA.sign_in(server.wire, verifier, &[("code_challenge", &text)]).await?;
    assert_eq!(issued.redeem(server.wire, &[]).await?.status, 200);
    Ok(())
}

/// A8.
async fn an_s256_challenge_is_43_canonical_characters(server: &Server) -> Result<()> {
    let (start, a) = (&CHALLENGE[..42], "a");
    for challenge in [
        start.to_owned(),
        format!("{CHALLENGE}{a}"),
        format!("{CHALLENGE}%3D"),
        format!("{start}N"),
        format!("{start}O"),
        format!("{start}P"),
        format!("{start}%2B"),
        format!("{start}%2F"),
        format!("{start}."),
        format!("{start}~"),
        format!("{CHALLENGE}%0A"),
        format!("+{CHALLENGE}"),
        format!("{CHALLENGE}%00"),
        format!("{start}%"),
        format!("{start}%ff"),
        a.repeat(64),
        a.repeat(8000),
    ] {
        refused(server.wire, &format!("code_challenge={challenge}&code_challenge_method=S256"), MALFORMED).await?;
    }
    accepted(server.wire, &format!("code_challenge={start}%4D&code_challenge_method=S256")).await
}

/// A8.
async fn a_plain_challenge_is_43_to_128_unreserved_characters(server: &Server) -> Result<()> {
    for challenge in ["a".repeat(42), "a".repeat(129), format!("{}%20", "a".repeat(43)), format!("{}!", "a".repeat(43))]
    {
        refused(server.wire, &format!("code_challenge={challenge}&code_challenge_method=plain"), MALFORMED).await?;
    }
    for challenge in ["a".repeat(43), "~".repeat(128), "-._~aZ09".repeat(8)] {
        accepted(server.wire, &format!("code_challenge={challenge}&code_challenge_method=plain")).await?;
    }
    Ok(())
}

/// A7, A9.
async fn a_required_challenge_cannot_be_left_out(server: &Server) -> Result<()> {
    for query in ["x=y", "code_challenge_method=S256", "code_challenge_method=plain", "code_verifier=x"] {
        refused(server.wire, query, REQUIRED).await?;
    }
    Ok(())
}

/// A7, A10, A14.
async fn a_malformed_challenge_is_never_no_challenge(server: &Server) -> Result<()> {
    refused(server.wire, "code_challenge_method=S256", STRIPPED).await?;
    refused(server.wire, "code_challenge=&code_challenge_method=plain", STRIPPED).await?;
    refused(server.wire, "code_challenge=x&code_challenge_method=S256", MALFORMED).await?;
    refused(server.wire, "code_challenge=%ff&code_challenge_method=S256", MALFORMED).await?;
    refused(server.wire, &format!("code_challenge={CHALLENGE}"), METHOD).await?;
    refused(server.wire, "code_challenge=&code_challenge=", TWICE).await?;
    accepted(server.wire, "x=y").await
}

/// A12.
async fn a_request_object_is_refused(server: &Server) -> Result<()> {
    let right = format!("code_challenge={CHALLENGE}&code_challenge_method=S256");
    for object in ["request=x", "request_uri=urn:x", "request=x&request=", "re%71uest=x", "request=&request="] {
        refused(server.wire, &format!("{right}&{object}"), OBJECT).await?;
        refused(server.wire, object, OBJECT).await?;
    }
    accepted(server.wire, &right).await
}

/// A13.
async fn a_refusal_is_a_redirect_that_keeps_query_state_and_issuer(server: &Server) -> Result<()> {
    let state = "a b&c=d#e%20é";
    let said = server.wire.get(&Client::WEB.authorize(&[("state", state), ("code_challenge", "<evil>"), S256])).await?;
    let refused = location(&said)?;
    assert!(refused.as_str().starts_with("https://app.example/cb?tenant=7&"), "{refused}");
    assert_eq!(query(&refused), ["tenant", "error", "error_description", "state", "iss"]);
    assert_eq!(parameter(&refused, "state").as_deref(), Some(state));
    assert_eq!(parameter(&refused, "iss"), Some(format!("http://{}", server.wire.0)));
    assert!(!refused.as_str().contains("evil") && said.body.is_empty());
    assert_eq!(said.header("cache-control"), Some("no-store"));
    assert_eq!(said.header("referrer-policy"), Some("no-referrer"));
    Ok(())
}

async fn accepted(wire: Wire, query: &str) -> Result<()> {
    let said = wire.get(&format!("{}&{query}", Client::SPA.authorize(&[]))).await?;
    assert!(
        said.status == 200 && said.body.contains("<form"),
        "{query}: {} {:?}",
        said.status,
        said.header("location")
    );
    Ok(())
}

async fn refused(wire: Wire, query: &str, description: &str) -> Result<()> {
    let base = form(&[("state", "s")]);
    let said = wire.get(&format!("{}&{base}&{query}", Client::SPA.authorize(&[]))).await?;
    let location: Url = location(&said).map_err(|error| format!("{query}: {error}"))?;
    let told = ["error", "error_description", "state"].map(|name| parameter(&location, name).unwrap_or_default());
    assert_eq!(told, ["invalid_request", description, "s"], "{query}");
    Ok(())
}
