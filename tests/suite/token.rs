//! The token request (rules C1 to C10). A request that must leave the code live is followed by one that is served.

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
    a_form_that_could_be_another_document_is_refused,
    a_body_over_16_kib_is_refused,
    a_repeated_parameter_is_refused,
    a_missing_or_odd_grant_type_is_refused,
    another_grant_type_passes_but_not_with_a_code,
    a_missing_or_odd_code_is_refused,
    another_grant_type_may_have_a_code_of_its_own_if_the_policy_names_it(own),
    json_is_read_by_the_same_rules_if_the_policy_accepts_it(own),
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
        &[("content-type", "application/x-www-form-urlencoded; charset=utf-16")],
        &[("content-type", "application/x-www-form-urlencoded; charset=utf-7")],
        &[("content-type", "application/x-www-form-urlencoded; charset=shift_jis")],
        &[("content-type", "application/x-www-form-urlencoded; boundary=x")],
        &[FORM, FORM],
        &[FORM, ("Content-Type", "text/plain")],
        &[FORM, ("content-encoding", "gzip")],
        &[FORM, ("content-encoding", "identity, gzip")],
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
        // Java's clients name it by default (C4a).
        "application/x-www-form-urlencoded; charset=ISO-8859-1",
        "application/x-www-form-urlencoded; charset=\"windows-1252\"",
        "application/x-www-form-urlencoded; charset=us-ascii",
    ] {
        let flow = Flow::start(server.wire).await?;
        let headers = [("CONTENT-TYPE", content_type), ("content-encoding", "identity")];
        let said = server.wire.send("POST", "/token", &headers, &right(&flow)).await?;
        assert_eq!(said.status, 200, "{content_type}");
    }
    Ok(())
}

/// C4b: JSON, XML or multipart to a host that guesses.
async fn a_form_that_could_be_another_document_is_refused(server: &Server) -> Result<()> {
    let flow = Flow::start(server.wire).await?;
    let right = right(&flow);
    for body in [
        format!("{{\"x\":\"&{right}&y=\",\"grant_type\":\"authorization_code\",\"code\":\"stolen\"}}"),
        "{\"x\":\"&grant_type=refresh_token&y=\",\"code\":\"stolen\"}".to_owned(),
        format!("  \u{feff}[\"&{right}&\"]"),
        format!("\"&{right}&\""),
        format!("<a x=\"&{right}&\"/>"),
        format!("--b\r\ncontent-disposition: form-data; name=code\r\n\r\nstolen\r\n--b--&{right}"),
        format!("{right}&x=a\nb"),
        format!("{right}\r\n"),
        format!("{right}&x=\0"),
        format!("{right}&x=\x7f"),
    ] {
        refused(&server.wire.post_form("/token", &body).await?, 400, "invalid_request", &body);
    }
    live(server.wire, &flow).await
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
        // Some readers take a name with brackets for it.
        "code[]=x",
        "[code]=x",
        "%5Bcode%5D",
        "code[0]=x",
        "code%5B%5D=",
        "client_id[]=x",
    ] {
        for body in [format!("{right}&{more}"), format!("{more}&{right}")] {
            refused(&server.wire.post_form("/token", &body).await?, 400, "invalid_request", more);
        }
    }
    for alone in ["grant_type=refresh_token&[code]=x", "grant_type=refresh_token&code[]=x"] {
        refused(&server.wire.post_form("/token", alone).await?, 400, "invalid_request", alone);
    }
    // A resource may be named more than once (RFC 8707), and a name in another case is another name.
    let said = server.wire.post_form("/token", &format!("{right}&resource=a&resource=b&Code=x&x[]=y")).await?;
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
