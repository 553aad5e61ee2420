//! What passes between HTTP and the core: the facts of requests and responses, and bodies.

use std::error::Error;
use std::pin::{Pin, pin};

use bytes::Buf as _;
use http::header::CONTENT_LENGTH;
use http::{request, response};
use http_body::Body;
use http_body_util::{BodyExt as _, LengthLimitError};
use pkce_core::Pkce;
use pkce_core::adapter::{self, BodyBuffer, HostResponse, RequestBody};

/// The future of the services of this crate.
pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The facts of a request for the core: method, query and every header.
pub(crate) fn facts<'a>(parts: &'a request::Parts, body: adapter::Body<'a>) -> adapter::Request<'a> {
    let request = adapter::Request::new(parts.method.as_str(), body).query(parts.uri.query());
    parts.headers.iter().fold(request, |request, (name, value)| request.header(name.as_str(), value.as_bytes()))
}

/// The facts of the host's response: its status and every header.
pub(crate) fn host_response(head: &response::Parts) -> HostResponse<'_> {
    let response = HostResponse::new(head.status.as_u16());
    head.headers.iter().fold(response, |response, (name, value)| response.header(name.as_str(), value.as_bytes()))
}

/// An error of a body, whose sources tell whether a limit outside cut it off.
pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// Reads a request body, as far and as long as the policy allows.
pub(crate) async fn read<B: Body<Error: Into<BoxError>>>(body: B, pkce: &Pkce) -> RequestBody {
    let buffer = BodyBuffer::new(pkce.policy(), Some(body.size_hint().lower()));
    pkce.read_body(fill(body, buffer)).await
}

async fn fill<B: Body<Error: Into<BoxError>>>(body: B, mut buffer: BodyBuffer) -> RequestBody {
    let mut body = pin!(body);
    // A body that knows its length need not be polled once more for the end.
    while buffer.wants_more().is_continue() && !body.is_end_stream() {
        match body.frame().await {
            None => break,
            Some(Err(error)) => {
                return if is_cut_off(&*error.into()) { buffer.too_large() } else { buffer.failed() };
            }
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

/// The length that the request announces, by its body or by its header.
pub(crate) fn announced<B: Body>(parts: &request::Parts, body: &B) -> Option<u64> {
    let header = || parts.headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok();
    body.size_hint().exact().or_else(header)
}

/// Whether a limit outside (`RequestBodyLimitLayer`) ended the body.
fn is_cut_off(error: &(dyn Error + 'static)) -> bool {
    error.is::<LengthLimitError>() || error.source().is_some_and(is_cut_off)
}
