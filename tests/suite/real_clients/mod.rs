//! The clients that people use, through the whole flow, against both example servers as processes. What each does that
//! is unusual stands in `docs/clients.md`.

mod judges;
mod oauth2;
mod openidconnect;
mod script;

use std::fs;
use std::path::Path;

use pkce_core::CodeVerifier;
use pkce_tests::{Program, Result, allow, location, on_both_programs, parameter};
use playground::{Said, Wire};
use script::Runtime;
use url::Url;

on_both_programs! {
    oauth2_is_served_with_pkce_and_refused_without,
    openidconnect_is_served_with_pkce_and_refused_without,
    openid_client_is_served_with_pkce_and_refused_without,
    oauth4webapi_is_served_with_pkce_and_refused_without,
    the_mcp_sdk_is_served_and_refused_with_a_wrong_verifier,
    oidc_client_ts_is_served_in_a_browser_and_refused_without_pkce,
    authlib_is_served_with_pkce_and_refused_without,
    requests_oauthlib_is_served_with_pkce_and_refused_without,
    go_s_oauth2_is_served_with_pkce_and_refused_without,
    apache_httpclient_is_served_with_pkce_and_refused_without,
}

async fn oauth2_is_served_with_pkce_and_refused_without(program: &str) -> Result<()> {
    let server = start(program)?;
    oauth2::is_served(server.wire).await?;
    oauth2::is_refused(server.wire).await
}

async fn openidconnect_is_served_with_pkce_and_refused_without(program: &str) -> Result<()> {
    let server = start(program)?;
    openidconnect::is_served(server.wire).await?;
    openidconnect::is_refused(server.wire).await
}

async fn openid_client_is_served_with_pkce_and_refused_without(program: &str) -> Result<()> {
    script::run(Runtime::Node, "openid-client.mjs", &start(program)?)
}

async fn oauth4webapi_is_served_with_pkce_and_refused_without(program: &str) -> Result<()> {
    script::run(Runtime::Node, "oauth4webapi.mjs", &start(program)?)
}

async fn the_mcp_sdk_is_served_and_refused_with_a_wrong_verifier(program: &str) -> Result<()> {
    script::run(Runtime::Node, "mcp-sdk.mjs", &start(program)?)
}

/// Against `examples/mcp-server`, which is both in one: the SDK registers itself and calls a tool.
#[test]
fn the_mcp_sdk_signs_in_at_an_mcp_server_and_is_refused_with_a_wrong_verifier() -> Result<()> {
    script::run(Runtime::Node, "mcp-server.mjs", &start("mcp-server-example")?)
}

#[test]
fn mcp_remote_signs_in_at_an_mcp_server_and_a_stolen_code_is_refused() -> Result<()> {
    script::run(Runtime::Node, "mcp-remote.mjs", &start("mcp-server-example")?)
}

#[test]
fn the_python_sdk_signs_in_at_an_mcp_server_and_a_stolen_code_is_refused() -> Result<()> {
    script::run(Runtime::Python, "mcp_sdk_client.py", &start("mcp-server-example")?)
}

#[test]
fn fastmcp_signs_in_at_an_mcp_server_and_a_stolen_code_is_refused() -> Result<()> {
    script::run(Runtime::Python, "fastmcp_client.py", &start("mcp-server-example")?)
}

async fn oidc_client_ts_is_served_in_a_browser_and_refused_without_pkce(program: &str) -> Result<()> {
    script::run(Runtime::Chromium, "oidc-client-ts.mjs", &start(program)?)
}

async fn authlib_is_served_with_pkce_and_refused_without(program: &str) -> Result<()> {
    script::run(Runtime::Python, "authlib_client.py", &start(program)?)
}

async fn requests_oauthlib_is_served_with_pkce_and_refused_without(program: &str) -> Result<()> {
    script::run(Runtime::Python, "requests_oauthlib_client.py", &start(program)?)
}

async fn go_s_oauth2_is_served_with_pkce_and_refused_without(program: &str) -> Result<()> {
    script::run(Runtime::Go, "x_oauth2.go", &start(program)?)
}

async fn apache_httpclient_is_served_with_pkce_and_refused_without(program: &str) -> Result<()> {
    script::run(Runtime::Java, "HttpClient5.java", &start(program)?)
}

/// What `docs/clients.md` says was run is what runs.
#[test]
fn the_table_names_the_versions_that_are_run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    let table = read("docs/clients.md");
    let is_named = |name: &str, version: &str| {
        let row = table.lines().find(|line| line.starts_with(&format!("| `{name}` ("))).ok_or(name);
        assert!(row.unwrap().contains(&format!(" | {version} | ")), "{name} {version}");
    };

    let packages: serde_json::Value = serde_json::from_str(&read("tests/clients/node/package.json")).unwrap();
    for (name, version) in packages["dependencies"].as_object().unwrap() {
        // What is no client: it drives the browser, or is a judge.
        if !["playwright-core", "@modelcontextprotocol/conformance"].contains(&name.as_str()) {
            is_named(name, version.as_str().unwrap());
        }
    }
    let packages = read("tests/clients/python/requirements.txt");
    for name in ["Authlib", "fastmcp-slim", "mcp", "requests-oauthlib"] {
        is_named(name, packages.lines().find_map(|line| line.strip_prefix(&format!("{name}=="))).unwrap());
    }
    let packages = read("Cargo.lock");
    for name in ["oauth2", "openidconnect"] {
        let (_, rest) = packages.split_once(&format!("name = \"{name}\"\nversion = \"")).unwrap();
        is_named(name, rest.split('"').next().unwrap());
    }
}

fn start(program: &str) -> Result<Program> {
    Program::start(program, &["--listen", "127.0.0.1:0"])
}

/// The page, or the redirect, that a client's authorization request gets.
async fn visit(wire: Wire, url: &Url) -> Result<Said> {
    assert_eq!(url.origin().ascii_serialization(), format!("http://{}", wire.0));
    Ok(wire.get(&format!("{}?{}", url.path(), url.query().unwrap_or_default())).await?)
}

/// The user signs in and allows. A code for a callback with this state and the server's issuer: both are for the
/// application to check.
async fn code(wire: Wire, url: &Url, state: &str) -> Result<String> {
    let callback = location(&allow(wire, &visit(wire, url).await?).await?)?;
    assert_eq!(parameter(&callback, "state").as_deref(), Some(state));
    assert_eq!(parameter(&callback, "iss"), Some(format!("http://{}", wire.0)));
    Ok(parameter(&callback, "code").ok_or("no code in the callback")?)
}

/// A verifier that no challenge was made of.
fn another_verifier() -> Result<String> {
    Ok(CodeVerifier::generate()?.as_str().to_owned())
}
