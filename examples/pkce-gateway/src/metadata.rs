//! The metadata (RFC 8414): the upstream's, with the gateway's endpoints in place of its own.

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use serde_json::{Map, Value, json};
use url::Url;

use crate::gateway::Gateway;
use crate::respond;

/// Members of the upstream that are not true of the gateway. By the endpoints among them a client would begin a flow past
/// it, as a client that the upstream does not know; `signed_metadata` would win over the rest (RFC 8414 §2.1).
const NOT_OURS: [&str; 20] = [
    "signed_metadata",
    "mtls_endpoint_aliases",
    "tls_client_certificate_bound_access_tokens",
    "registration_endpoint",
    "pushed_authorization_request_endpoint",
    "require_pushed_authorization_requests",
    "device_authorization_endpoint",
    "backchannel_authentication_endpoint",
    "backchannel_token_delivery_modes_supported",
    "require_signed_request_object",
    "request_object_signing_alg_values_supported",
    "request_object_encryption_alg_values_supported",
    "request_object_encryption_enc_values_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "revocation_endpoint",
    "revocation_endpoint_auth_methods_supported",
    "revocation_endpoint_auth_signing_alg_values_supported",
    "dpop_signing_alg_values_supported",
    "client_id_metadata_document_supported",
    "authorization_signing_alg_values_supported",
];

/// Returns the gateway's metadata.
pub(crate) fn document(gateway: &Gateway) -> String {
    let issuer = &gateway.issuer;
    let methods = json!(["none", "client_secret_basic", "client_secret_post"]);
    let mut members = gateway.upstream.metadata.clone();
    members.retain(|name, _| !NOT_OURS.contains(&name.as_str()));
    let own = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "token_endpoint_auth_methods_supported": methods,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": gateway.pkce.code_challenge_methods_supported(),
        "authorization_response_iss_parameter_supported": true,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
    });
    members.extend(own.as_object().cloned().unwrap_or_default());
    if gateway.upstream.revocation.is_some() {
        members.insert("revocation_endpoint".to_owned(), json!(format!("{issuer}/revoke")));
        members.insert("revocation_endpoint_auth_methods_supported".to_owned(), methods);
    }
    Value::Object(members).to_string()
}

pub(crate) async fn metadata(State(gateway): State<Gateway>) -> Response {
    respond::json(StatusCode::OK, document(&gateway))
}

/// Tells whoever asks for another URL of the upstream where that is: nothing else is forwarded.
pub(crate) async fn elsewhere(State(gateway): State<Gateway>, uri: Uri) -> Response {
    let upstream = &gateway.upstream;
    let description = match lives(&upstream.metadata, uri.path()) {
        Some(url) => format!("this URL of the upstream is {url}"),
        None => format!("the gateway forwards nothing; every other URL is the upstream's own, {}", upstream.issuer),
    };
    respond::error(StatusCode::NOT_FOUND, "not_found", &description)
}

/// Finds the URL with this path in the upstream's metadata.
fn lives<'a>(metadata: &'a Map<String, Value>, path: &str) -> Option<&'a str> {
    let urls = metadata.values().filter_map(Value::as_str).filter(|text| text.starts_with("http"));
    urls.filter(|url| Url::parse(url).is_ok_and(|url| url.path() == path && path != "/")).min_by_key(|url| url.len())
}
