//! From an HTTP request to the facts that the core looks at.

use http::request::Parts;
use pkce_core::{Body, Request};

/// The facts of a request for the core's functions: method, query and every header line as they stand.
///
/// The layer and the extractors do this by themselves; it is here for servers that call the core directly.
pub fn facts<'a>(parts: &'a Parts, body: Body<'a>) -> Request<'a> {
    let request = Request::new(parts.method.as_str(), body).query(parts.uri.query());
    parts.headers.iter().fold(request, |request, (name, value)| request.header(name.as_str(), value.as_bytes()))
}
