//! Capturing the code from the host's redirect: which answers go, which do not, and what goes in their place.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::common::{CHALLENGE, CODE, House, VERIFIER, redeem};
use pkce_core::adapter::{Body, CaptureRejection, HostResponse, Request};
use pkce_core::{ClearanceKind, CodeChallengeMethod, MemoryStore, Pkce, Policy, Reason};

const TARGET: &str = "https://app.example/cb";
const FORM: (&str, &[u8]) = ("content-type", b"application/x-www-form-urlencoded");

fn query(more: &str) -> String {
    format!(
        "response_type=code&client_id=spa&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&state=s%26t\
         &code_challenge={CHALLENGE}&code_challenge_method=S256{more}"
    )
}

fn get(query: &str) -> Request<'_> {
    Request::new("GET", Body::Complete(b"")).query(Some(query))
}

/// A server without an issuer changes no `Location`.
async fn capture(pkce: &Pkce, request: Request<'_>, answer: HostResponse<'_>) -> Result<(), CaptureRejection> {
    let captured = pkce.capture(&pkce.capture_request(&request).unwrap(), &answer).await;
    captured.map(|location| assert_eq!(location, None))
}

fn redirect(status: u16, location: &str) -> HostResponse<'_> {
    HostResponse::new(status).header("Location", location.as_bytes())
}

/// The reason, and where the error redirect leads.
fn told(captured: Result<(), CaptureRejection>) -> (Option<Reason>, Option<String>) {
    match captured {
        Ok(()) => (None, None),
        Err(refusal) => {
            (Some(refusal.rejection().reason()), refusal.redirect().map(|redirect| redirect.location().to_owned()))
        }
    }
}

#[tokio::test]
async fn a_code_in_the_query_or_the_fragment_is_bound_to_the_challenge_of_its_request() {
    for location in [
        format!("{TARGET}?code={CODE}&state=s"),
        format!("{TARGET}?state=s&c%6fde={CODE}"),
        format!("{TARGET}#code={CODE}&id_token=x"),
        format!("{TARGET}?x=y#code={CODE}"),
        format!("{TARGET}?code={CODE}#_=_"),
        format!("HTTPS://APP.example:443/cb?code={CODE}"),
    ] {
        for status in [302, 303] {
            let pkce = House::new().server(Policy::new());
            assert_eq!(capture(&pkce, get(&query("")), redirect(status, &location)).await, Ok(()), "{location}");
            assert_eq!(redeem(&pkce, None).await, Err(Reason::VerifierMissing));
            let verified = ClearanceKind::Verified(CodeChallengeMethod::S256);
            assert_eq!(redeem(&pkce, Some(VERIFIER)).await, Ok(verified), "{location}");
        }
    }
}

#[tokio::test]
async fn an_authorization_response_without_an_issuer_gets_that_of_the_server() {
    const ISS: &str = "&iss=https%3A%2F%2Fas.example";
    for (location, expected) in [
        ("https://app.example/cb?code=CODE", Some("https://app.example/cb?code=CODE&iss")),
        ("https://app.example/cb?code=CODE&state=s#_=_", Some("https://app.example/cb?code=CODE&state=s&iss#_=_")),
        ("https://app.example/cb#code=CODE", Some("https://app.example/cb#code=CODE&iss")),
        ("https://app.example/cb?x=y#code=CODE", Some("https://app.example/cb?x=y#code=CODE&iss")),
        ("https://app.example/cb?error=access_denied", Some("https://app.example/cb?error=access_denied&iss")),
        ("https://app.example/cb#error=access_denied", Some("https://app.example/cb#error=access_denied&iss")),
        ("https://app.example/cb#access_token=x", Some("https://app.example/cb#access_token=x&iss")),
        ("https://app.example/cb#id_token=x", Some("https://app.example/cb#id_token=x&iss")),
        // It has one already, whatever it says.
        ("https://app.example/cb?code=CODE&iss=https%3A%2F%2Fother.example", None),
        ("https://app.example/cb?iss=&code=CODE", None),
        ("https://app.example/cb#iss=x&error=access_denied", None),
        // It is no response to the client.
        ("https://app.example/cb", None),
        ("https://app.example/cb?state=s", None),
        ("https://evil.example/cb?error=access_denied", None),
        ("/login?error=access_denied", None),
        ("/login", None),
    ] {
        let pkce = House::new().builder(Policy::new()).issuer("https://as.example").build();
        let asked = pkce.capture_request(&get(&query(""))).unwrap();
        let captured = pkce.capture(&asked, &redirect(303, location)).await;
        assert_eq!(captured, Ok(expected.map(|expected| expected.replace("&iss", ISS))), "{location}");
    }
}

#[tokio::test]
async fn without_a_redirect_uri_only_an_absolute_location_leads_to_the_client() {
    let policy = Policy::new().allow_missing_redirect_uri();
    let pkce = House::new().builder(policy).issuer("https://as.example").build();
    let authorization = format!("response_type=code&code_challenge={CHALLENGE}&code_challenge_method=S256");
    for (query, location, is_completed) in [
        (authorization.as_str(), "https://app.example/cb?error=access_denied", true),
        (&authorization, "/consent?error=access_denied", false),
        ("", "https://app.example/cb?error=access_denied", false),
        ("", "/login?error=expired", false),
    ] {
        let asked = pkce.capture_request(&get(query)).unwrap();
        let captured = pkce.capture(&asked, &redirect(303, location)).await.unwrap();
        let expected = is_completed.then(|| format!("{location}&iss=https%3A%2F%2Fas.example"));
        assert_eq!(captured, expected, "{query} {location}");
    }
}

#[tokio::test]
async fn a_code_is_decoded_as_the_client_decodes_it() {
    let pkce = Pkce::new(MemoryStore::new());
    let location = format!("{TARGET}?code=a%2Bb+c%2F%3D");
    capture(&pkce, get(&query("")), redirect(303, &location)).await.unwrap();
    assert!(pkce.redeem("a+b c/=", Some(VERIFIER)).await.is_ok());
}

#[tokio::test]
async fn an_answer_without_a_code_passes_whatever_the_request() {
    let html = ("content-type", &b"text/html"[..]);
    for query in ["", "code_challenge=x", "response_type=token", &query(""), &query("&code_challenge=x")] {
        for answer in [
            HostResponse::new(200).header(html.0, html.1),
            HostResponse::new(400).header("content-type", b"application/json"),
            redirect(303, "/login?next=%2Fauthorize%3Fresponse_type%3Dcode%26code_challenge%3Dx"),
            redirect(302, "/login?response_type=code&code_challenge=x&client_id=spa"),
            redirect(307, "https://app.example/cb?error=access_denied&error_description=no+code&state=s"),
            redirect(303, "https://app.example/cb#error=login_required"),
            redirect(302, "https://evil.example/"),
            redirect(302, "https://app.example/cb?response=none&state=eyJhbGciOiJub25lIn0"),
            HostResponse::new(303).header("location", b"/a").header("location", b"/b"),
            HostResponse::new(303).header("location", b"/\xff").header("set-cookie", b"a=b; code=c"),
        ] {
            let house = House::new();
            assert_eq!(capture(&house.server(Policy::new()), get(query), answer).await, Ok(()), "{query} {answer:?}");
            assert_eq!(house.calls(), Vec::<&str>::new());
        }
    }
}

#[tokio::test]
async fn a_code_for_another_target_does_not_leave_and_nobody_is_redirected() {
    for location in [
        "https://evil.example/cb?code=c",
        "https://app.example.evil.example/cb?code=c",
        "https://app.example@evil.example/cb?code=c",
        "https://app.example/cb/../x?code=c",
        "https://app.example/cb%2F?code=c",
        "https://app.example/cb/?code=c",
        "https://app.example/CB?code=c",
        "https://app.example/cbx?code=c",
        "https://app.example/?code=c",
        "https://app.example:444/cb?code=c",
        "http://app.example/cb?code=c",
        "http://app.example:443/cb?code=c",
        "https:/app.example/cb?code=c",
        "https:app.example/cb?code=c",
        "https:\\\\app.example/cb?code=c",
        "//app.example/cb?code=c",
        "/cb?code=c",
        "?code=c",
        "#code=c",
        " https://app.example/cb?code=c",
        "https://app.exam\tple/cb?code=c",
    ] {
        let house = House::new();
        let pkce = house.server(Policy::new());
        let captured = told(capture(&pkce, get(&query("")), redirect(303, location)).await);
        assert_eq!(captured, (Some(Reason::CodeForOtherTarget), None), "{location}");
        assert_eq!(house.calls(), Vec::<&str>::new());
    }
}

#[tokio::test]
async fn the_query_of_the_redirect_uri_is_part_of_the_target() {
    let request = query("").replace("%2Fcb", "%2Fcb%3Ftenant%3D7");
    for (behind, reason) in [
        ("?tenant=7&code=c", None),
        ("?tenant=7#code=c", None),
        ("?code=c&tenant=7", Some(Reason::CodeForOtherTarget)),
        ("?tenant=77&code=c", Some(Reason::CodeForOtherTarget)),
        ("?tenant=8&code=c", Some(Reason::CodeForOtherTarget)),
        ("?code=c", Some(Reason::CodeForOtherTarget)),
        ("#code=c", Some(Reason::CodeForOtherTarget)),
        ("#?tenant=7&code=c", Some(Reason::CodeForOtherTarget)),
    ] {
        let pkce = Pkce::new(MemoryStore::new());
        let captured = capture(&pkce, get(&request), redirect(303, &format!("{TARGET}{behind}"))).await;
        assert_eq!(told(captured).0, reason, "{behind}");
    }
    // It stays in front of the error.
    let strict = Pkce::new(MemoryStore::builder().capacity(0).build());
    let captured = capture(&strict, get(&request), redirect(303, &format!("{TARGET}?tenant=7&code=c"))).await;
    assert!(told(captured).1.unwrap().starts_with("https://app.example/cb?tenant=7&error=temporarily_unavailable&"));
}

#[tokio::test]
async fn other_schemes_are_targets_too() {
    for (uri, location, reason) in [
        ("com.example.app%3A%2Fcb", "com.example.app:/cb?code=c", None),
        ("com.example.app%3A%2Fcb", "com.example.app:/cb/x?code=c", Some(Reason::CodeForOtherTarget)),
        ("com.example.app%3A%2Fcb", "com.example.app.evil:/cb?code=c", Some(Reason::CodeForOtherTarget)),
        ("com.example.app%3A%2Fcb", "com.example.app:///cb?code=c", Some(Reason::CodeForOtherTarget)),
        ("app%3A%2F%2F", "app:?code=c", Some(Reason::CodeForOtherTarget)),
        ("app%3A%2F%2Fcb", "app://cb/?code=c", Some(Reason::CodeForOtherTarget)),
        ("app%3A%2F%2Fcb", "app://cb?code=c", None),
        ("http%3A%2F%2F127.0.0.1%3A8765%2Fcb", "http://127.0.0.1:8765/cb?code=c", None),
        ("http%3A%2F%2F127.0.0.1%3A8765%2Fcb", "http://127.0.0.1:8766/cb?code=c", Some(Reason::CodeForOtherTarget)),
        ("http%3A%2F%2F%5B%3A%3A1%5D%3A80", "http://[::1]/?code=c", None),
        ("https%3A%2F%2Fa%2Fcb%23f", "https://a/cb#f?code=c", Some(Reason::CodeForOtherTarget)),
        ("https%3A%2F%2Fa%2Fcb%zz", "https://a/cb%zz?code=c", Some(Reason::CodeForOtherTarget)),
        ("%2Fcb", "/cb?code=c", Some(Reason::CodeForOtherTarget)),
    ] {
        let request = query("").replace("https%3A%2F%2Fapp.example%2Fcb", uri);
        let captured = capture(&Pkce::new(MemoryStore::new()), get(&request), redirect(303, location)).await;
        assert_eq!(told(captured).0, reason, "{location}");
    }
}

#[tokio::test]
async fn a_code_that_cannot_be_read_does_not_leave() {
    let long = format!("{TARGET}?code={}", "x".repeat(4097));
    for location in [
        "https://app.example/cb?code=c&code=d",
        "https://app.example/cb?code=c&code=c",
        "https://app.example/cb?code=c&c%6Fde=d",
        "https://app.example/cb?code=c#code=d",
        "https://app.example/cb?code=c;code=d",
        "https://app.example/cb?state=x?code=c",
        "https://app.example/cb?x=y;code=c",
        "https://app.example/cb?Code=c",
        "https://app.example/cb?%20code=c",
        "https://app.example/cb#/?code=c",
        "https://app.example/cb?code=",
        "https://app.example/cb?code=%",
        "https://app.example/cb?code=%ff",
        "https://app.example/cb?code=%0D%0AX",
        "https://app.example/cb?response=eyJhbGciOiJub25lIn0.e30.",
        "https://app.example/cb#response=eyJhbGciOiJub25lIn0.e30.",
        "https://app.example/cb?r%65sponse=%65%79JhbGciOiJub25lIn0.e30.",
        &long,
    ] {
        let pkce = Pkce::new(MemoryStore::new());
        let (reason, to) = told(capture(&pkce, get(&query("")), redirect(303, location)).await);
        assert_eq!(reason, Some(Reason::CodeUnreadable), "{location}");
        let to = to.unwrap();
        assert!(to.contains("error=server_error") && !to.contains("code="), "{to}");
    }
}

#[tokio::test]
async fn a_code_in_any_other_answer_does_not_leave() {
    let good = format!("{TARGET}?code=c");
    for (answer, reason, redirects) in [
        (redirect(301, &good), Reason::RedirectStatus, true),
        (redirect(308, &good), Reason::RedirectStatus, true),
        (redirect(200, &good), Reason::RedirectStatus, false),
        (redirect(400, &good), Reason::RedirectStatus, false),
        (redirect(303, &good).header("location", b"/x"), Reason::CodeUnreadable, false),
        (redirect(303, &good).header("LOCATION", good.as_bytes()), Reason::CodeUnreadable, false),
        (redirect(303, &good).header("refresh", b"0; url=/?code=c"), Reason::CodeUnreadable, true),
        (HostResponse::new(200).header("refresh", b"0; url=https://a/?code=c"), Reason::CodeUnreadable, false),
        (HostResponse::new(204).header("hx-redirect", b"https://a/?code=c"), Reason::CodeUnreadable, false),
        (redirect(303, "https://app.example/cb?code=c&x=\u{e9}"), Reason::StoreUnavailable, true),
    ] {
        let pkce = Pkce::new(MemoryStore::builder().capacity(0).build());
        let (refused, to) = told(capture(&pkce, get(&query("")), answer).await);
        assert_eq!((refused, to.is_some()), (Some(reason), redirects), "{answer:?}");
    }
}

#[tokio::test]
async fn without_an_acceptable_challenge_the_host_has_to_validate_the_target_first() {
    let base = "client_id=spa&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&state=s";
    for (more, reason) in [
        ("", Reason::ChallengeRequired),
        ("&code_challenge=x&code_challenge_method=S256", Reason::ChallengeMalformed),
        ("&code_challenge=$C", Reason::ChallengeMethod),
        ("&code_challenge=$C&code_challenge_method=plain", Reason::ChallengeMethod),
        ("&code_challenge=$C&code_challenge=$C&code_challenge_method=S256", Reason::DuplicateParameter),
        ("&code_challenge=$C&code_challenge_method=S256&request=eyJ", Reason::RequestObject),
        ("&code_challenge=$C&code_challenge_method=S256&response_type=token", Reason::ResponseTypeWithoutCode),
    ] {
        let request = format!("{base}{}", more.replace("$C", CHALLENGE));
        let house = House::new();
        let pkce = house.server(Policy::new());
        let (refused, to) = told(capture(&pkce, get(&request), redirect(302, &format!("{TARGET}?code=c"))).await);
        assert_eq!(refused, Some(reason));
        assert!(to.unwrap().starts_with("https://app.example/cb?error=invalid_request&error_description="), "{more}");
        let (refused, to) = told(capture(&pkce, get(&request), redirect(302, "https://evil.example/cb?code=c")).await);
        assert_eq!((refused, to), (Some(reason), None), "{more}");
        assert_eq!(house.calls(), Vec::<&str>::new());
    }
}

#[tokio::test]
async fn the_error_redirect_has_the_state_of_the_request_and_the_issuer_of_the_host() {
    let pkce = Pkce::new(MemoryStore::builder().capacity(0).build());
    let host = format!("{TARGET}?code=c&state=forged&iss=https%3A%2F%2Fas.example");
    let captured = capture(&pkce, get(&query("")), redirect(302, &host)).await;
    let rejection = captured.unwrap_err();
    let sent = rejection.redirect().unwrap();
    assert_eq!(sent.status(), 302);
    assert_eq!(
        sent.location(),
        "https://app.example/cb?error=temporarily_unavailable\
         &error_description=the%20server%20cannot%20check%20the%20request%20now\
         &state=s%26t&iss=https%3A%2F%2Fas.example"
    );
    assert!(sent.headers().any(|header| header == ("cache-control", "no-store")));
    assert!(!format!("{rejection:?}").contains("s%26t"));

    let captured = capture(&pkce, get(&query("")), redirect(303, &format!("{TARGET}#code=c&iss=i&iss=j"))).await;
    let sent = captured.as_ref().unwrap_err().redirect().unwrap();
    let to = sent.location();
    assert_eq!(sent.status(), 303);
    assert!(to.starts_with("https://app.example/cb#error=") && !to.contains("iss="), "{to}");
}

#[tokio::test]
async fn the_error_redirect_has_the_error_where_the_host_had_the_code() {
    for (host, end) in [("?code=c", '?'), ("?x#code=c", '#'), ("?code=c#code=c", '?'), ("?code=c&code=d", '?')] {
        let pkce = Pkce::new(MemoryStore::builder().capacity(0).build());
        let captured = capture(&pkce, get(&query("")), redirect(303, &format!("{TARGET}{host}"))).await;
        let (_, to) = told(captured);
        assert!(to.as_ref().is_some_and(|to| to.starts_with(&format!("{TARGET}{end}error="))), "{host}: {to:?}");
    }
}

#[tokio::test]
async fn a_state_cannot_break_out_of_the_error_redirect() {
    let pkce = Pkce::new(MemoryStore::builder().capacity(0).build());
    for (state, told_as) in [
        ("a%0D%0ASet-Cookie%3A%20x%3Dy", Some("a%0D%0ASet-Cookie%3A%20x%3Dy")),
        ("a%26code%3Dforged%23", Some("a%26code%3Dforged%23")),
        ("100%", Some("100%25")),
        ("a+b", Some("a%20b")),
        ("%ff", None),
        ("a&state=b", None),
        ("", None),
    ] {
        let request = query("").replace("s%26t", state);
        let captured = capture(&pkce, get(&request), redirect(303, &format!("{TARGET}?code=c"))).await;
        let (_, to) = told(captured);
        let to = to.unwrap();
        assert_eq!(to.split_once("&state=").map(|(_, state)| state), told_as, "{to}");
        assert!(to.bytes().all(|octet| octet.is_ascii_graphic()));
    }
}

#[tokio::test]
async fn a_request_without_a_redirect_uri_is_captured_only_if_told_so() {
    let request = format!("code_challenge={CHALLENGE}&code_challenge_method=S256");
    let (strict, lenient) = (Policy::new(), Policy::new().allow_missing_redirect_uri());
    for (policy, location, reason) in [
        (&strict, "https://app.example/cb?code=c", Some(Reason::RedirectUriMissing)),
        (&lenient, "https://app.example/cb?code=c", None),
        (&lenient, "/cb?code=c", Some(Reason::CodeForOtherTarget)),
        (&lenient, "https://app.example/cb?code=c&code=d", Some(Reason::CodeUnreadable)),
    ] {
        let pkce = House::new().server(policy.clone());
        let captured = told(capture(&pkce, get(&request), redirect(303, location)).await);
        assert_eq!(captured, (reason, None), "{location}");
    }
    // One that stands there twice is not missing.
    let twice = format!("{request}&redirect_uri=https%3A%2F%2Fa&redirect_uri=https%3A%2F%2Fb");
    let pkce = House::new().server(lenient);
    let captured = told(capture(&pkce, get(&twice), redirect(303, "https://a?code=c")).await);
    assert_eq!(captured, (Some(Reason::DuplicateParameter), None));
}

#[tokio::test]
async fn the_parameters_of_a_post_stand_in_the_query_or_in_the_form_or_the_same_in_both() {
    let all = query("");
    let other = all.replace(CHALLENGE, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let elsewhere = all.replace("app.example", "evil.example");
    for (query, form, reason) in [
        (all.as_str(), "decision=allow", None),
        (all.as_str(), "", None),
        ("", all.as_str(), None),
        (&all, &all, None),
        (&all, &all.replace("%3A", ":"), None),
        (&all, &other, Some(Reason::DuplicateParameter)),
        (&all, &elsewhere, Some(Reason::DuplicateParameter)),
        ("", "decision=allow", Some(Reason::ChallengeRequired)),
    ] {
        let pkce = Pkce::new(MemoryStore::new());
        let request = Request::new("POST", Body::Complete(form.as_bytes())).query(Some(query)).header(FORM.0, FORM.1);
        let captured = capture(&pkce, request, redirect(303, &format!("{TARGET}?code=c"))).await;
        assert_eq!(told(captured).0, reason, "{query} {form}");
    }
    let pkce = Pkce::new(MemoryStore::new());
    for (method, content_type, reason) in
        [("POST", "application/json", Reason::ContentType), ("PUT", "text/plain", Reason::AuthorizationMethod)]
    {
        let request = Request::new(method, Body::Complete(b"{}")).query(Some(&all));
        let request = request.header("content-type", content_type.as_bytes());
        let captured = capture(&pkce, request, redirect(303, &format!("{TARGET}?code=c"))).await;
        assert_eq!(told(captured).0, Some(reason));
    }
}

#[test]
fn what_the_answer_could_not_be_read_for_is_refused_before_the_host_runs() {
    let pkce = Pkce::new(MemoryStore::new());
    let refused = |request: Request<'_>| pkce.capture_request(&request).err().map(|rejection| rejection.reason());
    for (mode, reason) in [
        ("query", None),
        ("fragment", None),
        ("", None),
        ("form_post", Some(Reason::ResponseMode)),
        ("form%5Fpost", Some(Reason::ResponseMode)),
        ("jwt", Some(Reason::ResponseMode)),
        ("query.jwt", Some(Reason::ResponseMode)),
        ("form_post.jwt", Some(Reason::ResponseMode)),
        ("web_message", Some(Reason::ResponseMode)),
        ("Query", Some(Reason::ResponseMode)),
        ("query&response_mode=query", Some(Reason::ResponseMode)),
    ] {
        let (code, token) =
            (query(&format!("&response_mode={mode}")), format!("response_type=token&response_mode={mode}"));
        assert_eq!((refused(get(&code)), refused(get(&token))), (reason, None), "{mode}");
    }
    for (body, reason) in [
        (Body::TooLarge, Reason::BodyTooLarge),
        (Body::TimedOut, Reason::BodyTimedOut),
        (Body::Failed, Reason::MalformedBody),
    ] {
        assert_eq!(refused(Request::new("POST", body).header(FORM.0, FORM.1)), Some(reason));
    }
}

#[tokio::test]
async fn a_code_is_captured_once() {
    let pkce = Pkce::new(MemoryStore::new());
    let location = format!("{TARGET}?code=c");
    assert_eq!(capture(&pkce, get(&query("")), redirect(303, &location)).await, Ok(()));
    let again = told(capture(&pkce, get(&query("")), redirect(303, &location)).await);
    assert_eq!(again.0, Some(Reason::CodeAlreadyBound));
}

#[tokio::test]
async fn a_client_that_may_leave_out_the_challenge_gets_a_code_bound_to_none() {
    let pkce = House::new().server(Policy::new().allow_missing_challenge());
    let request = "redirect_uri=https%3A%2F%2Fapp.example%2Fcb";
    let location = format!("{TARGET}?code={CODE}");
    assert_eq!(capture(&pkce, get(request), redirect(303, &location)).await, Ok(()));
    assert_eq!(redeem(&pkce, None).await, Ok(ClearanceKind::WithoutChallenge));
    // Malformed is not missing.
    let malformed = format!("{request}&code_challenge=x&code_challenge_method=S256");
    let captured = capture(&pkce, get(&malformed), redirect(303, &location)).await;
    assert_eq!(told(captured).0, Some(Reason::ChallengeMalformed));
}

#[tokio::test]
async fn a_roll_out_lets_pass_what_it_reports_and_no_more() {
    let base = "redirect_uri=https%3A%2F%2Fapp.example%2Fcb";
    let good = format!("{TARGET}?code=c");
    let post_form = format!("{base}&response_mode=form_post");
    for (request, answer, reason) in [
        (base, redirect(303, &good), None),
        (post_form.as_str(), redirect(303, &good), None),
        (base, HostResponse::new(200).header("content-type", b"application/json"), None),
        ("", redirect(303, &good), None),
        (&query(""), redirect(301, &good), None),
        (&query(""), redirect(303, "https://evil.example/?code=c"), Some(Reason::CodeForOtherTarget)),
        (&query("&code_challenge=x"), redirect(303, &good), Some(Reason::DuplicateParameter)),
        (&query("&request=x"), redirect(303, &good), Some(Reason::RequestObject)),
    ] {
        let house = House::new();
        let pkce = house.server(Policy::new().report_only());
        assert_eq!(told(capture(&pkce, get(request), answer).await).0, reason, "{request} {answer:?}");
        assert_eq!(house.calls(), Vec::<&str>::new(), "{request}");
    }
    // Who does PKCE is protected meanwhile.
    let pkce = House::new().server(Policy::new().report_only());
    capture(&pkce, get(&query("")), redirect(303, &format!("{TARGET}?code={CODE}"))).await.unwrap();
    assert_eq!(redeem(&pkce, None).await, Err(Reason::VerifierWithheld));
}

#[tokio::test]
async fn what_a_browser_parses_alike_is_the_same_target() {
    for (uri, location) in [
        ("https://app.example/cb", "HTTPS://APP.EXAMPLE:443/x/../cb?code=c"),
        ("https://app.example/it's", "https://app.example/it's?code=c"),
        ("https://app.example/cb?q=it's", "https://app.example/cb?q=it%27s&code=c"),
        ("https://app.example/cb?q=a%20b", "https://app.example/cb?q=a+b&code=c"),
        ("https://app.example/cb?q=a+b", "https://app.example/cb?q=a%20b&code=c"),
        ("https://app.example/cb?a=1&b=2", "https://app.example/cb?a=1&b=2&code=c"),
        ("https://app.example", "https://app.example/?code=c"),
        ("https://b\u{fc}cher.example/cb", "https://xn--bcher-kva.example/cb?code=c"),
        ("http://127.1/cb", "http://127.0.0.1/cb?code=c"),
        ("com.example.app:/cb", "com.example.app:/cb?code=c"),
        ("http://[::1]:3000/cb", "http://[0:0:0:0:0:0:0:1]:3000/cb?code=c"),
    ] {
        let house = House::new();
        let pkce = house.server(Policy::new());
        let request = query("").replace("https%3A%2F%2Fapp.example%2Fcb", &encoded(uri));
        assert_eq!(capture(&pkce, get(&request), redirect(303, location)).await, Ok(()), "{uri} {location}");
        assert_eq!(house.calls(), ["insert"]);
    }
    for (uri, location) in [
        ("https://app.example/cb?a=1&b=2", "https://app.example/cb?b=2&a=1&code=c"),
        ("https://app.example/cb?a=1", "https://app.example/cb?code=c&a=1"),
        ("https://app.example/cb?a=1", "https://app.example/cb?a=1%26x&code=c"),
        ("https://app.example/cb?a=1", "https://app.example/cb?a=12&code=c"),
        ("https://app.example/cb?a=1", "https://app.example/cb?code=c"),
        ("https://app.example/a%2Fcb", "https://app.example/a/cb?code=c"),
        ("https://app.example/cb#f", "https://app.example/cb?code=c"),
        ("https://app.example/cb", "https://app.example./cb?code=c"),
        ("com.example.app:/cb", "com.example.app:/CB?code=c"),
    ] {
        let pkce = House::new().server(Policy::new());
        let request = query("").replace("https%3A%2F%2Fapp.example%2Fcb", &encoded(uri));
        let captured = capture(&pkce, get(&request), redirect(303, location)).await;
        assert_eq!(told(captured).0, Some(Reason::CodeForOtherTarget), "{uri} {location}");
    }
}

fn encoded(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

#[tokio::test]
async fn a_307_may_answer_a_get_and_nothing_else() {
    let good = format!("{TARGET}?code=c");
    for (method, expected) in [("GET", None), ("HEAD", None), ("POST", Some(Reason::RedirectStatus))] {
        let pkce = House::new().server(Policy::new());
        let parameters = query("");
        let request = Request::new(method, Body::Complete(b"")).query(Some(&parameters));
        assert_eq!(told(capture(&pkce, request, redirect(307, &good)).await).0, expected, "{method}");
    }
}

#[tokio::test]
async fn an_error_response_and_a_document_pass_whatever_they_hold() {
    for (request, response) in [
        (query(""), redirect(303, "https://app.example/cb?error=access_denied&code=c")),
        (query(""), redirect(303, "https://app.example/cb#code=c&error=access_denied")),
        (query(""), HostResponse::new(200).header("content-type", b"application/json")),
        (query(""), HostResponse::new(401).header("content-type", b"application/json")),
        (query("&response_type=token"), HostResponse::new(200).header("content-type", b"application/jwt")),
        (String::new(), HostResponse::new(200).header("content-type", b"application/json")),
    ] {
        let house = House::new();
        let pkce = house.server(Policy::new());
        assert_eq!(capture(&pkce, get(&request), response).await, Ok(()), "{response:?}");
        assert_eq!(house.calls(), Vec::<&str>::new());
    }
}

/// Whatever the host does that enforcement rejects.
#[tokio::test]
async fn report_only_changes_nothing_for_a_client_without_pkce() {
    let base = "response_type=code&client_id=spa&state=s";
    for (request, location) in [
        ("redirect_uri=https%3A%2F%2Fapp.example%2Fcb%3Fa%3D1%26b%3D2", "https://app.example/cb?b=2&a=1&code=c"),
        ("redirect_uri=https%3A%2F%2Fapp.example%2Fcb%3Fq%3Da%2520b", "https://app.example/cb?q=a+b&code=c"),
        ("redirect_uri=https%3A%2F%2Fb%C3%BCcher.example%2Fcb", "https://xn--bcher-kva.example/cb?code=c"),
        ("redirect_uri=https%3A%2F%2Fapp.example%2Fcb", "/cb?code=c"),
        ("redirect_uri=https%3A%2F%2Fapp.example%2Fcb", "/login?code=4711"),
        ("redirect_uri=https%3A%2F%2Fapp.example%2Fcb", "https://evil.example/cb?code=c"),
        ("", "https://app.example/cb?code=c&code=d"),
        ("redirect_uri=a&redirect_uri=b", "https://app.example/cb?code=c"),
        ("request=eyJ", "https://app.example/cb?code=c"),
        ("response_type=token", "https://app.example/cb?code=c"),
        ("response_mode=form_post", "https://app.example/cb?code=c"),
    ] {
        let house = House::new();
        let pkce = house.server(Policy::new().report_only());
        let request = format!("{base}&{request}");
        for status in [200, 301, 302, 303, 307, 308] {
            let captured = capture(&pkce, get(&request), redirect(status, location)).await;
            assert_eq!(captured, Ok(()), "{request} {status} {location}");
        }
        assert_eq!(house.calls(), Vec::<&str>::new());
    }
}

#[tokio::test]
async fn in_a_roll_out_a_client_that_sends_half_of_pkce_is_one_with_pkce() {
    let base = "redirect_uri=https%3A%2F%2Fapp.example%2Fcb";
    let challenge = format!("code_challenge={CHALLENGE}");
    for (half, reason) in [
        ("", None),
        (challenge.as_str(), Some(Reason::CodeForOtherTarget)),
        ("code_challenge_method=S256", Some(Reason::CodeForOtherTarget)),
    ] {
        let pkce = House::new().server(Policy::new().report_only());
        let request = format!("{base}&{half}");
        let captured = capture(&pkce, get(&request), redirect(303, "https://evil.example/cb?code=c")).await;
        assert_eq!(told(captured).0, reason, "{half}");
    }
}

#[test]
fn of_the_response_that_an_error_replaces_only_the_cookies_are_kept() {
    for (name, is_kept) in [
        ("set-cookie", true),
        ("Set-Cookie", true),
        ("cookie", false),
        ("set-cookie2", false),
        ("location", false),
        ("content-type", false),
        ("", false),
    ] {
        assert_eq!(CaptureRejection::keeps_header(name), is_kept, "{name}");
    }
}

#[test]
fn only_the_body_of_a_form_that_fits_is_read() {
    let pkce = Pkce::new(MemoryStore::new());
    let post = |content_type| Request::new("POST", Body::Complete(b"")).header("content-type", content_type);
    for (request, announced, read) in [
        (post(FORM.1), Some(16 * 1024), true),
        (post(FORM.1), None, true),
        (post(b"application/x-www-form-urlencoded; charset=ISO-8859-1"), Some(1), true),
        (post(FORM.1), Some(16 * 1024 + 1), false),
        (post(b"application/json"), Some(1), false),
        (post(b"multipart/form-data; boundary=x"), Some(1), false),
        (post(b"application/octet-stream"), None, false),
        (Request::new("POST", Body::Complete(b"")), None, false),
        (Request::new("PUT", Body::Complete(b"")).header(FORM.0, FORM.1), Some(1), false),
        (Request::new("GET", Body::Complete(b"")).header(FORM.0, FORM.1), Some(1), false),
    ] {
        assert_eq!(pkce.captures_body(&request, announced), read, "{request:?}");
    }
}

#[tokio::test]
async fn a_body_that_was_not_read_is_not_taken_for_an_empty_one() {
    let house = House::new();
    let pkce = house.server(Policy::new().allow_missing_challenge());
    let parameters = "redirect_uri=https%3A%2F%2Fapp.example%2Fcb";
    let location = format!("{TARGET}?code=c");
    for content_type in [FORM.1, b"application/json"] {
        let request = Request::new("POST", Body::Unread).query(Some(parameters)).header(FORM.0, content_type);
        let captured = told(capture(&pkce, request, redirect(303, &location)).await);
        assert!(captured.0.is_some(), "a challenge may be in it");
    }
    assert_eq!(house.calls(), Vec::<&str>::new());
    let request = Request::new("GET", Body::Unread).query(Some(parameters));
    assert_eq!(capture(&pkce, request, redirect(303, &location)).await, Ok(()));
}

#[tokio::test]
async fn a_tab_that_browsers_drop_hides_no_code() {
    for location in [
        "https://app.example/cb?co\tde=c",
        "https://app.example/cb?x=y#\tcode=c",
        "https://app.example/cb?c%\t6fde=c",
        "https://app.example/cb?c%6\tfde=c",
        "https://app.example/cb?response=e\tyJhbGciOiJub25lIn0.e30.",
    ] {
        let house = House::new();
        let captured = capture(&house.server(Policy::new()), get(&query("")), redirect(303, location)).await;
        assert!(told(captured).0.is_some(), "{location:?}");
    }
}

#[tokio::test]
async fn a_post_without_a_body_needs_no_content_type_and_the_body_of_a_get_is_not_read() {
    let (parameters, location) = (query(""), format!("{TARGET}?code={CODE}"));
    for (method, body) in [("POST", &b""[..]), ("GET", b"code_challenge=another"), ("GET", b"{}")] {
        let house = House::new();
        let request = Request::new(method, Body::Complete(body)).query(Some(&parameters));
        assert_eq!(capture(&house.server(Policy::new()), request, redirect(303, &location)).await, Ok(()), "{method}");
        assert_eq!(house.calls(), ["insert"], "{method}");
    }
}

#[tokio::test]
async fn of_any_other_request_only_a_redirect_to_a_client_is_judged() {
    let pkce = Pkce::new(MemoryStore::new());
    for response in [
        HostResponse::new(200).header("link", b"</countries?code=de&page=2>; rel=\"next\""),
        HostResponse::new(201).header("location", b"/coupons?code=5"),
        HostResponse::new(200).header("content-location", b"/countries?code=de"),
        HostResponse::new(200).header("x-request-url", b"https://a.example/x?code=de"),
        redirect(308, "/slash/?code=G"),
        redirect(303, "/login?code=G"),
    ] {
        for request in ["", "state=s", "response_mode=x"] {
            assert_eq!(capture(&pkce, get(request), response).await, Ok(()), "{request} {response:?}");
        }
    }
    let captured = capture(&pkce, get("state=s"), redirect(303, "https://app.example/cb?code=c")).await;
    assert!(told(captured).0.is_some(), "it may be a code");
}

#[tokio::test]
async fn an_error_of_the_targets_own_query_or_beside_the_code_hides_no_code() {
    let query = query("").replace("https%3A%2F%2Fapp.example%2Fcb", "https%3A%2F%2Fapp.example%2Fcb%3Ferror%3Dx");
    for (request, location) in
        [(query.clone(), "https://app.example/cb?error=x&code=c"), (query, "https://app.example/cb?error=x#code=c")]
    {
        let house = House::new();
        let pkce = house.server(Policy::new());
        assert_eq!(capture(&pkce, get(&request), redirect(303, location)).await, Ok(()));
        assert_eq!(house.calls(), ["insert"], "it is bound");
    }
}

/// Otherwise the code would be bound to no client, and any client could redeem it.
#[tokio::test]
async fn a_code_for_a_client_that_readers_read_differently_does_not_leave() {
    let good = format!("{TARGET}?code={CODE}");
    let rest = query("").replace("&client_id=spa", "");
    for (client, reason) in [
        ("client_id=spa", None),
        ("client_id=", None),
        ("client_id=spa&client_id=mallory", Some(Reason::DuplicateParameter)),
        ("client_id=spa&client%5fid=spa", Some(Reason::DuplicateParameter)),
        ("client_id=spa%", Some(Reason::BindingInvalid)),
        ("client_id=%ff", Some(Reason::BindingInvalid)),
    ] {
        let asked = format!("{rest}&{client}");
        let captured = told(capture(&House::new().server(Policy::new()), get(&asked), redirect(303, &good)).await);
        assert_eq!((captured.0, captured.1.is_some()), (reason, reason.is_some()), "{client}");
        let roll_out = House::new().server(Policy::new().report_only());
        assert_eq!(capture(&roll_out, get(&asked), redirect(303, &good)).await, Ok(()), "{client}");
    }
}
