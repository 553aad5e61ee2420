//! From HTTP requests and responses to the facts that the core looks at.

use http::request::Parts;
use http::response;
use pkce_core::{Body, HostResponse, Request};

/// The facts of a request for the core's functions: method, query and every header line as they stand.
///
/// The layers and the extractors do this by themselves; it is here for servers that call the core directly.
pub fn facts<'a>(parts: &'a Parts, body: Body<'a>) -> Request<'a> {
    let request = Request::new(parts.method.as_str(), body).query(parts.uri.query());
    parts.headers.iter().fold(request, |request, (name, value)| request.header(name.as_str(), value.as_bytes()))
}

/// The facts of the host's answer: its status and every header line as they stand.
pub(crate) fn answer(head: &response::Parts) -> HostResponse<'_> {
    let answer = HostResponse::new(head.status.as_u16());
    head.headers.iter().fold(answer, |answer, (name, value)| answer.header(name.as_str(), value.as_bytes()))
}
