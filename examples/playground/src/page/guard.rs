//! Who may ask the page's own server.

use std::net::SocketAddr;

use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

/// The page under its own address, and nobody else: it hands out codes and tokens, if only of a demonstration.
#[derive(Clone)]
pub(crate) struct Guard {
    host: String,
    alias: String,
}

impl Guard {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { host: address.to_string(), alias: format!("localhost:{}", address.port()) }
    }
}

/// The middleware. A name that leads here from elsewhere (DNS rebinding) is no name of ours, and another site's page
/// cannot make the browser ask.
pub(crate) async fn check(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let host = header(request.headers(), HOST.as_str());
    if host == guard.alias && request.method() == Method::GET {
        // The redirect URI is an address, and what the page remembers belongs to one origin.
        return Redirect::temporary(&format!("http://{}/", guard.host)).into_response();
    }
    if host != guard.host {
        return (StatusCode::MISDIRECTED_REQUEST, format!("This is http://{}/\n", guard.host)).into_response();
    }
    let origin = header(request.headers(), ORIGIN.as_str());
    if !origin.is_empty() && origin != format!("http://{host}") {
        return (StatusCode::FORBIDDEN, "Only the page itself may ask.\n").into_response();
    }
    next.run(request).await
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
