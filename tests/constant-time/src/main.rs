//! Redeems a code with a secret that valgrind takes for undefined, so that it reports every branch and every index that
//! depends on the secret. The argument says how. The test builds it optimised, and starts it under valgrind.
#![expect(clippy::panic, clippy::print_stdout, reason = "the test looks at how it ends")]

mod secret;
mod store;

use std::env;
use std::hint::black_box;

use futures_util::FutureExt as _;
use pkce_core::adapter::{Body, Request};
use pkce_core::{AuthorizationRequest, CodeVerifier, MemoryStore, Pkce, Policy};

use crate::store::{Careless, Secretive};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const OTHER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl";
const CODE: &str = "SplxlOBeZQQYbYS6WxSbIA";
const FORM: &[u8] = b"application/x-www-form-urlencoded";

fn main() {
    assert!(secret::is_under_valgrind(), "it shows nothing without valgrind");
    let scenario = env::args().nth(1).unwrap_or_default();
    let memory = || Secretive(MemoryStore::new());
    let served = match &*scenario {
        "right" => redeem(&Pkce::new(memory()), VERIFIER),
        "wrong" => redeem(&Pkce::new(memory()), OTHER),
        "burned" => redeem(&Pkce::builder(memory()).policy(Policy::new().burn_on_mismatch()).build(), OTHER),
        "form" => judge(&Pkce::new(memory()), FORM, &form(VERIFIER), false),
        "form-wrong" => judge(&Pkce::new(memory()), FORM, &form(OTHER), false),
        "form-bound" => judge(&Pkce::new(memory()), FORM, &form(VERIFIER), true),
        "json" => {
            let pkce = Pkce::builder(memory()).policy(Policy::new().accept_json()).build();
            judge(&pkce, b"application/json", &json(VERIFIER), false)
        }
        // Faults, each of which valgrind has to report.
        "planted-equality" => redeem(&Pkce::new(Secretive(Careless(MemoryStore::new()))), OTHER),
        "planted-branch" => planted(|bytes| bytes.iter().position(|byte| *byte == b'_')),
        "planted-index" => planted(|bytes| {
            let table: Vec<usize> = (0..256).collect();
            black_box(table).get(usize::from(*bytes.first()?)).copied()
        }),
        other => panic!("what is {other}?"),
    };
    println!("{scenario}: {}", if served { "served" } else { "rejected" });
}

/// By a host that has read the values itself.
fn redeem(pkce: &Pkce, verifier: &str) -> bool {
    bind(pkce, false);
    let verifier = verifier.to_owned();
    secret::mark(verifier.as_bytes());
    now(pkce.redeem(CODE, Some(&verifier))).is_ok()
}

/// As an adapter passes a token request. Only the stored proof is secret: whoever looks for a parameter in a body looks at every
/// byte of it, and for valgrind then its place and its length depend on them too.
fn judge(pkce: &Pkce, content_type: &[u8], body: &str, bound: bool) -> bool {
    bind(pkce, bound);
    let request = Request::new("POST", Body::Complete(body.as_bytes())).header("content-type", content_type);
    now(pkce.judge(&request)).is_ok()
}

fn bind(pkce: &Pkce, bound: bool) {
    let Ok(verifier) = VERIFIER.parse::<CodeVerifier>() else { panic!("it is a verifier") };
    let parameters = verifier.challenge().authorization_parameters();
    let Ok((challenge, ())) = pkce.challenge(AuthorizationRequest::from_parameters(parameters, pkce.policy())) else {
        panic!("the challenge is a good one")
    };
    let bind = pkce.bind(CODE, challenge);
    let bind = if bound { bind.client_id("app").redirect_uri("https://app.example/cb") } else { bind };
    assert!(now(bind.into_future()).is_ok());
}

fn form(verifier: &str) -> String {
    format!(
        "grant_type=authorization_code&code={CODE}&code_verifier={verifier}\
         &client_id=app&redirect_uri=https%3A%2F%2Fapp.example%2Fcb"
    )
}

fn json(verifier: &str) -> String {
    format!(r#"{{"grant_type":"authorization_code","code":"{CODE}","code_verifier":"{verifier}"}}"#)
}

fn planted(fault: impl Fn(&[u8]) -> Option<usize>) -> bool {
    let verifier = VERIFIER.to_owned();
    secret::mark(verifier.as_bytes());
    black_box(fault(black_box(verifier.as_bytes())));
    true
}

/// Nothing waits: the store is in memory.
fn now<T>(future: impl Future<Output = T>) -> T {
    let Some(ready) = future.now_or_never() else { panic!("nothing waits") };
    ready
}
