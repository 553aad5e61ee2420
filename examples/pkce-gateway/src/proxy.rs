//! Everything else goes to the upstream and comes back as it is: user information, keys, an API.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    CONNECTION, COOKIE, HOST, HeaderName, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING,
    UPGRADE, VIA,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, Version};
use axum::response::Response;

use crate::answer::Fault;
use crate::closed::is_closed;
use crate::gateway::{ENDPOINTS, Gateway};
use crate::page::page;

/// What concerns one connection and not the next (RFC 9110 §7.6.1).
const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// By these some servers take another path for the one that was asked for, or another proxy for their own requests.
const MISLEADING: [&str; 3] = ["x-original-url", "x-rewrite-url", "proxy"];

/// The gateway adds no credentials here, and takes away its own cookies. Bodies are streamed both ways.
pub(crate) async fn proxy(State(gateway): State<Gateway>, request: Request) -> Response {
    // A TRACE would show a script the cookies; a CONNECT has no path.
    if matches!(*request.method(), Method::TRACE | Method::CONNECT) {
        return page(StatusCode::METHOD_NOT_ALLOWED, "This method is not allowed here.");
    }
    let target = match target(&gateway, request.uri()) {
        Ok(target) => target,
        Err(status) => return page(status, "There is nothing here."),
    };
    let (mut head, body) = request.into_parts();
    strip(&mut head.headers);
    distrust(&gateway, &mut head.headers);
    head.headers.remove(HOST); // the upstream's is set with the target
    head.headers.append(VIA, HeaderValue::from_static("1.1 pkce-gateway"));
    without_cookies(&gateway, &mut head.headers);
    head.uri = target;
    head.version = Version::HTTP_11;
    // What the layers of this server have put there is none of the client's business.
    head.extensions.clear();
    match gateway.upstream.forward(Request::from_parts(head, body)).await {
        Ok(mut response) => {
            strip(response.headers_mut());
            *response.version_mut() = Version::HTTP_11;
            response.map(Body::new)
        }
        Err(Fault::TimedOut) => page(StatusCode::GATEWAY_TIMEOUT, "The server behind this one does not answer."),
        Err(_) => page(StatusCode::BAD_GATEWAY, "The server behind this one cannot be reached."),
    }
}

/// The upstream's URL, and the path and query behind it as they were sent. The host of the request has no say in it.
fn target(gateway: &Gateway, uri: &Uri) -> Result<Uri, StatusCode> {
    let base = gateway.upstream.base();
    let prefix = base.path().trim_end_matches('/');
    let inside = uri.path_and_query().map_or("/", |path| path.as_str());
    if !inside.starts_with('/') {
        return Err(StatusCode::BAD_REQUEST);
    }
    let path = format!("{prefix}{}", uri.path());
    let same_origin = gateway.upstream.endpoints().into_iter().filter(|url| url.origin() == base.origin());
    let endpoints: Vec<&str> = same_origin.map(url::Url::path).collect();
    let unclear = |_| StatusCode::BAD_REQUEST;
    let is_own = is_closed(uri.path(), &ENDPOINTS).map_err(unclear)?;
    if is_own || is_closed(&path, &endpoints).map_err(unclear)? {
        return Err(StatusCode::NOT_FOUND);
    }
    let origin = base.origin().ascii_serialization();
    format!("{origin}{prefix}{inside}").parse().map_err(|_| StatusCode::BAD_REQUEST)
}

/// Takes away the headers of the connection, and those that `Connection` names.
fn strip(headers: &mut HeaderMap) {
    let lines = headers.get_all(CONNECTION).into_iter().filter_map(|line| line.to_str().ok());
    let named: Vec<HeaderName> =
        lines.flat_map(|line| line.split(',')).filter_map(|name| name.trim().parse().ok()).collect();
    for name in HOP_BY_HOP.iter().chain(&named) {
        headers.remove(name);
    }
}

/// Takes away what a client could only lie about. CGI makes a hyphen and an underscore one.
fn distrust(gateway: &Gateway, headers: &mut HeaderMap) {
    let is_lie = |name: &HeaderName| {
        let hyphened = name.as_str().replace('_', "-");
        let says_from_where =
            hyphened.starts_with("x-forwarded-") || matches!(hyphened.as_str(), "forwarded" | "x-real-ip");
        let is_trusted = gateway.behind_proxy && hyphened == name.as_str();
        MISLEADING.contains(&hyphened.as_str()) || (says_from_where && !is_trusted)
    };
    let lies: Vec<HeaderName> = headers.keys().filter(|name| is_lie(name)).cloned().collect();
    for name in lies {
        headers.remove(name);
    }
}

fn without_cookies(gateway: &Gateway, headers: &mut HeaderMap) {
    let lines: Vec<HeaderValue> = headers.get_all(COOKIE).into_iter().cloned().collect();
    headers.remove(COOKIE);
    for line in lines {
        let left = gateway.cookies.without(line.as_bytes()).and_then(|left| HeaderValue::try_from(left).ok());
        if let Some(left) = left {
            headers.append(COOKIE, left);
        }
    }
}
