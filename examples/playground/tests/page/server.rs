//! The page's own server, and its command line.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use playground::LIMITS;

use crate::program::{Playground, run};

fn ask(playground: &Playground, request: &str) -> String {
    let mut stream = TcpStream::connect(playground.address()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn post(playground: &Playground, headers: &str) -> String {
    let head = "POST /play/attacks/no-verifier HTTP/1.1\r\nconnection: close\r\ncontent-length: 0\r\n";
    ask(playground, &format!("{head}{headers}\r\n"))
}

#[test]
fn the_page_is_one_document_that_loads_nothing() {
    let playground = Playground::serve();
    let host = playground.address();
    let answer = ask(&playground, &format!("GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"));
    let (head, page) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    for part in ["default-src 'none'", "script-src 'sha256-", "style-src 'sha256-", "frame-ancestors 'none'"] {
        assert!(head.contains(part), "{head}");
    }
    assert!(!head.contains("unsafe-inline") && !page.contains("{{"), "{head}");
    for asset in [" src=", "<link rel=\"stylesheet", "@import", " url(", ":url(", " style=", " onclick="] {
        assert!(!page.contains(asset), "{asset}");
    }
}

#[test]
fn nobody_but_the_page_may_ask_its_server() {
    let playground = Playground::serve();
    let host = playground.address();
    let own = format!("host: {host}\r\norigin: http://{host}\r\n");
    assert!(post(&playground, &own).starts_with("HTTP/1.1 200 OK"));
    for (headers, status) in [
        (format!("host: {host}\r\norigin: https://evil.example\r\n"), "403"),
        (format!("host: {host}\r\norigin: null\r\n"), "403"),
        ("host: evil.example\r\n".to_owned(), "421"),
        (format!("host: {}\r\n", host.replace("127.0.0.1", "localhost")), "421"),
    ] {
        let answer = post(&playground, &headers);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{headers}{answer}");
    }
    // Neither the page, nor what it asks for, nor does the server tell another origin that it may read.
    let paths = ["GET / ", "GET /callback?code=a ", "POST /play/exchanges ", "OPTIONS /play/exchanges "];
    for (path, head, status) in paths.iter().flat_map(|path| {
        let elsewhere = (*path, "host: evil.example\r\n".to_owned(), "421");
        let none = (*path, "host: \r\n".to_owned(), "421");
        let foreign = (*path, format!("host: {host}\r\norigin: http://127.0.0.1:1\r\n"), "403");
        [elsewhere, none, foreign]
    }) {
        let request = format!("{path}HTTP/1.1\r\nconnection: close\r\ncontent-length: 0\r\n{head}\r\n");
        let answer = ask(&playground, &request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{request}{answer}");
        assert!(!answer.contains("access-control-"), "{request}{answer}");
    }
    // By its other name a browser is led to the one that the redirect URI has.
    let alias = host.replace("127.0.0.1", "localhost");
    let answer = ask(&playground, &format!("GET / HTTP/1.1\r\nhost: {alias}\r\nconnection: close\r\n\r\n"));
    assert!(
        answer.starts_with("HTTP/1.1 307") && answer.contains(&format!("location: http://{host}/\r\n")),
        "{answer}"
    );
}

/// The state, the code and the tokens are unguessable; everything else would find the flows of other tabs.
#[test]
fn what_was_on_the_wire_is_told_to_whom_knows_a_secret_of_it() {
    let playground = Playground::serve();
    let host = playground.address();
    let page = ask(&playground, &format!("GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"));
    let issuer = page.split(r#""issuer":"http://"#).nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let mut server = TcpStream::connect(issuer).unwrap();
    let secret = "a-state-that-nobody-else-knows";
    let target = format!("/authorize?state={secret}");
    write!(server, "GET {target} HTTP/1.1\r\nhost: {issuer}\r\nconnection: close\r\n\r\n").unwrap();
    server.read_to_string(&mut String::new()).unwrap();
    for (value, told) in [(secret, true), ("authorize", false), ("", false), ("another-state-that-nobody-knows", false)]
    {
        let head = format!("POST /play/exchanges HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
        let answer = ask(&playground, &format!("{head}content-length: {}\r\n\r\n{value}", value.len()));
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert_eq!(answer.contains(&target), told, "{value}: {answer}");
        assert!(answer.contains("cache-control: no-store"), "{answer}");
    }
}

#[test]
fn a_bad_option_is_one_line_and_not_served() {
    for (options, status) in [
        (&["--nonsense"][..], 2),
        (&["--listen", "127.0.0.1:0"], 2),
        (&["--serve", "--listen", "nowhere"], 2),
        (&["--serve", "--listen", "0.0.0.0:0"], 1),
        (&["--serve", "--listen", "[::1]:0"], 1),
    ] {
        let said = run(options);
        let stderr = String::from_utf8_lossy(&said.stderr);
        assert_eq!((said.status.code(), stderr.lines().count()), (Some(status), 1), "{options:?}: {stderr}");
        assert!(said.stdout.is_empty());
    }
}

#[test]
fn an_occupied_port_is_one_line_and_status_1() {
    let playground = Playground::serve();
    let said = run(&["--serve", "--listen", playground.address()]);
    let stderr = String::from_utf8_lossy(&said.stderr);
    assert_eq!((said.status.code(), stderr.lines().count()), (Some(1), 1), "{stderr}");
}

#[test]
fn the_program_shows_what_pkce_lets_pass_with_and_without_what_stops_it() {
    let said = run(&[]);
    let table = String::from_utf8(said.stdout).unwrap();
    assert!(said.status.success(), "{table}");
    for (limit, (alone, with)) in LIMITS.attacks.iter().zip([
        ("200, alice’s token", "the addresses compared: 400 invalid_grant, then the user’s client: 200"),
        ("200, alice’s token", "the addresses compared: 400 invalid_grant, then the user’s client: 200"),
        ("200, alice’s token", "the browser compared: the client refuses"),
        ("200, mallory’s token", "the browser compared: the client refuses"),
    ]) {
        let line = table.lines().find(|line| line.contains(limit.tried)).unwrap();
        assert!(line.starts_with("  passes "), "{line}");
        assert!(line.ends_with(&format!("by PKCE alone {alone}; {with}")), "{line}");
    }
}
