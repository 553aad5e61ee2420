//! A reader who takes a program from the README, and tries it as the README says.

use std::fs;
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

use pkce_test_servers::find;

use crate::block::{Block, Step, blocks};
use crate::folder::Folder;
use crate::manifest;
use crate::ports::Ports;
use crate::root;
use crate::shell::{Running, Shell};

#[test]
fn the_program_for_axum_does_what_the_readme_says() {
    try_out("readme_1");
}

#[test]
fn the_program_for_actix_does_what_the_readme_says() {
    try_out("readme_2");
}

#[test]
fn what_the_readme_depends_on_is_what_this_workspace_is_built_with() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let manifests: Vec<_> = readme.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(manifests.len(), 2);
    for lines in manifests {
        manifest::check(&format!("[dependencies]\n{lines}"));
    }
}

/// Both commands once, with the code that the first gets, and then the second again.
fn try_out(program: &str) {
    if ["bash", "curl", "timeout"].iter().any(|program| find(program).is_none()) {
        return;
    }
    let [authorize, token] = commands();
    let (folder, address) = (Folder::new(program), Ports::of("127.0.0.1:3000").place("127.0.0.1:3000"));
    let start = format!("exec env GUIDE_PROGRAM={program} {} {address}", env!("CARGO_BIN_EXE_guide-server"));
    let (_server, mut shell) = (Running::start(folder.path(), &start), Shell::start(folder.path()));
    let listens = (0..200).any(|_| {
        sleep(Duration::from_millis(50));
        TcpStream::connect(&address).is_ok()
    });
    assert!(listens, "{program} does not listen");
    let here = |command: &str| command.replace("localhost:3000", &address);

    let said = shell.run(&here(&authorize)).join("\n");
    assert!(said.starts_with("HTTP/1.1 303 "), "{said}");
    let headers = said.lines().filter_map(|line| line.split_once(": "));
    let location = headers.filter(|(name, _)| name.eq_ignore_ascii_case("location")).map(|(_, value)| value).next();
    let parameters = location.and_then(|location| location.strip_prefix("https://client.example/cb?code="));
    let (code, rest) = parameters.and_then(|parameters| parameters.split_once('&')).unwrap();
    assert_eq!(rest, "iss=https%3A%2F%2Fas.example");

    let token = here(&token).replace('…', code);
    let said = shell.run(&token);
    assert_eq!(said.first().map(String::as_str), Some("HTTP/1.1 200 OK"));
    assert_eq!(said.last().map(String::as_str), Some("tokens for alice"));
    let said = shell.run(&token);
    assert_eq!(said.first().map(String::as_str), Some("HTTP/1.1 400 Bad Request"));
    assert!(said.last().is_some_and(|body| body.starts_with("{\"error\":\"invalid_grant\"")), "{said:?}");
}

/// The README's commands for a running server.
fn commands() -> [String; 2] {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let steps = blocks(&readme).into_iter().find_map(|block| match block {
        Block::Console(steps) => Some(steps),
        _ => None,
    });
    let [authorize, token] = <[Step; 2]>::try_from(steps.unwrap()).unwrap();
    [authorize.command, token.command]
}
