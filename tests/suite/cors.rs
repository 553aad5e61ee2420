//! The ecosystem's own CORS middleware around the layer: `tower-http`, `actix-cors`.

use pkce_core::{MemoryStore, Pkce};
use pkce_tests::{Adapter, Behaviour, Double, Mount, Result, on_both_servers};
use playground::FORM;

const ORIGIN: (&str, &str) = ("origin", "https://app.example");

on_both_servers! {
    a_preflight_is_answered_before_the_layer(own),
    served_and_refused_requests_carry_the_headers(own),
    a_foreign_origin_gets_no_headers(own),
}

async fn a_preflight_is_answered_before_the_layer(adapter: Adapter) -> Result<()> {
    let double = double(adapter);
    let asks = [
        ORIGIN,
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type"),
    ];
    let said = double.server.wire.send("OPTIONS", "/token", &asks, "").await?;
    assert_eq!((said.status, said.header("access-control-allow-origin")), (200, Some("https://app.example")));
    assert_eq!(said.header("access-control-allow-methods"), Some("POST"));
    assert!(said.header("access-control-allow-headers").is_some_and(|names| names.contains("authorization")));
    assert_eq!(double.runs(), 0);
    Ok(())
}

async fn served_and_refused_requests_carry_the_headers(adapter: Adapter) -> Result<()> {
    let double = double(adapter);
    let bound = double.bind().await?;
    let right = bound.token_request(Behaviour::Echo);
    let wrong = right.replace("code_verifier", "x");
    let large = "x".repeat(17_000);
    for (method, body, status) in [
        ("POST", wrong.as_str(), 400),
        ("POST", "", 400),
        ("POST", &large, 413),
        ("POST", &right, 200),
        ("POST", &right, 400),
    ] {
        let said = double.server.wire.send(method, "/token", &[ORIGIN, FORM], body).await?;
        assert_eq!((said.status, said.header("access-control-allow-origin")), (status, Some("https://app.example")));
    }
    assert_eq!(double.runs(), 1);
    Ok(())
}

async fn a_foreign_origin_gets_no_headers(adapter: Adapter) -> Result<()> {
    let double = double(adapter);
    let bound = double.bind().await?;
    let evil = ("origin", "https://evil.example");
    let wrong = bound.token_request(Behaviour::Echo).replace("code_verifier", "x");
    let said = double.server.wire.send("POST", "/token", &[evil, FORM], &wrong).await?;
    assert_eq!(said.status, 400);
    assert_ne!(said.header("access-control-allow-origin"), Some("https://evil.example"));
    Ok(())
}

fn double(adapter: Adapter) -> Double {
    Double::start(adapter, Mount::Cors, Pkce::new(MemoryStore::new()))
}
