//! What passes between Actix and the core: the facts of requests and responses, and bodies.

use std::future::poll_fn;
use std::pin::{Pin, pin};

use actix_web::body::{BodyStream, MessageBody as _};
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::Version;
use actix_web::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use actix_web::{HttpRequest, HttpResponse};
use pkce_core::Pkce;
use pkce_core::adapter::{Body, BodyBuffer, HostResponse, Request, RequestBody};

/// The future of the services and extractors of this crate.
pub(crate) type LocalFuture<T> = Pin<Box<dyn Future<Output = T>>>;

/// The facts of a request for the core: method, query and every header.
pub(crate) fn facts<'a>(request: &'a HttpRequest, body: Body<'a>) -> Request<'a> {
    let facts = Request::new(request.method().as_str(), body).query(request.uri().query());
    request.headers().iter().fold(facts, |facts, (name, value)| facts.header(name.as_str(), value.as_bytes()))
}

/// The facts of the host's response: its status and every header.
pub(crate) fn host_response<B>(response: &HttpResponse<B>) -> HostResponse<'_> {
    let facts = HostResponse::new(response.status().as_u16());
    response.headers().iter().fold(facts, |facts, (name, value)| facts.header(name.as_str(), value.as_bytes()))
}

/// Reads the payload that was taken from this request, as far and as long as the policy allows.
pub(crate) async fn read(request: &HttpRequest, payload: &mut Payload, pkce: &Pkce) -> RequestBody {
    pkce.read_body(fill(payload, BodyBuffer::new(pkce.policy(), announced(request)))).await
}

/// The length that the request announces. Without a header for it, a request by HTTP/1 has no body.
pub(crate) fn announced(request: &HttpRequest) -> Option<u64> {
    let headers = request.headers();
    match headers.get(CONTENT_LENGTH) {
        Some(length) => length.to_str().ok()?.parse().ok(),
        None => (request.version() < Version::HTTP_2 && !headers.contains_key(TRANSFER_ENCODING)).then_some(0),
    }
}

async fn fill(payload: &mut Payload, mut buffer: BodyBuffer) -> RequestBody {
    let mut body = pin!(BodyStream::new(payload));
    while buffer.wants_more().is_continue() {
        match poll_fn(|context| body.as_mut().poll_next(context)).await {
            None => break,
            // A limit outside cut it off.
            Some(Err(PayloadError::Overflow)) => return buffer.too_large(),
            Some(Err(_)) => return buffer.failed(),
            Some(Ok(chunk)) => _ = buffer.push(chunk),
        }
    }
    buffer.finish()
}

/// The identical bytes for the host. They go back to where they were read from if possible, which saves a payload.
pub(crate) fn payload(read: Payload, body: RequestBody) -> Payload {
    let bytes = body.into_bytes();
    match read {
        // An empty chunk is not quite an empty body.
        _ if bytes.is_empty() => Payload::None,
        Payload::H1 { mut payload } => {
            payload.unread_data(bytes);
            Payload::H1 { payload }
        }
        _ => Payload::from(bytes),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use actix_web::web::Bytes;
    use pkce_core::Policy;

    use super::*;

    #[test]
    fn a_request_by_http_1_announces_its_length_or_has_no_body() {
        for (version, header, length) in [
            (Version::HTTP_10, None, Some(0)),
            (Version::HTTP_11, None, Some(0)),
            (Version::HTTP_2, None, None),
            (Version::HTTP_3, None, None),
            (Version::HTTP_11, Some(("transfer-encoding", "chunked")), None),
            (Version::HTTP_2, Some(("transfer-encoding", "chunked")), None),
            (Version::HTTP_11, Some(("content-length", "7")), Some(7)),
            (Version::HTTP_2, Some(("content-length", "7")), Some(7)),
            (Version::HTTP_11, Some(("content-length", "x")), None),
        ] {
            let request = TestRequest::default().version(version);
            let request = header.into_iter().fold(request, TestRequest::insert_header).to_http_request();
            assert_eq!(announced(&request), length, "{version:?} {header:?}");
        }
    }

    #[test]
    fn an_empty_body_is_none_at_all() {
        for (body, is_none) in [("", true), ("a=b", false)] {
            let mut buffer = BodyBuffer::new(&Policy::new(), None);
            _ = buffer.push(Bytes::from(body));
            assert_eq!(matches!(payload(Payload::None, buffer.finish()), Payload::None), is_none);
        }
    }
}
