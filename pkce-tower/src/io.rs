//! What passes between HTTP and the core: the facts of requests and responses, and bodies.

use std::pin::{Pin, pin};

use bytes::Buf as _;
use http::{request, response};
use http_body::Body;
use http_body_util::BodyExt as _;
use pkce_core::Policy;
use pkce_core::adapter::{self, BodyBuffer, HostResponse, RequestBody};

/// The future of the services of this crate.
pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Returns the facts of a request for the functions of [`pkce_core::adapter`]: method, query and every header.
///
/// The layers and the extractors do this by themselves. It is for servers that call the core directly.
pub fn facts<'a>(parts: &'a request::Parts, body: adapter::Body<'a>) -> adapter::Request<'a> {
    let request = adapter::Request::new(parts.method.as_str(), body).query(parts.uri.query());
    parts.headers.iter().fold(request, |request, (name, value)| request.header(name.as_str(), value.as_bytes()))
}

/// The facts of the host's response: its status and every header.
pub(crate) fn host_response(head: &response::Parts) -> HostResponse<'_> {
    let response = HostResponse::new(head.status.as_u16());
    head.headers.iter().fold(response, |response, (name, value)| response.header(name.as_str(), value.as_bytes()))
}

/// Reads a request body, as far as the policy allows.
pub(crate) async fn read<B: Body>(body: B, policy: &Policy) -> RequestBody {
    let mut buffer = BodyBuffer::new(policy, Some(body.size_hint().lower()));
    let mut body = pin!(body);
    // A body that knows its length need not be polled once more for the end.
    while buffer.wants_more().is_continue() && !body.is_end_stream() {
        match body.frame().await {
            None => break,
            Some(Err(_)) => return buffer.failed(),
            Some(Ok(frame)) => {
                // Trailers are no part of a form.
                if let Ok(mut data) = frame.into_data() {
                    _ = buffer.push(data.copy_to_bytes(data.remaining()));
                }
            }
        }
    }
    buffer.finish()
}
