//! Reading a request body.

use std::future::poll_fn;
use std::pin::pin;

use actix_web::HttpRequest;
use actix_web::body::{BodyStream, MessageBody as _};
use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_LENGTH;
use pkce_core::{BodyBuffer, Gathered, Policy};

/// Reads the payload that was taken from this request, to its end if the body is any good.
pub(crate) async fn read(request: &HttpRequest, payload: &mut Payload, policy: &Policy) -> Gathered {
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let mut buffer = BodyBuffer::new(policy, announced);
    let mut body = pin!(BodyStream::new(payload));
    while buffer.wants_more().is_continue() {
        match poll_fn(|context| body.as_mut().poll_next(context)).await {
            None => break,
            Some(Err(_)) => return buffer.broken_off(),
            Some(Ok(chunk)) => _ = buffer.push(chunk),
        }
    }
    buffer.finish()
}

/// The identical octets for the host, put back where they were read from if that can be: one payload less to make.
pub(crate) fn payload(read: Payload, body: Gathered) -> Payload {
    let octets = body.into_bytes();
    match read {
        // An empty chunk is not quite an empty body.
        _ if octets.is_empty() => Payload::None,
        Payload::H1 { mut payload } => {
            payload.unread_data(octets);
            Payload::H1 { payload }
        }
        _ => Payload::from(octets),
    }
}
