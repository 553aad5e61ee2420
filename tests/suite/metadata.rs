//! The host's metadata with the layer around it: the one member is truthful, and all else is the host's.

use pkce_core::{MemoryStore, Pkce, Policy};
use pkce_tests::{Adapter, Answer, Connection, DOCUMENT, Immediate, Result, TAG, on_both_servers};

on_both_servers! {
    the_document_says_what_is_enforced_and_all_else_is_as_it_was(own),
    a_client_that_has_the_document_need_not_get_it_again(own),
    the_host_is_not_asked_about_octets_that_are_not_its_own(own),
    a_head_request_tells_what_a_get_would(own),
    what_is_no_document_is_the_hosts_octet_for_octet(own),
    a_document_in_pieces_is_put_together(own),
    a_document_that_breaks_off_is_not_made_whole(own),
}

const MEMBER: &str = "\"code_challenge_methods_supported\": [\"S256\"]";

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
fn truthful() -> String {
    DOCUMENT.replace("\"e30.e30.\"", &format!("\"e30.e30.\",\n  {MEMBER}"))
}

async fn the_document_says_what_is_enforced_and_all_else_is_as_it_was(adapter: Adapter) -> Result<()> {
    let host = host(adapter);
    let answer = ask(&host, "GET", "/metadata", "").await?;
    assert_eq!(answer.text(), truthful());
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    assert_eq!(answer.header("content-length"), Some(&*truthful().len().to_string()));
    assert_eq!(answer.header("etag"), Some("\"v1+pkce:S256\""));
    assert_eq!(answer.header("last-modified"), None);
    assert_eq!(answer.header("cache-control"), Some("max-age=60"));
    let policy = Policy::new().allow_plain();
    let lax = Immediate::start(adapter, Pkce::builder(MemoryStore::new()).policy(policy).build());
    let answer = ask(&lax, "GET", "/metadata", "").await?;
    assert_eq!(answer.text(), truthful().replace("[\"S256\"]", "[\"S256\",\"plain\"]"));
    assert_eq!(answer.header("etag"), Some("\"v1+pkce:S256+plain\""));
    Ok(())
}

async fn a_client_that_has_the_document_need_not_get_it_again(adapter: Adapter) -> Result<()> {
    let host = host(adapter);
    for (tags, status) in [
        ("\"v1+pkce:S256\"", 304),
        ("\"x\", W/\"v1+pkce:S256\"", 304),
        // From before the layer, from before this policy, and of another document.
        (TAG, 200),
        ("\"v1+pkce:S256+plain\"", 200),
        ("\"v2+pkce:S256\"", 200),
        ("*", 200),
    ] {
        let answer = ask(&host, "GET", "/metadata", &format!("if-none-match: {tags}\r\n")).await?;
        assert_eq!((answer.status, answer.header("etag")), (status, Some("\"v1+pkce:S256\"")), "{tags}");
        assert_eq!(answer.text(), if status == 200 { truthful() } else { String::new() });
    }
    Ok(())
}

async fn the_host_is_not_asked_about_octets_that_are_not_its_own(adapter: Adapter) -> Result<()> {
    let host = host(adapter);
    let headers = "accept-encoding: gzip\r\nif-modified-since: Sun, 06 Nov 2094 08:49:37 GMT\r\nrange: bytes=0-1\r\n\
                   if-none-match: \"own+pkce:S256\", \"other\"\r\n";
    let answer = ask(&host, "GET", "/metadata?do=asked", headers).await?;
    assert_eq!((answer.status, answer.header("x-seen")), (200, Some("\"own\"")));
    assert_eq!(ask(&host, "GET", "/metadata", headers).await?.text(), truthful());
    // Another method is none of our business.
    let answer = ask(&host, "POST", "/metadata?do=asked", &format!("content-length: 0\r\n{headers}")).await?;
    assert!(answer.header("x-seen").is_some_and(|seen| seen.starts_with("gzip ")));
    assert_eq!((answer.header("etag"), answer.text().as_str()), (Some(TAG), "{}"));
    Ok(())
}

async fn a_head_request_tells_what_a_get_would(adapter: Adapter) -> Result<()> {
    let host = host(adapter);
    for target in ["/metadata", "/metadata?do=missing", "/metadata?do=html"] {
        let (get, head) = (ask(&host, "GET", target, "").await?, ask(&host, "HEAD", target, "").await?);
        assert_eq!((get.status, &get.headers), (head.status, &head.headers), "{target}");
    }
    // It has no body, so the connection goes on.
    let mut connection = Connection::open(host.server.wire).await?;
    for _ in 0..2 {
        connection.send(b"HEAD /metadata HTTP/1.1\r\nhost: as.example\r\n\r\n").await?;
        assert_eq!(connection.answer("HEAD").await?.status, 200);
    }
    Ok(())
}

async fn what_is_no_document_is_the_hosts_octet_for_octet(adapter: Adapter) -> Result<()> {
    let host = host(adapter);
    for asked in ["gzip", "html", "missing", "large"] {
        let answers = [
            ask(&host, "GET", &format!("/bare-metadata?do={asked}"), "").await?,
            ask(&host, "GET", &format!("/metadata?do={asked}"), "").await?,
        ];
        assert!(answers[0] == answers[1], "{asked}");
    }
    let malformed = ask(&host, "GET", "/metadata?do=malformed", "").await?;
    assert_eq!((malformed.status, malformed.text().as_str()), (200, "{"));
    Ok(())
}

async fn a_document_in_pieces_is_put_together(adapter: Adapter) -> Result<()> {
    let host = host(adapter);
    let answer = ask(&host, "GET", "/metadata?do=stream", "").await?;
    assert_eq!(answer.text(), truthful());
    assert_eq!(answer.header("content-length"), Some(&*truthful().len().to_string()));
    // One that is larger than anybody should read goes on as it is.
    let (bare, flood) =
        (ask(&host, "GET", "/bare-metadata?do=flood", "").await?, ask(&host, "GET", "/metadata?do=flood", "").await?);
    assert!(flood.body.len() > 2_000_000 && flood == bare);
    Ok(())
}

async fn a_document_that_breaks_off_is_not_made_whole(adapter: Adapter) -> Result<()> {
    let host = host(adapter);
    assert!(ask(&host, "GET", "/bare-metadata?do=break", "").await.is_err());
    assert!(ask(&host, "GET", "/metadata?do=break", "").await.is_err());
    Ok(())
}
