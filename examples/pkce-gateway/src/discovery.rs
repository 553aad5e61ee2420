//! The upstream's metadata.

use reqwest::Client;
use serde_json::{Map, Value};

use crate::endpoint;
use crate::upstream::{chain, send};

/// Fetches the metadata of an issuer, as OpenID Connect Discovery has it and as RFC 8414 §3.1 does. One line on error.
pub(crate) async fn discover(http: &Client, issuer: &str) -> Result<Map<String, Value>, String> {
    let base = endpoint::checked(issuer)?;
    let (origin, path) = (base.origin().ascii_serialization(), base.path().trim_end_matches('/'));
    let urls = [
        format!("{origin}{path}/.well-known/openid-configuration"),
        format!("{origin}/.well-known/oauth-authorization-server{path}"),
    ];
    for url in &urls {
        let reply = send(http.get(url)).await.map_err(|error| format!("{url}: {}", chain(&error)))?;
        let Some(metadata) = reply.is_success().then(|| reply.json::<Map<String, Value>>()).flatten() else { continue };
        // RFC 8414 §3.3. A slash at the end is no other issuer: URLs and documents differ in it too often.
        let said = metadata.get("issuer").and_then(Value::as_str).unwrap_or_default();
        if said.trim_end_matches('/') != issuer.trim_end_matches('/') {
            return Err(format!("{url} is the metadata of the issuer {said:?}, and not of {issuer:?}"));
        }
        return Ok(metadata);
    }
    Err(format!("no metadata at {} and {}: set authorization_endpoint and token_endpoint", urls[0], urls[1]))
}
