//! The host's metadata with the layer around it: the member is truthful, and every other one is the host's.

use pkce_core::{MemoryStore, Pkce, Policy};
use pkce_tests::{Adapter, Answer, Connection, DOCUMENT, Immediate, Result, TAG, on_both_servers};

on_both_servers! {
    the_document_says_what_is_enforced_and_all_else_is_as_it_was(own),
    the_issuer_is_that_of_the_responses(own),
    a_json_object_is_a_document_whatever_its_content_type(own),
    a_client_that_has_the_document_gets_it_whole_again(own),
    the_host_is_not_asked_about_bytes_that_are_not_its_own(own),
    a_head_request_gets_the_header_of_a_get(own),
    a_304_gets_no_length_from_the_layer(own),
    what_is_no_document_is_the_hosts_byte_for_byte(own),
    a_document_in_pieces_is_put_together(own),
    a_document_that_breaks_off_or_has_no_end_is_an_error(own),
}

fn host(adapter: Adapter) -> Immediate {
    Immediate::start(adapter, Pkce::new(MemoryStore::new()))
}

async fn ask(host: &Immediate, method: &str, target: &str, headers: &str) -> Result<Answer> {
    let mut connection = Connection::open(host.server.wire).await?;
    let request = format!("{method} {target} HTTP/1.1\r\nhost: as.example\r\n{headers}\r\n");
    connection.send(request.as_bytes()).await?;
    let mut answer = connection.answer(method).await?;
    answer.headers.retain(|(name, _)| name != "date");
    answer.headers.sort();
    Ok(answer)
}

/// The document as it ought to be.
fn truthful(methods: &str) -> String {
    let members = DOCUMENT.lines().map(str::trim).collect::<String>().replace(": ", ":").replace(", ", ",");
    members.replace('}', &format!(",\"code_challenge_methods_supported\":{methods}}}"))
}

async fn the_document_says_what_is_enforced_and_all_else_is_as_it_was(adapter: Adapter) -> Result<()> {
    let host = host(adapter);
    let answer = ask(&host, "GET", "/metadata", "").await?;
    let expected = truthful("[\"S256\"]");
    assert_eq!(answer.text(), expected);
    assert!(expected.contains("\"x\":1.0,\"big\":12345678901234567890123,"));
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    assert_eq!(answer.header("content-length"), Some(&*expected.len().to_string()));
    assert_eq!((answer.header("etag"), answer.header("last-modified")), (None, None));
    assert_eq!(answer.header("cache-control"), Some("max-age=60"));
    let policy = Policy::new().allow_plain();
    let lax = Immediate::start(adapter, Pkce::builder(MemoryStore::new()).policy(policy).build());
    assert_eq!(ask(&lax, "GET", "/metadata", "").await?.text(), truthful("[\"S256\",\"plain\"]"));
    Ok(())
}

async fn the_issuer_is_that_of_the_responses(adapter: Adapter) -> Result<()> {
    let pkce = Pkce::builder(MemoryStore::new()).issuer("https://named.example").build();
    let host = Immediate::start(adapter, pkce);
    let document: serde_json::Value = ask(&host, "GET", "/metadata", "").await?.text().parse()?;
    assert_eq!(document["issuer"], "https://named.example");
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    let query = "response_type=code&client_id=spa&redirect_uri=https%3A%2F%2Fapp.example%2Fcb";
    let said = host.server.wire.get(&format!("/authorize?{query}&do=deny")).await?;
    assert!(said.header("location").is_some_and(|location| location.ends_with("&iss=https%3A%2F%2Fnamed.example")));
    Ok(())
}

async fn a_json_object_is_a_document_whatever_its_content_type(adapter: Adapter) -> Result<()> {
    let host = host(adapter);
    for (asked, content_type) in [
        ("untyped", "application/json"),
        ("text", "application/json"),
        ("page", "application/json"),
        ("charset", "application/json; charset=utf-8"),
        ("suffix", "application/openid-configuration+json"),
    ] {
        let answer = ask(&host, "GET", &format!("/metadata?do={asked}"), "").await?;
        assert_eq!(answer.text(), "{\"code_challenge_methods_supported\":[\"S256\"]}", "{asked}");
        assert_eq!(answer.header("content-type"), Some(content_type), "{asked}");
    }
    Ok(())
}

async fn a_client_that_has_the_document_gets_it_whole_again(adapter: Adapter) -> Result<()> {
    let host = host(adapter);
    for condition in [
        &*format!("if-none-match: {TAG}"),
        "if-none-match: \"x\", W/\"v1\"",
        "if-modified-since: Sun, 06 Nov 2094 08:49:37 GMT",
        "range: bytes=0-1\r\nif-range: \"v1\"",
        "if-match: \"other\"",
    ] {
        let answer = ask(&host, "GET", "/metadata", &format!("{condition}\r\n")).await?;
        assert_eq!((answer.status, answer.text()), (200, truthful("[\"S256\"]")), "{condition}");
    }
    Ok(())
}

async fn the_host_is_not_asked_about_bytes_that_are_not_its_own(adapter: Adapter) -> Result<()> {
    let host = host(adapter);
    let headers = "accept-encoding: gzip\r\nif-modified-since: Sun, 06 Nov 2094 08:49:37 GMT\r\nrange: bytes=0-1\r\n\
                   if-none-match: \"own\", \"other\"\r\n";
    let answer = ask(&host, "GET", "/metadata?do=asked", headers).await?;
    assert_eq!((answer.status, answer.header("x-seen")), (200, Some("")));
    // Another method is not for the document.
    let answer = ask(&host, "POST", "/metadata?do=asked", &format!("content-length: 0\r\n{headers}")).await?;
    assert!(answer.header("x-seen").is_some_and(|seen| seen.starts_with("gzip ")));
    assert_eq!((answer.header("etag"), answer.text().as_str()), (Some(TAG), "{}"));
    Ok(())
}

async fn a_head_request_gets_the_header_of_a_get(adapter: Adapter) -> Result<()> {
    let host = host(adapter);
    for asked in ["", "missing", "html", "text", "large", "stream", "break", "moved", "unsized"] {
        let target = format!("/metadata?do={asked}");
        let (mut get, mut head) = (ask(&host, "GET", &target, "").await?, ask(&host, "HEAD", &target, "").await?);
        for answer in [&mut get, &mut head] {
            answer.headers.retain(|(name, _)| name != "transfer-encoding"); // a HEAD may leave it out
        }
        assert_eq!((get.status, &get.headers), (head.status, &head.headers), "{asked}");
    }
    // It has no body, so the connection goes on.
    let mut connection = Connection::open(host.server.wire).await?;
    for _ in 0..2 {
        connection.send(b"HEAD /metadata HTTP/1.1\r\nhost: as.example\r\n\r\n").await?;
        assert_eq!(connection.answer("HEAD").await?.status, 200);
    }
    Ok(())
}

/// The length in a 304 would be that of the document (RFC 9110, section 8.6).
async fn a_304_gets_no_length_from_the_layer(adapter: Adapter) -> Result<()> {
    let host = host(adapter);
    for method in ["GET", "HEAD"] {
        let answer = ask(&host, method, "/metadata", "if-none-match: *\r\n").await?;
        // axum's router adds 0 to the response to a HEAD, with and without the layer.
        let length = answer.header("content-length").filter(|_| (adapter, method) != (Adapter::Axum, "HEAD"));
        assert_eq!((answer.status, length), (304, None), "{method}");
    }
    Ok(())
}

async fn what_is_no_document_is_the_hosts_byte_for_byte(adapter: Adapter) -> Result<()> {
    let host = host(adapter);
    for asked in ["gzip", "html", "array", "missing", "moved", "malformed", "large"] {
        let answers = [
            ask(&host, "GET", &format!("/bare-metadata?do={asked}"), "").await?,
            ask(&host, "GET", &format!("/metadata?do={asked}"), "").await?,
        ];
        assert!(answers[0] == answers[1], "{asked}");
    }
    Ok(())
}

async fn a_document_in_pieces_is_put_together(adapter: Adapter) -> Result<()> {
    let host = host(adapter);
    let answer = ask(&host, "GET", "/metadata?do=stream", "").await?;
    assert_eq!(answer.text(), truthful("[\"S256\"]"));
    assert_eq!(answer.header("content-length"), Some(&*truthful("[\"S256\"]").len().to_string()));
    Ok(())
}

async fn a_document_that_breaks_off_or_has_no_end_is_an_error(adapter: Adapter) -> Result<()> {
    let host = host(adapter);
    assert!(ask(&host, "GET", "/bare-metadata?do=break", "").await.is_err());
    for asked in ["break", "flood"] {
        let answer = ask(&host, "GET", &format!("/metadata?do={asked}"), "").await?;
        assert_eq!((answer.status, answer.text().as_str()), (500, ""), "{asked}");
    }
    Ok(())
}
