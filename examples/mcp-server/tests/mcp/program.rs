//! The program and its arguments.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::Result;

struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn start(arguments: &[&str]) -> Result<(Program, String)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-server-example"));
    let mut child = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().ok_or("no stdout")?).read_line(&mut line)?;
    let base = line.trim_end().strip_prefix("listening on ").unwrap_or_default().to_owned();
    Ok((Program(child), base))
}

#[tokio::test]
async fn it_takes_its_public_name_and_where_it_listens() -> Result {
    for (arguments, issuer) in [
        (&["--listen", "127.0.0.1:0"][..], None),
        (&["--listen", "127.0.0.1:0", "--issuer", "https://mcp.example"], Some("https://mcp.example")),
    ] {
        let (_program, base) = start(arguments)?;
        let metadata = reqwest::get(format!("{base}/.well-known/oauth-authorization-server")).await?.text().await?;
        let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
        assert_eq!(metadata["issuer"], issuer.unwrap_or(&base));
    }
    Ok(())
}

#[tokio::test]
async fn a_client_id_cannot_make_it_reach_this_machine() -> Result {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let (_program, base) = start(&["--listen", "127.0.0.1:0"])?;
    for host in ["localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0x7f.1", "2130706433"] {
        let query = format!("client_id=https://{host}:{port}/client.json&redirect_uri=https://app.example/");
        let response = reqwest::get(format!("{base}/oauth/authorize?{query}")).await?;
        assert_eq!(response.status(), 400, "{host}");
    }
    let reached = tokio::time::timeout(std::time::Duration::from_millis(200), listener.accept()).await;
    assert!(reached.is_err(), "it was reached");
    Ok(())
}

#[test]
fn a_name_that_is_no_origin_or_that_anybody_could_listen_to_is_refused() -> Result {
    for issuer in [
        "mcp.example",
        "http://mcp.example",
        "http://0.0.0.0:3000",
        "https://mcp.example/path",
        "https://mcp.example?x",
        "https://mcp.example#x",
        "https://user@mcp.example",
        "ftp://mcp.example",
        "javascript:x",
    ] {
        let (mut program, base) = start(&["--listen", "127.0.0.1:0", "--issuer", issuer])?;
        assert_eq!((base.as_str(), program.0.wait()?.success()), ("", false), "{issuer}");
    }
    Ok(())
}
