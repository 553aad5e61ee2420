//! The code and its verifier (rules C11 to C18), and the form of a refusal (D). A request that must leave the code live is
//! followed by one that is served.

use std::collections::HashSet;

use pkce_core::{CodeVerifier, MemoryStore, Policy};
use pkce_tests::{Adapter, Client, Issued, Result, Server, on_both_servers};
use playground::{FORM, Flow, Said, Wire};

const GUESS: &str = "a-guess-a-guess-a-guess-a-guess-a-guess-a-guess";
const GRANT: &str = "grant_type=authorization_code";

on_both_servers! {
    a_malformed_verifier_is_refused,
    a_missing_verifier_is_refused,
    a_wrong_verifier_is_refused,
    an_unknown_code_is_refused,
    nobody_learns_why_a_grant_is_refused("--code-lifetime", "1"),
    a_refusal_has_the_form_of_rfc_6749,
    the_right_verifier_is_served_in_every_encoding,
    the_token_request_cannot_choose_the_method("--allow-plain"),
    an_error_uri_stands_in_every_refusal(own),
}

/// C11.
async fn a_malformed_verifier_is_refused(server: &Server) -> Result<()> {
    let flow = Flow::start(server.wire).await?;
    let right = flow.verifier.as_str();
    let twin: String = [&right[..42], "%"].concat();
    for odd in [
        "a",
        &right[..42],
        &"a".repeat(129),
        &format!("{right}%0A"),
        &format!("{right}%20"),
        &format!("+{right}"),
        &format!("{right}%3D"),
        &format!("{right}%00"),
        &format!("{right}%"),
        &format!("{right}%f"),
        &twin,
        &format!("{right}%ff"),
        &format!("{right}%C3%A9"),
        &format!("{right}%2B"),
        "null",
        &"a".repeat(10_000),
    ] {
        let body = format!("{}&code_verifier={odd}", flow.token_request(&[]));
        refused(&server.wire.post_form("/token", &body).await?, 400, "invalid_grant", odd);
    }
    live(server.wire, &flow).await
}

/// C12.
async fn a_missing_verifier_is_refused(server: &Server) -> Result<()> {
    let flow = Flow::start(server.wire).await?;
    let bare = flow.token_request(&[]);
    for more in ["", "&code_verifier", "&code_verifier=", "&Code_Verifier=x", "&code_challenge=x"] {
        refused(&server.wire.post_form("/token", &format!("{bare}{more}")).await?, 400, "invalid_grant", more);
    }
    live(server.wire, &flow).await
}

/// C14.
async fn a_wrong_verifier_is_refused(server: &Server) -> Result<()> {
    let (flow, other) = (Flow::start(server.wire).await?, Flow::start(server.wire).await?);
    let (right, challenge) = (flow.verifier.as_str(), playground::challenge(&flow.verifier));
    let swapped = right.chars().map(|c| if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() });
    for wrong in [GUESS, other.verifier.as_str(), &challenge, &swapped.collect::<String>(), &format!("{right}a")] {
        let said = server.wire.post_form("/token", &flow.token_request(&[("code_verifier", wrong)])).await?;
        refused(&said, 400, "invalid_grant", wrong);
    }
    live(server.wire, &flow).await?;
    live(server.wire, &other).await
}

/// C13.
async fn an_unknown_code_is_refused(server: &Server) -> Result<()> {
    let flow = Flow::start(server.wire).await?;
    let code = format!("code={}", flow.code);
    for unknown in [
        format!("{code}x"),
        format!("{code}%20"),
        format!("code=+{}", flow.code),
        "code=%20".to_owned(),
        format!("code={}", "x".repeat(4096)),
    ] {
        let body = right(&flow).replace(&code, &unknown);
        refused(&server.wire.post_form("/token", &body).await?, 400, "invalid_grant", &unknown);
    }
    live(server.wire, &flow).await
}

/// C11 to C14, C22, C23: no oracle.
async fn nobody_learns_why_a_grant_is_refused(server: &Server) -> Result<()> {
    let (flow, expired) = (Flow::start(server.wire).await?, Flow::start(server.wire).await?);
    // A missing and a malformed verifier have a sentence of their own, which tells nothing about the code.
    let mut told = [HashSet::new(), HashSet::new(), HashSet::new()];
    let mut ask = async |sort: usize, body: String| -> Result<()> {
        let said = server.wire.post_form("/token", &body).await?;
        assert_eq!((said.status, said.error().as_deref()), (400, Some("invalid_grant")));
        let headers = ["content-type", "cache-control", "pragma", "content-length"]
            .map(|name| said.header(name).map(str::to_owned));
        told[sort].insert((said.body, headers));
        Ok(())
    };
    let unknown = |verifier: &str| flow.token_request(&[("code_verifier", verifier)]).replace("code=", "code=x");
    ask(0, flow.token_request(&[])).await?;
    ask(0, unknown("")).await?;
    ask(1, flow.token_request(&[("code_verifier", "a")])).await?;
    ask(1, unknown("a")).await?;
    ask(2, flow.token_request(&[("code_verifier", GUESS)])).await?;
    ask(2, unknown(GUESS)).await?;
    live(server.wire, &flow).await?;
    for (sort, verifier) in [(0, ""), (1, "a"), (2, GUESS), (2, flow.verifier.as_str())] {
        ask(sort, flow.token_request(&[("code_verifier", verifier)])).await?;
    }
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    for (sort, verifier) in [(0, ""), (1, "a"), (2, GUESS), (2, expired.verifier.as_str())] {
        ask(sort, expired.token_request(&[("code_verifier", verifier)])).await?;
    }
    assert!(told.iter().all(|told| told.len() == 1), "{told:?}");
    Ok(())
}

/// D.
async fn a_refusal_has_the_form_of_rfc_6749(server: &Server) -> Result<()> {
    let evil = "evil-evil-evil";
    for (method, target, body) in [
        ("POST", "/token".to_owned(), format!("{GRANT}&code={evil}&code_verifier={evil}")),
        ("POST", "/token".to_owned(), format!("{GRANT}&code={evil}%ff")),
        ("POST", format!("/token?code={evil}"), String::new()),
        ("PUT", format!("/token?{evil}"), evil.to_owned()),
        ("POST", "/token".to_owned(), evil.repeat(2000)),
    ] {
        let said = server.wire.send(method, &target, &[FORM], &body).await?;
        assert!(matches!(said.status, 400 | 405 | 413), "{}", said.status);
        assert_eq!(said.header("content-type"), Some("application/json"));
        assert_eq!((said.header("cache-control"), said.header("pragma")), (Some("no-store"), Some("no-cache")));
        assert_eq!((said.header("set-cookie"), said.header("www-authenticate")), (None, None));
        assert_eq!(said.header("allow").is_some(), said.status == 405);
        assert!(!said.body.contains("evil"));
        let body: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&said.body)?;
        assert_eq!(body.keys().collect::<Vec<_>>(), ["error", "error_description"]);
        let description = body["error_description"].as_str().ok_or("no sentence")?;
        assert!(description.bytes().all(|octet| matches!(octet, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e)));
    }
    Ok(())
}

/// C18; RFC 7636 §4.5: the order and the encoding of the parameters say nothing.
async fn the_right_verifier_is_served_in_every_encoding(server: &Server) -> Result<()> {
    for spell in [
        |body: String| body,
        |body: String| body.split('&').rev().collect::<Vec<_>>().join("&"),
        |body: String| body.replace("code=", "%63%6F%64%65="),
        |body: String| body.replace("code_verifier=", "code%5Fverifier="),
        |body: String| body.replace('-', "%2D").replace('_', "%5f"),
        |body: String| format!("&&{body}&=&%zz=%zz&"),
    ] {
        let flow = Flow::start(server.wire).await?;
        let body = spell(right(&flow));
        let said = server.wire.post_form("/token", &body).await?;
        assert_eq!(said.status, 200, "{body}: {}", said.body);
        let again = server.wire.post_form("/token", &body).await?;
        refused(&again, 400, "invalid_grant", "a code is redeemed once");
    }
    Ok(())
}

/// RFC 7636 §4.5: the method is the one that is bound to the code.
async fn the_token_request_cannot_choose_the_method(server: &Server) -> Result<()> {
    let (flow, verifier) = (Flow::start(server.wire).await?, CodeVerifier::generate()?);
    let derived = playground::challenge(&flow.verifier);
    for method in ["plain", "S256", ""] {
        let request = flow.token_request(&[("code_verifier", &derived), ("code_challenge_method", method)]);
        refused(&server.wire.post_form("/token", &request).await?, 400, "invalid_grant", method);
    }
    let right = format!("{}&code_challenge_method=plain&code_challenge=x", right(&flow));
    assert_eq!(server.wire.post_form("/token", &right).await?.status, 200);

    let text = verifier.as_str().to_owned();
    let plain = [("code_challenge", text.as_str()), ("code_challenge_method", "plain")];
    let issued = Client::SPA.sign_in(server.wire, verifier, &plain).await?;
    let derived = playground::challenge(&issued.verifier);
    let hashed = Issued { verifier: derived.parse()?, ..issued };
    let said = hashed.redeem(server.wire, &[("code_challenge_method", "S256")]).await?;
    refused(&said, 400, "invalid_grant", "the challenge of a plain verifier");
    let verbatim = Issued { verifier: text.parse()?, ..hashed };
    assert_eq!(verbatim.redeem(server.wire, &[("code_challenge_method", "S256")]).await?.status, 200);
    Ok(())
}

async fn an_error_uri_stands_in_every_refusal(adapter: Adapter) -> Result<()> {
    const URI: &str = "https://as.example/errors";
    let (server, _) = Server::with(adapter, MemoryStore::new(), Policy::new().error_uri(URI));
    for body in ["", "x", GRANT, &format!("{GRANT}&code=x")] {
        let said = server.wire.post_form("/token", body).await?;
        assert_eq!((said.status, said.member("error_uri").as_deref()), (400, Some(URI)), "{body}");
    }
    Ok(())
}

fn right(flow: &Flow) -> String {
    flow.token_request(&[("code_verifier", flow.verifier.as_str())])
}

async fn live(wire: Wire, flow: &Flow) -> Result<()> {
    let said = flow.redeem(wire).await?;
    assert_eq!(said.status, 200, "the code is not live: {}", said.body);
    Ok(())
}

#[track_caller]
fn refused(said: &Said, status: u16, error: &str, what: &str) {
    assert_eq!((said.status, said.error().as_deref()), (status, Some(error)), "{what}: {}", said.body);
}
