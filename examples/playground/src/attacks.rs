//! The attacks. Each is refused, and none keeps the honest client from its tokens.

use std::collections::BTreeMap;

use pkce_core::CodeVerifier;

use crate::table::Row;
use crate::user::{Flow, Result, S256, authorize, challenge};
use crate::wire::{FORM, JSON, Said, Wire};

const GUESS: &str = "a-guess-a-guess-a-guess-a-guess-a-guess-a-guess";

pub(crate) async fn play(wire: Wire) -> Result<Vec<Row>> {
    let mut rows = stolen_codes(wire).await?;
    rows.extend(authorization_requests(wire).await?);
    rows.extend(malformed_token_requests(wire).await?);
    rows.extend(replays(wire).await?);
    rows.extend(races(wire).await?);
    Ok(rows)
}

/// The thief has the code and has seen the authorization request.
async fn stolen_codes(wire: Wire) -> Result<Vec<Row>> {
    let (flow, other) = (Flow::start(wire).await?, Flow::start(wire).await?);
    let challenge = challenge(&flow.verifier);
    let mut rows = Vec::new();
    for (tried, verifier) in [
        ("a stolen code without a verifier", ""),
        ("a stolen code with a guessed verifier", GUESS),
        ("a stolen code with another flow's verifier", other.verifier.as_str()),
        ("a stolen code with its own challenge as the verifier", &challenge),
        ("a stolen code with a verifier of one character", "a"),
    ] {
        let body = flow.token_request(&[("code_verifier", verifier)]);
        rows.push(refused(tried, &wire.post_form("/token", &body).await?, "invalid_grant"));
    }
    rows.push(served("… after all that the client redeems its code", &flow.redeem(wire).await?));
    Ok(rows)
}

/// Somebody changes the authorization request on its way.
async fn authorization_requests(wire: Wire) -> Result<Vec<Row>> {
    let verifier = CodeVerifier::generate()?;
    let value = challenge(&verifier);
    let (challenge, method) = (("code_challenge", value.as_str()), S256);
    let mut rows = Vec::new();
    for (tried, parameters) in [
        ("downgrade: the challenge is stripped", vec![]),
        ("downgrade: the challenge is stripped, the method is left", vec![method]),
        ("downgrade: the method is plain", vec![challenge, ("code_challenge_method", "plain")]),
        ("downgrade: the method is left out, which means plain", vec![challenge]),
        ("the challenge twice", vec![challenge, challenge, method]),
        ("the challenge a second time, without a value", vec![challenge, method, ("code_challenge", "")]),
        ("a challenge that only a lenient decoder accepts", vec![("code_challenge", NOT_CANONICAL), method]),
    ] {
        rows.push(refused(tried, &wire.get(&authorize(&parameters)).await?, "invalid_request"));
    }
    let encoded = format!("{}&code%5Fchallenge=evil", authorize(&[challenge, method]));
    rows.push(refused(
        "the challenge a second time, under an encoded name",
        &wire.get(&encoded).await?,
        "invalid_request",
    ));
    Ok(rows)
}

const NOT_CANONICAL: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN";

/// The token request is sent in a way that two readers might read differently.
async fn malformed_token_requests(wire: Wire) -> Result<Vec<Row>> {
    let flow = Flow::start(wire).await?;
    let right = flow.token_request(&[("code_verifier", flow.verifier.as_str())]);
    let smuggled = right.replace("grant_type=authorization_code", "grant_type=refresh_token&refresh_token=x");
    let json = serde_json::json!({
        "grant_type": "authorization_code", "client_id": "spa", "code": flow.code, "code_verifier": flow.verifier.as_str(),
    });
    let in_query = format!("/token?{right}");
    let mut rows = Vec::new();
    for (tried, method, target, header, body) in [
        ("the code twice", "POST", "/token", FORM, format!("{right}&code=x")),
        (
            "the verifier twice, once under an encoded name",
            "POST",
            "/token",
            FORM,
            format!("{right}&code%5fverifier={GUESS}"),
        ),
        ("the parameters in the query", "POST", in_query.as_str(), FORM, String::new()),
        ("the code in body and query", "POST", "/token?code=x", FORM, right.clone()),
        ("a JSON body", "POST", "/token", JSON, json.to_string()),
        ("a form that says it is JSON", "POST", "/token", JSON, right.clone()),
        ("HEAD with the parameters in the query", "HEAD", in_query.as_str(), FORM, String::new()),
        ("GET with the parameters in the query", "GET", in_query.as_str(), FORM, String::new()),
        ("OPTIONS with a body", "OPTIONS", "/token", FORM, right.clone()),
        ("the code smuggled beside another grant type", "POST", "/token", FORM, smuggled),
        ("a grant type in capitals", "POST", "/token", FORM, right.replace("authorization_code", "Authorization_Code")),
        ("a body of 20 KiB", "POST", "/token", FORM, format!("{right}&x={}", "x".repeat(20 * 1024))),
    ] {
        let said = wire.send(method, target, &[header], &body).await?;
        // The answer to a HEAD has no body to say why.
        let right = said.error().as_deref() == Some("invalid_request") || (method == "HEAD" && said.body.is_empty());
        rows.push(Row::new(tried, &said, (400..500).contains(&said.status) && right));
    }
    rows.push(served("… after all that the client redeems its code", &flow.redeem(wire).await?));
    Ok(rows)
}

/// The code is redeemed more than once.
async fn replays(wire: Wire) -> Result<Vec<Row>> {
    let flow = Flow::start(wire).await?;
    let first = flow.redeem(wire).await?;
    let bearer = format!("Bearer {}", first.member("access_token").unwrap_or_default());
    let wrong = wire.post_form("/token", &flow.token_request(&[("code_verifier", GUESS)])).await?;
    let still = wire.send("GET", "/me", &[("authorization", &bearer)], "").await?;
    let replay = flow.redeem(wire).await?;
    let dead = wire.send("GET", "/me", &[("authorization", &bearer)], "").await?;

    let flow = Flow::start(wire).await?;
    let said = at_once(wire, 50, || flow.token_request(&[("code_verifier", flow.verifier.as_str())])).await?;
    Ok(vec![
        served("a client redeems its code", &first),
        refused("a replay with a wrong verifier", &wrong, "invalid_grant"),
        served("… does not revoke the client's tokens", &still),
        refused("a replay with the right verifier", &replay, "invalid_grant"),
        Row::new("… revokes what the code has produced", &dead, dead.status == 401),
        Row::said("fifty redemptions at once: one is served", &count(&said), served_among(&said) == 1),
    ])
}

/// Somebody with the code, but without the verifier, is faster than the client.
async fn races(wire: Wire) -> Result<Vec<Row>> {
    let flow = Flow::start(wire).await?;
    let wrong = flow.token_request(&[("code_verifier", GUESS)]);
    let (thieves, client) = tokio::join!(at_once(wire, 20, || wrong.clone()), flow.redeem(wire));
    let (thieves, client) = (thieves?, client?);
    let mut rows = vec![
        Row::said(
            "twenty wrong verifiers race the client: none is served",
            &count(&thieves),
            served_among(&thieves) == 0,
        ),
        served("… and the client is", &client),
    ];

    let flow = Flow::start(wire).await?;
    let wrong = flow.token_request(&[("code_verifier", GUESS)]);
    for _ in 0..20 {
        wire.hang_up("POST", "/token", &[FORM], &wrong).await?;
    }
    rows.push(served("twenty wrong verifiers that hang up: the client is served", &flow.redeem(wire).await?));
    Ok(rows)
}

async fn at_once(wire: Wire, times: usize, body: impl Fn() -> String) -> Result<Vec<Said>> {
    let tasks: Vec<_> = (0..times)
        .map(|_| {
            let body = body();
            tokio::spawn(async move { wire.post_form("/token", &body).await })
        })
        .collect();
    let mut said = Vec::new();
    for task in tasks {
        said.push(task.await??);
    }
    Ok(said)
}

fn served_among(said: &[Said]) -> usize {
    said.iter().filter(|said| said.status == 200).count()
}

fn count(said: &[Said]) -> String {
    let mut counts = BTreeMap::<String, usize>::new();
    for said in said {
        *counts
            .entry(format!("{} {}", said.status, said.error().unwrap_or_default()).trim().to_owned())
            .or_default() += 1;
    }
    let counts: Vec<String> = counts.into_iter().map(|(said, times)| format!("{times} × {said}")).collect();
    counts.join(", ")
}

fn refused(tried: &str, said: &Said, error: &str) -> Row {
    Row::new(tried, said, said.status != 200 && said.error().as_deref() == Some(error))
}

fn served(tried: &str, said: &Said) -> Row {
    Row::new(tried, said, said.status == 200)
}
