//! The response body of the metadata layer: the host's, the document that was written, or what was read of a body that
//! goes on as it is.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use pin_project_lite::pin_project;
use pkce_core::metadata;

pin_project! {
    /// The response body of a [`Metadata`](crate::Metadata) service.
    #[derive(Debug)]
    pub struct MetadataBody<B: Body> {
        // What comes first, then what the host's body ended with, then the rest of it.
        begin: Bytes,
        failed: Option<B::Error>,
        #[pin]
        rest: Option<Pin<Box<B>>>,
    }
}

/// What became of reading a document.
pub(crate) enum Read<B: Body> {
    /// All of it is here.
    Whole(Bytes),
    /// It is too large, or broke off: it goes on as it is.
    Begun(MetadataBody<B>),
}

impl<B: Body> MetadataBody<B> {
    pub(crate) fn host(body: B) -> Self {
        Self { begin: Bytes::new(), failed: None, rest: Some(Box::pin(body)) }
    }

    pub(crate) const fn whole(document: Bytes) -> Self {
        Self { begin: document, failed: None, rest: None }
    }
}

impl<B: Body<Data = Bytes>> MetadataBody<B> {
    /// Reads a document up to the limit. Trailers are about the host's octets, and end here.
    pub(crate) async fn read(body: B) -> Read<B> {
        if body.size_hint().lower() > metadata::LIMIT as u64 {
            metadata::too_large();
            return Read::Begun(Self::host(body));
        }
        let (mut begin, mut rest) = (BytesMut::new(), Box::pin(body));
        loop {
            match rest.frame().await {
                None => return Read::Whole(begin.freeze()),
                Some(Err(error)) => {
                    return Read::Begun(Self { begin: begin.freeze(), failed: Some(error), rest: None });
                }
                Some(Ok(frame)) => begin.extend_from_slice(&frame.into_data().unwrap_or_default()),
            }
            if begin.len() > metadata::LIMIT {
                metadata::too_large();
                return Read::Begun(Self { begin: begin.freeze(), failed: None, rest: Some(rest) });
            }
        }
    }
}

/// Empty: what a CORS layer outside answers a preflight with.
impl<B: Body> Default for MetadataBody<B> {
    fn default() -> Self {
        Self::whole(Bytes::new())
    }
}

impl<B: Body<Data = Bytes>> Body for MetadataBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        if !this.begin.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(this.begin)))));
        }
        if let Some(error) = this.failed.take() {
            return Poll::Ready(Some(Err(error)));
        }
        match this.rest.as_pin_mut() {
            Some(rest) => rest.get_mut().as_mut().poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.begin.is_empty() && self.failed.is_none() && self.rest.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let begun = self.begin.len() as u64;
        let Some(rest) = &self.rest else {
            return if self.failed.is_some() { SizeHint::default() } else { SizeHint::with_exact(begun) };
        };
        let mut hint = rest.size_hint();
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(begun));
        }
        hint.set_lower(hint.lower().saturating_add(begun));
        hint
    }
}
