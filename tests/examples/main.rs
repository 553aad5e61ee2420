//! The two examples to copy, `examples/axum` and `examples/actix`: one body for both, over real sockets. Each is a test of
//! its own package, because only there Cargo builds the program.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod authorization;
mod browser;
mod cors;
mod flow;
mod program;
mod redemption;
mod refresh;
mod token_client;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

const NATIVE_URI: &str = "http://127.0.0.1:49152/callback";
const WEB_URI: &str = "https://web.example/callback";
const WEB_SECRET: &str = "the secret of the web client";

/// A verifier, and its challenge (RFC 7636, Appendix B).
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
