//! Headers by which a client could pretend to be somebody, or to have asked for something else.

use pkce_gateway::demo::{App, Result, UserAgent};
use pkce_tower::MemoryStore;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::callback::Returned;
use crate::proxy::{stage, with_api};
use crate::stage::{Stage, config};

const SAID: [(&str, &str); 9] = [
    ("forwarded", "for=1.2.3.4;host=evil.example"),
    ("x-forwarded-for", "1.2.3.4"),
    ("X-Forwarded-Host", "evil.example"),
    ("x_forwarded_proto", "https"), // CGI makes a hyphen of it
    ("x-real-ip", "1.2.3.4"),
    ("x-original-url", "/token"),
    ("x-rewrite-url", "/token"),
    ("proxy", "http://evil.example"),
    ("x-public", "1"),
];

async fn heard(stage: &Stage) -> Result<Vec<String>> {
    let said = stage.wire().send("GET", "/echo", &SAID, "").await?;
    let lines = said.body.lines().skip(1).filter(|line| !line.starts_with("host: ") && !line.starts_with("via: "));
    let mut names: Vec<String> = lines.filter_map(|line| line.split(": ").next()).map(str::to_owned).collect();
    names.sort_unstable();
    Ok(names)
}

#[tokio::test]
async fn a_client_cannot_say_where_it_comes_from() -> Result<()> {
    assert_eq!(heard(&stage().await?).await?, ["x-public"]);
    Ok(())
}

#[tokio::test]
async fn what_stands_before_the_gateway_can() -> Result<()> {
    let behind = config("", "\"behind_proxy\": true,");
    let stage = Stage::before(&behind, MemoryStore::new(), with_api).await?;
    let expected = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-public", "x-real-ip"];
    assert_eq!(heard(&stage).await?, expected);
    Ok(())
}

#[tokio::test]
async fn a_cookie_of_somebody_else_in_other_characters_does_no_harm() -> Result<()> {
    let stage = stage().await?;
    let mut browser = UserAgent::new();
    let query = App::NATIVE.flow()?.sign_in(&mut browser, &stage.gateway, &[]).await?;
    let (name, value) = browser.cookies[0].clone();
    let cookie = format!("name=Zo\u{eb}; {name}={value}; c=d");
    let said = stage.wire().send("GET", "/echo", &[("cookie", &cookie)], "").await?;
    assert!(said.body.contains("cookie: name=Zo\u{eb}; c=d\n"), "{}", said.body);
    let said = stage.wire().send("GET", &format!("/callback?{query}"), &[("cookie", &cookie)], "").await?;
    assert_eq!((said.status, said.error()), (303, None));
    Ok(())
}

#[tokio::test]
async fn a_body_with_two_lengths_has_one_behind_the_gateway() -> Result<()> {
    let stage = stage().await?;
    for lengths in
        ["content-length: 3\r\ntransfer-encoding: chunked", "transfer-encoding: chunked\r\ncontent-length: 3"]
    {
        let mut stream = TcpStream::connect(stage.wire().0).await?;
        let smuggled = "GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n";
        let body = format!("{:x}\r\n{smuggled}\r\n0\r\n\r\n", smuggled.len());
        stream
            .write_all(
                format!("POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{lengths}\r\n\r\n{body}").as_bytes(),
            )
            .await?;
        let mut said = String::new();
        stream.read_to_string(&mut said).await?;
        // Refused, or one body of one length.
        let whole =
            said.contains(&format!("POST /echo {}\n", smuggled.len())) && !said.contains("\ncontent-length: 3\n");
        assert!(said.starts_with("HTTP/1.1 400 ") || whole, "{said}");
    }
    assert!(stage.heard("/smuggled").is_empty());
    Ok(())
}

#[tokio::test]
async fn what_an_upstream_puts_into_a_header_cannot_split_the_answer() -> Result<()> {
    let stage = Stage::new().await?;
    let mut returned = Returned::new(&stage).await?;
    let split = "x%0d%0aSet-Cookie:%20a=b%0d%0a%0d%0a%3Cscript%3E";
    let sealed = crate::stage::value(&returned.query, "state").unwrap();
    for query in [format!("state={sealed}&error={split}"), format!("state={sealed}&error=e&error_description={split}")]
    {
        let said = returned.call(&stage, &query).await?;
        assert_eq!(said.headers.get_all("set-cookie").iter().count(), 1, "only the gateway's own, which goes");
        assert!(!said.headers["location"].to_str()?.contains("Cookie") && said.body.is_empty());
    }
    Ok(())
}
