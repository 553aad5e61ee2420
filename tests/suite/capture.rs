//! A host that issues its code at once, with the capture around it: what leaves, and what does not.

use pkce_core::{CodeVerifier, MemoryStore, Pkce, Policy};
use pkce_tests::{
    Adapter, Connection, Fault, Faulty, ISSUER, Immediate, REGISTERED, Result, on_both_servers, parameter, query,
};
use playground::{FORM, S256, Said, challenge, form};
use url::Url;

on_both_servers! {
    a_code_is_bound_to_the_challenge_of_its_request(own),
    a_response_without_an_issuer_gets_it_from_the_server(own),
    two_tabs_have_their_own_challenges(own),
    a_consent_form_may_repeat_the_parameters(own),
    an_answer_without_a_code_is_the_hosts_octet_for_octet(own),
    without_an_acceptable_challenge_no_code_leaves(own),
    nobody_is_redirected_to_a_target_that_the_host_has_not_validated(own),
    a_code_for_the_wrong_target_does_not_leave(own),
    a_code_that_cannot_be_read_does_not_leave(own),
    a_response_mode_that_cannot_be_read_is_refused_before_the_host_runs(own),
    a_state_cannot_split_the_response(own),
    a_store_that_is_down_lets_no_code_out(own),
    a_host_that_panics_leaves_nothing_behind(own),
    a_head_request_is_captured_too(own),
    a_roll_out_lets_pass_what_it_reports(own),
}

/// An authorization request to this path; what stands in `more` overrules what stands in front.
fn request(path: &str, more: &[(&str, &str)]) -> String {
    let base = [("response_type", "code"), ("client_id", "spa"), ("redirect_uri", REGISTERED[0]), ("state", "s&t")];
    let kept = base.iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name));
    format!("{path}?{}", form(kept.chain(more)))
}

fn host(adapter: Adapter) -> Immediate {
    Immediate::start(adapter, Pkce::new(MemoryStore::new()))
}

fn location(said: &Said) -> Result<Url> {
    Ok(said.header("location").ok_or_else(|| format!("no location: {} {}", said.status, said.body))?.parse()?)
}

async fn redeem(host: &Immediate, code: &str, verifier: &str) -> Result<u16> {
    let body = form(&[("grant_type", "authorization_code"), ("code", code), ("code_verifier", verifier)]);
    Ok(host.server.wire.post_form("/token", &body).await?.status)
}

/// None of the codes that the host has made stands in the answer, and none can be redeemed.
async fn nothing_left(host: &Immediate, said: &Said) -> Result<()> {
    let seen = format!("{said:?}");
    for code in host.issued() {
        assert!(!seen.contains(&code), "{seen}");
        assert_eq!(redeem(host, &code, "a-guess-a-guess-a-guess-a-guess-a-guess-a-guess").await?, 400);
    }
    Ok(())
}

async fn a_code_is_bound_to_the_challenge_of_its_request(adapter: Adapter) -> Result<()> {
    let host = host(adapter);
    for (redirect_uri, asked, status) in [
        (REGISTERED[0], "302", 302),
        (REGISTERED[0], "303", 303),
        (REGISTERED[1], "303", 303),
        (REGISTERED[2], "302", 302),
        (REGISTERED[0], "huge", 303),
    ] {
        let verifier = CodeVerifier::generate()?;
        let pkce = [("code_challenge", &*challenge(&verifier)), S256, ("redirect_uri", redirect_uri), ("do", asked)];
        let said = host.server.wire.get(&request("/authorize", &pkce)).await?;
        assert_eq!(said.status, status);
        assert_eq!(said.header("set-cookie"), Some("session=alice"));
        let location = location(&said)?;
        assert!(location.as_str().starts_with(redirect_uri));
        assert_eq!(parameter(&location, "state").as_deref(), Some("s&t"));
        let code = parameter(&location, "code").ok_or("no code")?;
        assert_eq!(redeem(&host, &code, "").await?, 400);
        assert_eq!(redeem(&host, &code, "a-guess-a-guess-a-guess-a-guess-a-guess-a-guess").await?, 400);
        assert_eq!(redeem(&host, &code, verifier.as_str()).await?, 200);
        assert_eq!(redeem(&host, &code, verifier.as_str()).await?, 400);
    }
    // In the fragment as well.
    let verifier = CodeVerifier::generate()?;
    let pkce = [("code_challenge", &*challenge(&verifier)), S256, ("do", "fragment")];
    let location = location(&host.server.wire.get(&request("/authorize", &pkce)).await?)?;
    let code = location.fragment().and_then(|fragment| fragment.strip_prefix("code=")?.split('&').next());
    assert_eq!(redeem(&host, code.ok_or("no code")?, verifier.as_str()).await?, 200);
    Ok(())
}

async fn a_response_without_an_issuer_gets_it_from_the_server(adapter: Adapter) -> Result<()> {
    let verifier = CodeVerifier::generate()?;
    let challenge = challenge(&verifier);
    let issuers = async |host: &Immediate, asked: &str| -> Result<Vec<String>> {
        let pkce = [("code_challenge", &*challenge), S256, ("do", asked)];
        let said = host.server.wire.get(&request("/authorize", &pkce)).await?;
        let location = location(&said)?;
        let issuers = location.query_pairs().filter(|(name, _)| name == "iss");
        Ok(issuers.map(|(_, value)| value.into_owned()).collect())
    };
    let named = Pkce::builder(MemoryStore::new()).issuer("https://as.example/a b").build();
    let (nameless, named) = (host(adapter), Immediate::start(adapter, named));
    for (asked, without, with) in [
        ("no iss", None, Some("https://as.example/a b")),
        ("deny", None, Some("https://as.example/a b")),
        ("303", Some(ISSUER), Some(ISSUER)), // the host's own
        ("login", None, None),               // not to the client
    ] {
        assert_eq!(issuers(&nameless, asked).await.ok().and_then(|mut all| all.pop()).as_deref(), without, "{asked}");
        if asked == "login" {
            continue;
        }
        assert_eq!(issuers(&named, asked).await?, with.as_slice(), "{asked}");
    }
    let login = named.server.wire.get(&request("/authorize", &[("do", "login")])).await?;
    assert!(!login.header("location").ok_or("no location")?.contains("iss="));
    // The code that left with it is bound.
    let code = named.issued().into_iter().next().ok_or("no code")?;
    assert_eq!(redeem(&named, &code, verifier.as_str()).await?, 200);
    Ok(())
}

async fn two_tabs_have_their_own_challenges(adapter: Adapter) -> Result<()> {
    let host = host(adapter);
    let tab = async || -> Result<(String, CodeVerifier)> {
        let verifier = CodeVerifier::generate()?;
        let pkce = [("code_challenge", &*challenge(&verifier)), S256];
        let said =
            host.server.wire.send("GET", &request("/authorize", &pkce), &[("cookie", "session=alice")], "").await?;
        Ok((parameter(&location(&said)?, "code").ok_or("no code")?, verifier))
    };
    let (one, two) = (tab().await?, tab().await?);
    assert_eq!(redeem(&host, &one.0, two.1.as_str()).await?, 400);
    assert_eq!(redeem(&host, &two.0, one.1.as_str()).await?, 400);
    assert_eq!(redeem(&host, &two.0, two.1.as_str()).await?, 200);
    assert_eq!(redeem(&host, &one.0, one.1.as_str()).await?, 200);
    Ok(())
}

async fn a_consent_form_may_repeat_the_parameters(adapter: Adapter) -> Result<()> {
    let host = host(adapter);
    let verifier = CodeVerifier::generate()?;
    let target = request("/authorize", &[("code_challenge", &*challenge(&verifier)), S256]);
    let (path, parameters) = target.split_once('?').ok_or("no query")?;
    for (target, body) in [
        (target.as_str(), "decision=allow".to_owned()),
        (target.as_str(), String::new()),
        (path, format!("{parameters}&decision=allow")),
        (&target, parameters.to_owned()),
    ] {
        let said = host.server.wire.post_form(target, &body).await?;
        let code = parameter(&location(&said)?, "code").ok_or("no code")?;
        assert_eq!(redeem(&host, &code, verifier.as_str()).await?, 200, "{target} {body}");
    }
    // What the two places disagree about is nobody's challenge.
    let other = parameters.replace(&challenge(&verifier), &challenge(&CodeVerifier::generate()?));
    let said = host.server.wire.post_form(&target, &other).await?;
    assert_eq!(said.error().as_deref(), Some("invalid_request"));
    nothing_left(&host, &said).await?;
    // A consent that carries nothing has nothing to be bound to.
    let said = host.server.wire.post_form("/authorize", "decision=allow").await?;
    assert_eq!((said.status, said.header("location")), (400, None));
    nothing_left(&host, &said).await?;
    // A body that is too large is not read: it could name another challenge, so no code leaves.
    let said = host.server.wire.post_form(&target, &"x".repeat(17_000)).await?;
    assert_eq!((said.status, said.error().as_deref()), (303, Some("invalid_request")));
    nothing_left(&host, &said).await?;
    Ok(())
}

async fn an_answer_without_a_code_is_the_hosts_octet_for_octet(adapter: Adapter) -> Result<()> {
    let host = host(adapter);
    for asked in ["login page", "login", "deny", "fail"] {
        for challenge in ["", "x", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"] {
            let mut answers = Vec::new();
            for path in ["/bare", "/authorize"] {
                let mut connection = Connection::open(host.server.wire).await?;
                let target = request(path, &[("do", asked), ("code_challenge", challenge), S256]);
                connection.send(format!("GET {target} HTTP/1.1\r\nhost: as.example\r\n\r\n").as_bytes()).await?;
                let mut answer = connection.answer("GET").await?;
                answer.headers.retain(|(name, _)| name != "date");
                answers.push(answer);
            }
            assert_eq!(answers[0], answers[1], "{asked}");
        }
    }
    assert!(host.issued().is_empty());
    Ok(())
}

async fn without_an_acceptable_challenge_no_code_leaves(adapter: Adapter) -> Result<()> {
    let host = host(adapter);
    let challenge = ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    for more in [
        &[][..],
        &[("code_challenge", "x"), S256],
        &[("code_challenge", ""), S256],
        &[challenge],
        &[challenge, ("code_challenge_method", "plain")],
        &[challenge, ("code_challenge_method", "s256")],
        &[challenge, challenge, S256],
        &[challenge, S256, ("request", "eyJ")],
        &[challenge, S256, ("request_uri", "urn:x")],
        &[challenge, S256, ("response_type", "token")],
    ] {
        for asked in ["302", "303", "fragment"] {
            let all: Vec<_> = more.iter().copied().chain([("do", asked)]).collect();
            let said = host.server.wire.get(&request("/authorize", &all)).await?;
            assert_eq!(said.status, if asked == "302" { 302 } else { 303 });
            assert_eq!(
                (said.header("cache-control"), said.header("set-cookie")),
                (Some("no-store"), Some("session=alice"))
            );
            assert_eq!((said.header("content-type"), said.body.as_str()), (None, ""));
            let mut told = location(&said)?;
            assert!(told.as_str().starts_with(REGISTERED[0]));
            if asked == "fragment" {
                let fragment = told.fragment().ok_or("no fragment")?.to_owned();
                assert_eq!(told.query(), None);
                told.set_query(Some(&fragment));
            }
            assert_eq!(query(&told), ["error", "error_description", "state", "iss"]);
            assert_eq!(parameter(&told, "error").as_deref(), Some("invalid_request"));
            assert_eq!(parameter(&told, "state").as_deref(), Some("s&t"));
            assert_eq!(parameter(&told, "iss").as_deref(), Some(ISSUER));
            nothing_left(&host, &said).await?;
        }
    }
    Ok(())
}

async fn nobody_is_redirected_to_a_target_that_the_host_has_not_validated(adapter: Adapter) -> Result<()> {
    let host = host(adapter);
    for evil in
        ["https://evil.example/cb", "https://app.example.evil.example/cb", "https://app.example/cb/../x", "//evil"]
    {
        // The host refuses it, and its answer stands.
        let said = host.server.wire.get(&request("/authorize", &[("redirect_uri", evil)])).await?;
        assert_eq!((said.status, said.header("location")), (400, None));
        assert_eq!(said.body, "this redirect URI is not registered");
        // Nor does what is refused before the host runs lead there.
        let form_post = [("redirect_uri", evil), ("response_mode", "form_post")];
        let said = host.server.wire.get(&request("/authorize", &form_post)).await?;
        assert_eq!((said.status, said.header("location")), (400, None));
        // The host takes the first, a lenient reader the last.
        let twice = format!("{}&redirect_uri={evil}", request("/authorize", &[]));
        let said = host.server.wire.get(&twice).await?;
        assert_eq!(said.header("location"), None);
        nothing_left(&host, &said).await?;
    }
    Ok(())
}

async fn a_code_for_the_wrong_target_does_not_leave(adapter: Adapter) -> Result<()> {
    let host = host(adapter);
    let verifier = CodeVerifier::generate()?;
    let challenge = challenge(&verifier);
    for asked in ["evil", "lookalike", "userinfo", "relative"] {
        let more = [("code_challenge", &*challenge), S256, ("do", asked)];
        let said = host.server.wire.get(&request("/authorize", &more)).await?;
        assert_eq!((said.status, said.error().as_deref()), (500, Some("server_error")), "{asked}");
        assert_eq!((said.header("location"), said.header("cache-control")), (None, Some("no-store")));
        nothing_left(&host, &said).await?;
        // The code was not bound either.
        assert_eq!(redeem(&host, host.issued().last().ok_or("no code")?, verifier.as_str()).await?, 400);
    }
    // A request that does not say where it wants its code.
    let empty = request("/authorize", &[("redirect_uri", ""), ("code_challenge", &*challenge), S256]);
    assert_eq!(host.server.wire.get(&empty).await?.status, 400);
    let target = request("/authorize", &[("code_challenge", &*challenge), S256]);
    let said = host.server.wire.get(&target.replace("&redirect_uri=", "&x=")).await?;
    assert_eq!((said.status, said.header("location")), (400, None));
    nothing_left(&host, &said).await?;
    Ok(())
}

async fn a_code_that_cannot_be_read_does_not_leave(adapter: Adapter) -> Result<()> {
    let host = host(adapter);
    let verifier = CodeVerifier::generate()?;
    let challenge = challenge(&verifier);
    for (asked, redirects) in [
        ("twice", true),
        ("both", true),
        ("jarm", true),
        ("huge code", true),
        ("301", true),
        ("308", true),
        ("200", false),
        ("two locations", false),
        ("refresh", false),
    ] {
        let more = [("code_challenge", &*challenge), S256, ("do", asked)];
        let said = host.server.wire.get(&request("/authorize", &more)).await?;
        assert_eq!(said.error().as_deref(), Some("server_error"), "{asked}: {said:?}");
        assert_eq!(said.status, if redirects { 303 } else { 500 }, "{asked}");
        assert_eq!(said.header("location").is_some(), redirects);
        nothing_left(&host, &said).await?;
        assert_eq!(redeem(&host, host.issued().last().ok_or("no code")?, verifier.as_str()).await?, 400, "{asked}");
    }
    // A page or a document is not read. A code in it is worth nothing.
    for asked in ["form_post", "json"] {
        let more = [("code_challenge", &*challenge), S256, ("do", asked)];
        assert_eq!(host.server.wire.get(&request("/authorize", &more)).await?.status, 200);
        assert_eq!(redeem(&host, host.issued().last().ok_or("no code")?, verifier.as_str()).await?, 400, "{asked}");
    }
    // A 307 repeats the body of a POST. A GET has none, so its code leaves, and is bound.
    let temporary = request("/authorize", &[("code_challenge", &*challenge), S256, ("do", "307")]);
    let said = host.server.wire.post_form(&temporary, "").await?;
    assert_eq!(said.error().as_deref(), Some("server_error"));
    nothing_left(&host, &said).await?;
    let code = parameter(&location(&host.server.wire.get(&temporary).await?)?, "code").ok_or("no code")?;
    assert_eq!(redeem(&host, &code, verifier.as_str()).await?, 200);
    Ok(())
}

async fn a_response_mode_that_cannot_be_read_is_refused_before_the_host_runs(adapter: Adapter) -> Result<()> {
    let host = host(adapter);
    let challenge = ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    for mode in ["form_post", "jwt", "query.jwt", "fragment.jwt", "form_post.jwt", "web_message"] {
        let target = request("/authorize", &[challenge, S256, ("response_mode", mode), ("do", "form_post")]);
        let (path, parameters) = target.split_once('?').ok_or("no query")?;
        for said in [
            host.server.wire.get(&target).await?,
            host.server.wire.post_form(&target, "").await?,
            host.server.wire.send("POST", path, &[FORM], parameters).await?,
        ] {
            assert_eq!((said.status, said.error().as_deref()), (400, Some("invalid_request")), "{mode}");
            assert_eq!(said.header("location"), None);
        }
    }
    assert!(host.issued().is_empty());
    let target = request("/authorize", &[challenge, S256, ("response_mode", "query")]);
    assert!(parameter(&location(&host.server.wire.get(&target).await?)?, "code").is_some());
    Ok(())
}

async fn a_state_cannot_split_the_response(adapter: Adapter) -> Result<()> {
    let host = host(adapter);
    for state in [
        "x\r\nSet-Cookie: stolen=1",
        "x\r\n\r\n<script>",
        "x&code=forged",
        "x#code=forged",
        "\u{e9}\u{1f511}",
        "%0d%0a",
    ] {
        let said = host.server.wire.get(&request("/authorize", &[("state", state)])).await?;
        let told = location(&said)?;
        assert_eq!(said.header("set-cookie"), Some("session=alice"));
        assert_eq!(query(&told), ["error", "error_description", "state", "iss"], "{told}");
        assert_eq!((parameter(&told, "state").as_deref(), told.fragment()), (Some(state), None));
    }
    Ok(())
}

async fn a_store_that_is_down_lets_no_code_out(adapter: Adapter) -> Result<()> {
    let host = Immediate::start(adapter, Pkce::new(Faulty::new(Fault::Fails)));
    let challenge = ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    let said = host.server.wire.get(&request("/authorize", &[challenge, S256])).await?;
    let told = location(&said)?;
    assert!(told.as_str().starts_with(REGISTERED[0]));
    assert_eq!(parameter(&told, "error").as_deref(), Some("temporarily_unavailable"));
    assert_eq!(parameter(&told, "state").as_deref(), Some("s&t"));
    assert!(host.issued().iter().all(|code| !format!("{said:?}").contains(code)));
    // What needs no store is as ever.
    let said = host.server.wire.get(&request("/authorize", &[("do", "deny")])).await?;
    assert_eq!(said.error().as_deref(), Some("access_denied"));
    Ok(())
}

async fn a_host_that_panics_leaves_nothing_behind(adapter: Adapter) -> Result<()> {
    let host = host(adapter);
    for _ in 0..3 {
        _ = host.server.wire.get(&request("/authorize", &[("do", "panic")])).await;
    }
    a_code_leaves(&host, "GET").await
}

async fn a_head_request_is_captured_too(adapter: Adapter) -> Result<()> {
    let host = host(adapter);
    let said = host.server.wire.send("HEAD", &request("/authorize", &[]), &[], "").await?;
    assert_eq!(said.error().as_deref(), Some("invalid_request"));
    nothing_left(&host, &said).await?;
    a_code_leaves(&host, "HEAD").await
}

async fn a_code_leaves(host: &Immediate, method: &str) -> Result<()> {
    let verifier = CodeVerifier::generate()?;
    let target = request("/authorize", &[("code_challenge", &*challenge(&verifier)), S256]);
    let said = host.server.wire.send(method, &target, &[], "").await?;
    let code = parameter(&location(&said)?, "code").ok_or("no code")?;
    assert_eq!(redeem(host, &code, verifier.as_str()).await?, 200);
    Ok(())
}

async fn a_roll_out_lets_pass_what_it_reports(adapter: Adapter) -> Result<()> {
    let policy = Policy::new().report_only();
    let host = Immediate::start(adapter, Pkce::builder(MemoryStore::new()).policy(policy).build());
    for asked in ["303", "307", "json", "twice", "evil"] {
        let said = host.server.wire.get(&request("/authorize", &[("do", asked)])).await?;
        assert!(format!("{said:?}").contains(host.issued().last().ok_or("no code")?), "{asked}");
    }
    // A client that does PKCE is protected as always.
    let challenge = challenge(&CodeVerifier::generate()?);
    let evil = request("/authorize", &[("code_challenge", &*challenge), S256, ("do", "evil")]);
    let said = host.server.wire.get(&evil).await?;
    assert_eq!((said.status, said.header("location")), (500, None));
    a_code_leaves(&host, "GET").await
}
