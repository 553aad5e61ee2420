//! From Actix requests and responses to the facts that the core looks at.

use actix_web::{HttpRequest, HttpResponse};
use pkce_core::{Body, HostResponse, Request};

/// The facts of a request for the core's functions: method, query and every header line as they stand.
///
/// The middleware and the extractors do this by themselves; it is here for servers that call the core directly.
pub fn facts<'a>(request: &'a HttpRequest, body: Body<'a>) -> Request<'a> {
    let facts = Request::new(request.method().as_str(), body).query(request.uri().query());
    request.headers().iter().fold(facts, |facts, (name, value)| facts.header(name.as_str(), value.as_bytes()))
}

/// The facts of the host's answer: its status and every header line as they stand.
pub(crate) fn answer<B>(response: &HttpResponse<B>) -> HostResponse<'_> {
    let answer = HostResponse::new(response.status().as_u16());
    response.headers().iter().fold(answer, |answer, (name, value)| answer.header(name.as_str(), value.as_bytes()))
}
