//! The command line of the example servers, as real processes.

use std::net::TcpListener;
use std::process::{Command, Stdio};

use pkce_core::CodeVerifier;
use pkce_tests::{Client, Program, Result, on_both_programs};
use playground::{Flow, S256, challenge};

on_both_programs! {
    it_says_where_it_listens_and_logs_no_secret,
    it_does_as_its_options_say,
    a_bad_option_is_one_line_and_status_2,
    an_occupied_port_is_one_line_and_status_1,
}

async fn it_says_where_it_listens_and_logs_no_secret(program: &str) -> Result<()> {
    let mut running = Program::start(program, &["--listen", "127.0.0.1:0"])?;
    let flow = Flow::start(running.wire).await?;
    let tokens = flow.redeem(running.wire).await?;
    assert_eq!((tokens.status, flow.redeem(running.wire).await?.status), (200, 400));
    let wrong = flow.token_request(&[("code_verifier", "a")]);
    assert_eq!(running.wire.post_form(&format!("/token?{wrong}"), "").await?.status, 400);

    let (stdout, stderr) = running.stop()?;
    assert_eq!(stdout, "", "more than one line on stdout");
    for path in ["/authorize", "/sign-in", "/token"] {
        assert!(stderr.contains(path), "no log of {path}:\n{stderr}");
    }
    let access_token = tokens.member("access_token").ok_or("no access token")?;
    let challenge = challenge(&flow.verifier);
    for secret in [
        &flow.code,
        flow.verifier.as_str(),
        &challenge,
        &access_token,
        "wonderland",
        "code_challenge",
        "grant_type=",
        "?",
    ] {
        assert!(!stderr.contains(secret), "{secret} stands in the log:\n{stderr}");
    }
    Ok(())
}

async fn it_does_as_its_options_say(program: &str) -> Result<()> {
    let options =
        ["--listen=127.0.0.1:0", "--issuer", "https://as.example", "--store", "memory:", "--code-lifetime", "600"];
    let doors = ["--burn-on-mismatch", "--allow-plain", "--allow-missing-challenge"];
    let mut running = Program::start(program, &[&options[..], &doors[..]].concat())?;
    let metadata = running.wire.get("/.well-known/oauth-authorization-server").await?;
    assert_eq!(metadata.member("issuer").as_deref(), Some("https://as.example"));
    assert!(metadata.body.contains(r#"["S256","plain"]"#));
    assert_eq!(running.wire.get(&Client::SPA.authorize(&[])).await?.status, 200);
    let verifier = CodeVerifier::generate()?;
    let derived = challenge(&verifier);
    let issued = Client::SPA.sign_in(running.wire, verifier, &[("code_challenge", &derived), S256]).await?;
    let guess =
        [("grant_type", "authorization_code"), ("code", issued.code.as_str()), ("code_verifier", &"a".repeat(43))];
    assert_eq!(Client::SPA.token(running.wire, &guess).await?.status, 400);
    assert_eq!(issued.redeem(running.wire, &[]).await?.status, 400); // burned
    running.stop()?;
    Ok(())
}

async fn a_bad_option_is_one_line_and_status_2(program: &str) -> Result<()> {
    for options in [
        &["--nonsense"][..],
        &["surplus"],
        &["--listen"],
        &["--listen", "nowhere"],
        &["--listen", "127.0.0.1:65536"],
        &["--issuer", "nonsense"],
        &["--issuer", "https://as.example?x"],
        &["--issuer", "https://as.example/:x"],
        &["--issuer", "https://as.example/{x}"],
        &["--issuer", "https://as.example/%41"],
        &["--store", "carrier-pigeon://coop"],
        &["--store", ""],
        &["--code-lifetime", "0"],
        &["--code-lifetime", "601"],
        &["--code-lifetime", "-1"],
        &["--allow-plain=yes"],
    ] {
        assert_eq!(ends(program, options)?, 2, "{options:?}");
    }
    Ok(())
}

async fn an_occupied_port_is_one_line_and_status_1(program: &str) -> Result<()> {
    let occupied = TcpListener::bind(("127.0.0.1", 0))?;
    assert_eq!(ends(program, &["--listen", &occupied.local_addr()?.to_string()])?, 1);
    Ok(())
}

/// The status of a program that ends with one line on stderr and none on stdout.
fn ends(program: &str, options: &[&str]) -> Result<i32> {
    let output = Command::new(Program::built(program)).args(options).stdin(Stdio::null()).output()?;
    let stderr = String::from_utf8(output.stderr)?;
    assert!(output.stdout.is_empty(), "{options:?}");
    assert!(
        stderr.starts_with(&format!("{program}: ")) && stderr.trim_end().lines().count() == 1,
        "{options:?}: {stderr}"
    );
    assert!(!stderr.contains("panicked"), "{options:?}: {stderr}");
    Ok(output.status.code().ok_or("ended by a signal")?)
}
