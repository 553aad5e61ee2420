//! The metadata, its discovery, and what is elsewhere.

use axum::Router;
use axum::routing::get as route;
use serde_json::{Value, json};

use crate::Result;
use crate::program::{Stage, command, config};
use crate::provider::Upstream;
use crate::user_agent::{get, post};

const PATHS: [&str; 2] = ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"];

#[tokio::test(flavor = "multi_thread")]
async fn the_metadata_is_the_upstreams_with_the_gateways_endpoints_in_it() -> Result {
    let more = json!({
        "userinfo_endpoint": "https://idp.example/userinfo",
        "jwks_uri": "https://keys.example/jwks",
        "scopes_supported": ["openid", "photos"],
        "revocation_endpoint": "http://127.0.0.1:1/revoke",
        "code_challenge_methods_supported": ["plain"],
        "response_types_supported": ["code", "token"],
        "registration_endpoint": "https://idp.example/register",
        "pushed_authorization_request_endpoint": "https://idp.example/par",
        "require_pushed_authorization_requests": true,
        "mtls_endpoint_aliases": { "token_endpoint": "https://mtls.idp.example/token" },
        "signed_metadata": "e30.e30.e30",
        "request_parameter_supported": true,
    });
    let stage = Stage::before(Upstream::with(more, Router::new()).await?, |_| ())?;
    let gateway = &stage.gateway;
    for path in PATHS {
        let document: Value = serde_json::from_str(&get(&format!("{gateway}{path}")).await?.body)?;
        let expected = json!({
            "issuer": gateway,
            "authorization_endpoint": format!("{gateway}/authorize"),
            "token_endpoint": format!("{gateway}/token"),
            "revocation_endpoint": format!("{gateway}/revoke"),
            "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
            "revocation_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
            "request_parameter_supported": false,
            "request_uri_parameter_supported": false,
            "userinfo_endpoint": "https://idp.example/userinfo",
            "jwks_uri": "https://keys.example/jwks",
            "scopes_supported": ["openid", "photos"],
        });
        assert_eq!(document, expected);
    }
    for (path, lives) in [
        ("/userinfo", "https://idp.example/userinfo"),
        ("/jwks", "https://keys.example/jwks"),
        ("/register", "https://idp.example/register"),
        ("/par", "https://idp.example/par"),
        ("/oauth/token", &stage.upstream.url),
        ("//Token/", &stage.upstream.url),
        ("/%74oken", &stage.upstream.url),
    ] {
        for seen in [get(&format!("{gateway}{path}")).await?, post(&format!("{gateway}{path}"), &[], "x=y").await?] {
            seen.is(404, "not_found");
            assert!(seen.member("error_description").unwrap().ends_with(lives), "{path} {seen:?}");
            assert_eq!(seen.headers["access-control-allow-origin"], "*");
        }
        assert!(stage.upstream.heard(path).is_empty());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_is_discovered_by_rfc_8414_as_well_and_below_a_path() -> Result {
    let upstream = Upstream::new().await?;
    let issuer = format!("{}/tenant/", upstream.url);
    let document = json!({
        "issuer": issuer.trim_end_matches('/'),
        "authorization_endpoint": format!("{issuer}authorize"),
        "token_endpoint": format!("{issuer}token"),
        "authorization_response_iss_parameter_supported": true,
    });
    let body = document.to_string();
    let path = "/.well-known/oauth-authorization-server/tenant";
    let routes = Router::new().route(path, route(move || async move { body }));
    let upstream = Upstream::with(json!({}), routes).await?;
    let seen = get(&format!("{}{path}", upstream.url)).await?;
    assert_eq!(seen.body, document.to_string());
    // The document is of the issuer that it names, and of no other.
    let mut config = config(&upstream);
    config["upstream"]["issuer"] = json!(format!("{}/tenant", upstream.url));
    let said = command(&config.to_string())?.0.args(["--listen", "127.0.0.1:0"]).output()?;
    let stderr = String::from_utf8(said.stderr)?;
    assert!(!said.status.success() && stderr.contains("is the metadata of the issuer"), "{stderr}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_discovery_the_endpoints_are_those_of_the_configuration() -> Result {
    let upstream = Upstream::with(json!({ "issuer": "https://another.example" }), Router::new()).await?;
    let stage = Stage::before(upstream, |config| {
        config["upstream"]["authorization_endpoint"] = json!("/authorize");
        config["upstream"]["token_endpoint"] = json!("/token");
    })?;
    crate::app::Returned::new(&stage.gateway).await?.finishes().await?;
    assert!(stage.upstream.heard("/.well-known/openid-configuration").is_empty());
    Ok(())
}
