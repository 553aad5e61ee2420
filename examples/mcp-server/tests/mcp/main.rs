//! The example over real sockets, under a public name.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod audience;
mod browser;
mod client;
mod consent;
mod cors;
mod discovery;
mod documents;
mod guide;
mod program;
mod refresh;
mod registration;
mod sdk;
mod site;
mod tls;
mod token;
mod user;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

const ISSUER: &str = "https://mcp.example";
const CALLBACK: &str = "http://127.0.0.1:8080/callback";

/// A verifier, and its challenge (RFC 7636, Appendix B).
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
