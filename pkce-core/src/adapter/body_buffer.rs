//! Collecting a body that arrives in chunks, up to a limit.

use std::fmt;
use std::ops::ControlFlow;

use bytes::{Bytes, BytesMut};

use super::request::Body;
use crate::policy::Policy;

/// How much of a body that is too large is read and dropped, in bytes.
const DRAINED: u64 = 1024 * 1024;

/// Collects a request body up to [`Policy::body_limit`].
///
/// * A body that comes in one chunk is not copied.
/// * Of a body that is too large up to 1 MiB is read and dropped, so that a client which is still sending sees the
///   response. One that announces more need not be read at all.
/// * It never holds more than the limit.
///
/// ```
/// use bytes::Bytes;
/// use pkce_core::Policy;
/// use pkce_core::adapter::{Body, BodyBuffer};
///
/// let mut buffer = BodyBuffer::new(&Policy::new().body_limit(4), None);
/// for chunk in ["ab", "cd"] {
///     if buffer.push(Bytes::from(chunk)).is_break() {
///         break;
///     }
/// }
/// let body = buffer.finish();
/// assert!(matches!(body.as_body(), Body::Complete(b"abcd")));
/// ```
pub struct BodyBuffer {
    limit: usize,
    only: Bytes,
    joined: BytesMut,
    dropped: u64,
}

impl BodyBuffer {
    /// Creates a buffer. `announced` is the length that the request announces, if it does (its `Content-Length`).
    pub fn new(policy: &Policy, announced: Option<u64>) -> Self {
        let limit = policy.body_limit;
        let hopeless = announced.is_some_and(|length| length > DRAINED.max(limit as u64));
        let dropped = if hopeless { DRAINED + 1 } else { 0 };
        Self { limit, only: Bytes::new(), joined: BytesMut::new(), dropped }
    }

    /// Returns whether to read on.
    pub const fn wants_more(&self) -> ControlFlow<()> {
        if self.dropped > DRAINED { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Adds a chunk, and returns whether to read on.
    pub fn push(&mut self, chunk: Bytes) -> ControlFlow<()> {
        let length = self.only.len() + self.joined.len();
        if self.dropped > 0 || chunk.len() > self.limit.saturating_sub(length) {
            self.dropped = self.dropped.saturating_add(chunk.len() as u64);
        } else if length == 0 {
            self.only = chunk;
        } else {
            self.joined.extend_from_slice(&std::mem::take(&mut self.only));
            self.joined.extend_from_slice(&chunk);
        }
        self.wants_more()
    }

    /// Returns the body, once it has ended.
    pub fn finish(self) -> RequestBody {
        if self.dropped > 0 {
            RequestBody(Err(Body::TooLarge))
        } else if self.joined.is_empty() {
            RequestBody(Ok(self.only))
        } else {
            RequestBody(Ok(self.joined.freeze()))
        }
    }

    /// Returns the body of a request that ended with an error.
    pub fn failed(self) -> RequestBody {
        RequestBody(Err(Body::Failed))
    }

    /// Returns the body of a request that a limit outside cut off.
    pub fn too_large(self) -> RequestBody {
        RequestBody(Err(Body::TooLarge))
    }
}

/// A request body, or how it ended otherwise. Made by [`BodyBuffer`].
pub struct RequestBody(Result<Bytes, Body<'static>>);

impl RequestBody {
    pub(crate) const TIMED_OUT: Self = Self(Err(Body::TimedOut));

    /// Returns the body for a [`Request`](super::Request).
    pub fn as_body(&self) -> Body<'_> {
        match &self.0 {
            Ok(bytes) => Body::Complete(bytes),
            Err(ended) => *ended,
        }
    }

    /// Returns the identical bytes for the host. Empty if the body was not read to its end: no host gets to see it.
    pub fn into_bytes(self) -> Bytes {
        self.0.unwrap_or_default()
    }
}

/// Shows no content: a body holds codes and verifiers.
impl fmt::Debug for BodyBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = self.only.len() + self.joined.len();
        f.debug_struct("BodyBuffer").field("limit", &self.limit).field("held", &held).finish_non_exhaustive()
    }
}

/// Shows no content, as [`Body`] does.
impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RequestBody").field(&self.as_body()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gather(chunks: &str, announced: Option<u64>) -> RequestBody {
        let mut buffer = BodyBuffer::new(&Policy::new().body_limit(3), announced);
        for chunk in chunks.split('|') {
            _ = buffer.push(Bytes::copy_from_slice(chunk.as_bytes()));
        }
        buffer.finish()
    }

    #[test]
    fn chunks_are_put_together_in_order() {
        for chunks in ["", "|", "abc", "a|b|c", "|ab||c", "a||b"] {
            let body = gather(chunks, None);
            assert!(matches!(body.as_body(), Body::Complete(_)));
            assert_eq!(body.into_bytes(), chunks.replace('|', ""), "{chunks}");
        }
    }

    #[test]
    fn one_byte_over_the_limit_is_too_large_however_it_is_cut() {
        for chunks in ["abcd", "a|bcd", "abc|d", "abcd|a", "|abcde", "ab|cd|e"] {
            let body = gather(chunks, None);
            assert!(matches!(body.as_body(), Body::TooLarge), "{chunks}");
            assert!(body.into_bytes().is_empty());
        }
    }

    #[test]
    fn debug_says_how_much_it_holds() {
        let mut buffer = BodyBuffer::new(&Policy::new().body_limit(5), None);
        for (chunk, held) in [("ab", 2), ("cde", 5), ("f", 5)] {
            _ = buffer.push(Bytes::from(chunk));
            assert_eq!(format!("{buffer:?}"), format!("BodyBuffer {{ limit: 5, held: {held}, .. }}"));
        }
    }

    #[test]
    fn the_only_chunk_is_not_copied() {
        let chunk = Bytes::from_static(b"abc");
        let mut buffer = BodyBuffer::new(&Policy::new(), None);
        _ = buffer.push(chunk.clone());
        assert_eq!(buffer.finish().into_bytes().as_ptr(), chunk.as_ptr());
    }

    #[test]
    fn a_body_far_too_large_is_not_read_to_its_end() {
        assert!(BodyBuffer::new(&Policy::new(), Some(DRAINED)).wants_more().is_continue());
        assert!(BodyBuffer::new(&Policy::new(), Some(DRAINED + 1)).wants_more().is_break());
        let generous = Policy::new().body_limit(usize::try_from(DRAINED).unwrap() + 5);
        assert!(BodyBuffer::new(&generous, Some(DRAINED + 5)).wants_more().is_continue());
        assert!(BodyBuffer::new(&generous, Some(DRAINED + 6)).wants_more().is_break());
        let mut buffer = BodyBuffer::new(&Policy::new(), None);
        let chunk = Bytes::from(vec![0; 64 * 1024]);
        let taken = (0..1000).take_while(|_| buffer.push(chunk.clone()).is_continue()).count();
        assert_eq!(taken, 16);
    }

    #[test]
    fn after_a_chunk_that_is_too_large_no_other_is_kept() {
        let half = usize::try_from(DRAINED).unwrap() / 2;
        let mut buffer = BodyBuffer::new(&Policy::new().body_limit(half), None);
        let mut push = |length| buffer.push(Bytes::from(vec![0; length]));
        assert!(push(half + 1).is_continue());
        assert!(push(half - 1).is_continue());
        assert!(push(1).is_break());
    }
}
