//! Reading a body up to a limit.

use std::pin::pin;

use bytes::{Buf as _, Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt as _;

/// How much of a body that is too large is read and dropped, in octets, so that a client which is still sending gets
/// to see the answer. A body that announces more is not read at all.
const DRAINED: u64 = 1024 * 1024;

/// A body that was read, or how it ended otherwise.
pub(crate) enum ReadBody {
    Complete(Bytes),
    TooLarge,
    BrokenOff,
}

impl ReadBody {
    pub(crate) fn as_core(&self) -> pkce_core::Body<'_> {
        match self {
            Self::Complete(bytes) => pkce_core::Body::Complete(bytes),
            Self::TooLarge => pkce_core::Body::TooLarge,
            Self::BrokenOff => pkce_core::Body::BrokenOff,
        }
    }

    /// The identical octets for the host; nothing of a body that was not read to its end.
    pub(crate) fn into_bytes(self) -> Bytes {
        match self {
            Self::Complete(bytes) => bytes,
            Self::TooLarge | Self::BrokenOff => Bytes::new(),
        }
    }
}

/// A body that comes in one piece is not copied.
pub(crate) async fn read<B: Body>(body: B, limit: usize) -> ReadBody {
    if body.size_hint().lower() > DRAINED.max(limit as u64) {
        return ReadBody::TooLarge;
    }
    let mut body = pin!(body);
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    let mut dropped = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return ReadBody::BrokenOff };
        let Ok(mut data) = frame.into_data() else { continue };
        let length = data.remaining();
        if dropped > 0 || first.len() + rest.len() + length > limit {
            dropped += length as u64;
            if dropped > DRAINED {
                return ReadBody::TooLarge;
            }
        } else if first.is_empty() {
            first = data.copy_to_bytes(length);
        } else {
            if rest.is_empty() {
                rest.extend_from_slice(&first);
                first = Bytes::new();
            }
            rest.extend_from_slice(&data.copy_to_bytes(length));
        }
    }
    match (dropped, rest.is_empty()) {
        (0, true) => ReadBody::Complete(first),
        (0, false) => ReadBody::Complete(rest.freeze()),
        _ => ReadBody::TooLarge,
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http_body::Frame;
    use http_body_util::StreamBody;

    use super::*;

    async fn read_chunks(chunks: &[&'static [u8]], limit: usize) -> Option<Bytes> {
        let frames: Vec<_> =
            chunks.iter().map(|chunk| Ok::<_, Infallible>(Frame::data(Bytes::from_static(chunk)))).collect();
        match read(StreamBody::new(Frames(frames.into_iter())), limit).await {
            ReadBody::Complete(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// A stream without a stream crate.
    struct Frames<I>(I);

    impl<I: Iterator + Unpin> futures_core::Stream for Frames<I> {
        type Item = I::Item;

        fn poll_next(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<I::Item>> {
            std::task::Poll::Ready(self.0.next())
        }
    }

    #[tokio::test]
    async fn chunks_are_put_together_in_order() {
        for chunks in ["", "|", "abc", "a|b|c", "|ab||c"] {
            let chunks: Vec<&[u8]> = chunks.split('|').map(str::as_bytes).collect();
            let expected = chunks.concat();
            assert_eq!(read_chunks(&chunks, 3).await.as_deref(), Some(&expected[..]));
        }
    }

    #[tokio::test]
    async fn one_octet_over_the_limit_is_too_large_however_it_is_cut() {
        for chunks in ["abcd", "a|bcd", "abc|d", "abcd|a", "|abcde"] {
            let chunks: Vec<&[u8]> = chunks.split('|').map(str::as_bytes).collect();
            assert_eq!(read_chunks(&chunks, 3).await, None);
        }
    }

    #[tokio::test]
    async fn the_only_chunk_is_not_copied() {
        let chunk: &'static [u8] = b"abc";
        assert_eq!(read_chunks(&[chunk], 3).await.unwrap().as_ptr(), chunk.as_ptr());
    }
}
