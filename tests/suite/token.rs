//! The token request (rules C1 to C18). A request that must leave the code live is followed by one that is served.

use std::collections::HashSet;

use pkce_core::{MemoryStore, Policy};
use pkce_tests::{Adapter, Result, Server, on_both_servers};
use playground::{FORM, Flow, JSON, Said, Wire};

const GUESS: &str = "a-guess-a-guess-a-guess-a-guess-a-guess-a-guess";
const GRANT: &str = "grant_type=authorization_code";

on_both_servers! {
    a_preflight_passes,
    every_method_but_post_is_refused,
    parameters_in_the_query_are_refused,
    a_body_that_is_not_surely_a_form_is_refused,
    a_content_type_is_read_in_any_case_and_with_parameters,
    a_body_over_16_kib_is_refused,
    a_repeated_parameter_is_refused,
    a_missing_or_odd_grant_type_is_refused,
    another_grant_type_passes_but_not_with_a_code,
    a_missing_or_odd_code_is_refused,
    a_malformed_verifier_is_refused,
    a_missing_verifier_is_refused,
    a_wrong_verifier_is_refused,
    an_unknown_code_is_refused,
    nobody_learns_why_a_grant_is_refused("--code-lifetime", "1"),
    a_refusal_has_the_form_of_rfc_6749,
    the_right_verifier_is_served_in_every_encoding,
    another_grant_type_may_have_a_code_of_its_own_if_the_policy_names_it(own),
    json_is_read_by_the_same_rules_if_the_policy_accepts_it(own),
    an_error_uri_stands_in_every_refusal(own),
}

/// C1.
async fn a_preflight_passes(server: &Server) -> Result<()> {
    for target in ["/token", "/token?x=y", "/token?client_id=spa"] {
        assert_eq!(server.wire.send("OPTIONS", target, &[], "").await?.status, 204, "{target}");
    }
    for (target, body) in [("/token?code=x", ""), ("/token?grant_type", ""), ("/token", "x")] {
        let said = server.wire.send("OPTIONS", target, &[FORM], body).await?;
        assert_eq!((said.status, said.header("allow")), (405, Some("POST")), "{target} {body}");
    }
    Ok(())
}

/// C2.
async fn every_method_but_post_is_refused(server: &Server) -> Result<()> {
    let flow = Flow::start(server.wire).await?;
    let right = right(&flow);
    for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "QUERY", "post", "Post"] {
        for (target, body) in
            [("/token".to_owned(), right.as_str()), (format!("/token?{right}"), ""), ("/token".to_owned(), "")]
        {
            let said = server.wire.send(method, &target, &[FORM], body).await?;
            assert_eq!((said.status, said.header("allow")), (405, Some("POST")), "{method}");
            assert!(method == "HEAD" || said.error().as_deref() == Some("invalid_request"), "{method}");
        }
    }
    live(server.wire, &flow).await
}

/// C3.
async fn parameters_in_the_query_are_refused(server: &Server) -> Result<()> {
    let flow = Flow::start(server.wire).await?;
    let right = right(&flow);
    for query in [right.as_str(), "grant_type=x", "code", "code=", "co%64e=x", "code_verifier=x", "x=y&&grant%5ftype=z"]
    {
        for body in ["", right.as_str()] {
            let said = server.wire.post_form(&format!("/token?{query}"), body).await?;
            refused(&said, 400, "invalid_request", query);
        }
    }
    // Others are none of our business, and the code is live.
    let said = server.wire.post_form("/token?client_id=x&resource=y&Code=z", &right).await?;
    assert_eq!(said.status, 200);
    Ok(())
}

/// C4.
async fn a_body_that_is_not_surely_a_form_is_refused(server: &Server) -> Result<()> {
    let flow = Flow::start(server.wire).await?;
    let right = right(&flow);
    for headers in [
        &[][..],
        &[JSON],
        &[("content-type", "text/plain")],
        &[("content-type", "")],
        &[("content-type", "application/x-www-form-urlencodedx")],
        &[("content-type", "multipart/form-data; boundary=x")],
        &[("content-type", "application/x-www-form-urlencoded, text/plain")],
        &[("content-type", "text/plain; application/x-www-form-urlencoded")],
        &[FORM, FORM],
        &[FORM, ("Content-Type", "text/plain")],
        &[FORM, ("content-encoding", "gzip")],
        &[FORM, ("content-encoding", "identity")],
        &[FORM, ("content-encoding", "")],
    ] {
        let said = server.wire.send("POST", "/token", headers, &right).await?;
        refused(&said, 400, "invalid_request", &format!("{headers:?}"));
    }
    live(server.wire, &flow).await
}

/// C4.
async fn a_content_type_is_read_in_any_case_and_with_parameters(server: &Server) -> Result<()> {
    for content_type in [
        "Application/X-WWW-Form-Urlencoded",
        "application/x-www-form-urlencoded; charset=UTF-8",
        "application/x-www-form-urlencoded;charset=utf-8",
        "application/x-www-form-urlencoded ; x",
    ] {
        let flow = Flow::start(server.wire).await?;
        let said = server.wire.send("POST", "/token", &[("CONTENT-TYPE", content_type)], &right(&flow)).await?;
        assert_eq!(said.status, 200, "{content_type}");
    }
    Ok(())
}

/// C5.
async fn a_body_over_16_kib_is_refused(server: &Server) -> Result<()> {
    let flow = Flow::start(server.wire).await?;
    let padded = |octets: usize| {
        let right = right(&flow) + "&x=";
        format!("{right}{}", "x".repeat(octets - right.len()))
    };
    for octets in [16 * 1024 + 1, 64 * 1024, 600 * 1024] {
        let said = server.wire.post_form("/token", &padded(octets)).await?;
        refused(&said, 413, "invalid_request", &octets.to_string());
    }
    assert_eq!(server.wire.post_form("/token", &padded(16 * 1024)).await?.status, 200);
    Ok(())
}

/// C6.
async fn a_repeated_parameter_is_refused(server: &Server) -> Result<()> {
    let flow = Flow::start(server.wire).await?;
    let right = right(&flow);
    let again = format!("code_verifier={}", flow.verifier.as_str());
    for more in [
        GRANT,
        &again,
        "grant_type",
        "code=",
        "code=x",
        "%63ode=x",
        "code_verifier",
        "code%5Fverifier=x",
        "client_id=spa",
        "client%5fid=x",
        "redirect_uri=",
        "redirect_ur%69=x",
    ] {
        for body in [format!("{right}&{more}"), format!("{more}&{right}")] {
            refused(&server.wire.post_form("/token", &body).await?, 400, "invalid_request", more);
        }
    }
    // A resource may be named more than once (RFC 8707), and what only looks like ours is not.
    let said = server.wire.post_form("/token", &format!("{right}&resource=a&resource=b&Code=x&code[]=x")).await?;
    assert_eq!(said.status, 200);
    Ok(())
}

/// C7, C9.
async fn a_missing_or_odd_grant_type_is_refused(server: &Server) -> Result<()> {
    let flow = Flow::start(server.wire).await?;
    let right = right(&flow);
    for grant_type in [
        "",
        "grant_type",
        "grant_type=",
        "x=authorization_code",
        "grant_type=%61uthorization_code%20",
        "grant_type=Authorization_Code",
        "grant_type=+authorization_code",
        "grant_type=authorization_code%0A",
        "grant_type=AUTHORIZATION_CODE",
        "grant_type=authorization_code%00",
        "grant_type=%c2%a0authorization_code",
        "grant_type=authorization_code%",
        "Grant_Type=authorization_code",
    ] {
        let body = right.replace(GRANT, grant_type);
        refused(&server.wire.post_form("/token", &body).await?, 400, "invalid_request", grant_type);
    }
    live(server.wire, &flow).await
}

/// C8.
async fn another_grant_type_passes_but_not_with_a_code(server: &Server) -> Result<()> {
    let flow = Flow::start(server.wire).await?;
    for grant_type in ["refresh_token", "password", "client_credentials", "urn:x:y", "authorization_codes", "code"] {
        let other = right(&flow).replace(GRANT, &format!("grant_type={grant_type}"));
        refused(&server.wire.post_form("/token", &other).await?, 400, "invalid_request", grant_type);
    }
    let passed = server.wire.post_form("/token", "grant_type=password&client_id=spa&code_verifier=x").await?;
    refused(&passed, 400, "unsupported_grant_type", "the host's own answer");
    let passed =
        server.wire.post_form("/token", "grant_type=refresh_token&client_id=spa&refresh_token=x&code=").await?;
    refused(&passed, 400, "invalid_grant", "the host's own answer");
    live(server.wire, &flow).await
}

async fn another_grant_type_may_have_a_code_of_its_own_if_the_policy_names_it(adapter: Adapter) -> Result<()> {
    let policy = Policy::new().other_grant_type_with_code("urn:x:device");
    let (server, _) = Server::with(adapter, MemoryStore::new(), policy);
    for (grant_type, error) in [("urn:x:device", "unsupported_grant_type"), ("urn:x:devices", "invalid_request")] {
        let said = server.wire.post_form("/token", &format!("grant_type={grant_type}&client_id=spa&code=1234")).await?;
        refused(&said, 400, error, grant_type);
    }
    Ok(())
}

/// C10.
async fn a_missing_or_odd_code_is_refused(server: &Server) -> Result<()> {
    let flow = Flow::start(server.wire).await?;
    let (right, code) = (right(&flow), format!("code={}", flow.code));
    let long = format!("code={}", "x".repeat(4097));
    for odd in [
        "",
        "code",
        "code=",
        "code=%00",
        "code=a%0D%0A",
        "code=%7F",
        "code=%ff",
        "code=%C3%A9",
        "code=a%",
        "code=a%2",
        &long,
    ] {
        let body = right.replace(&code, odd);
        refused(&server.wire.post_form("/token", &body).await?, 400, "invalid_request", odd);
    }
    live(server.wire, &flow).await
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
    let mut answers = HashSet::new();
    let mut ask = async |body: String| -> Result<()> {
        let said = server.wire.post_form("/token", &body).await?;
        assert_eq!(said.status, 400);
        let headers = ["content-type", "cache-control", "pragma", "content-length"]
            .map(|name| said.header(name).map(str::to_owned));
        answers.insert((said.body, headers));
        Ok(())
    };
    ask(flow.token_request(&[])).await?;
    ask(flow.token_request(&[("code_verifier", GUESS)])).await?;
    ask(flow.token_request(&[("code_verifier", "a")])).await?;
    ask(right(&flow).replace("code=", "code=x")).await?;
    live(server.wire, &flow).await?;
    for verifier in [flow.verifier.as_str(), GUESS, "a", ""] {
        ask(flow.token_request(&[("code_verifier", verifier)])).await?;
    }
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    for verifier in [expired.verifier.as_str(), GUESS, ""] {
        ask(expired.token_request(&[("code_verifier", verifier)])).await?;
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
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

async fn json_is_read_by_the_same_rules_if_the_policy_accepts_it(adapter: Adapter) -> Result<()> {
    let (server, _) = Server::with(adapter, MemoryStore::new(), Policy::new().accept_json());
    let flow = Flow::start(server.wire).await?;
    let (code, verifier) = (flow.code.as_str(), flow.verifier.as_str());
    let grant = format!(r#""grant_type":"authorization_code","code":"{code}""#);
    for (body, error) in [
        (format!(r#"{{{grant},"code_verifier":"{GUESS}"}}"#), "invalid_grant"),
        (format!("{{{grant}}}"), "invalid_grant"),
        (format!(r#"{{{grant},"code_verifier":null}}"#), "invalid_request"),
        (format!(r#"{{{grant},"code_verifier":["{verifier}"]}}"#), "invalid_request"),
        (format!(r#"{{{grant},"code_verifier":"{verifier}","cod\u0065":"x"}}"#), "invalid_request"),
        (format!(r#"[{{{grant},"code_verifier":"{verifier}"}}]"#), "invalid_request"),
        (format!(r#"{{{grant},"code_verifier":"{verifier}"}}x"#), "invalid_request"),
        (right(&flow), "invalid_request"),
    ] {
        refused(&server.wire.send("POST", "/token", &[JSON], &body).await?, 400, error, &body);
    }
    // It passes, and the example's handler, which reads forms alone, refuses it: the code is live.
    let body = format!(r#"{{{grant},"code_verifier":"{verifier}"}}"#);
    assert_eq!(server.wire.send("POST", "/token", &[JSON], &body).await?.error().as_deref(), Some("invalid_client"));
    live(server.wire, &flow).await
}

async fn an_error_uri_stands_in_every_refusal(adapter: Adapter) -> Result<()> {
    const URI: &str = "https://as.example/errors";
    let (server, _) = Server::with(adapter, MemoryStore::new(), Policy::new().error_uri(URI)?);
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
