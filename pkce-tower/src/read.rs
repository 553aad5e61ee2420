//! Reading a request body.

use std::pin::pin;

use bytes::Buf as _;
use http_body::Body;
use http_body_util::BodyExt as _;
use pkce_core::{BodyBuffer, Gathered, Policy};

pub(crate) async fn read<B: Body>(body: B, policy: &Policy) -> Gathered {
    let mut buffer = BodyBuffer::new(policy, Some(body.size_hint().lower()));
    let mut body = pin!(body);
    // A body that knows its length need not be asked once more for the end.
    while buffer.wants_more().is_continue() && !body.is_end_stream() {
        match body.frame().await {
            None => break,
            Some(Err(_)) => return buffer.broken_off(),
            Some(Ok(frame)) => {
                // Trailers say nothing of a form.
                if let Ok(mut data) = frame.into_data() {
                    _ = buffer.push(data.copy_to_bytes(data.remaining()));
                }
            }
        }
    }
    buffer.finish()
}
