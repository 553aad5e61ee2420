//! The response body of the metadata middleware: the host's, the document that was written, or what was read of a body
//! that goes on as it is.

use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::{Bytes, BytesMut};
use pkce_core::metadata;

/// The response body that [`Metadata`](crate::Metadata) makes of the host's.
#[doc(hidden)]
pub struct MetadataBody<B> {
    // What comes first, then what the host's body ended with, then the rest of it.
    begin: Bytes,
    failed: Option<Box<dyn Error>>,
    rest: Option<Pin<Box<B>>>,
}

impl<B: MessageBody> MetadataBody<B> {
    pub(crate) fn host(body: B) -> Self {
        Self { begin: Bytes::new(), failed: None, rest: Some(Box::pin(body)) }
    }

    pub(crate) const fn whole(document: Bytes) -> Self {
        Self { begin: document, failed: None, rest: None }
    }

    /// Reads a document up to the limit; one that is too large or breaks off goes on as it is.
    pub(crate) async fn read(body: B) -> Result<Bytes, Self> {
        if matches!(body.size(), BodySize::Sized(length) if length > metadata::LIMIT as u64) {
            metadata::too_large();
            return Err(Self::host(body));
        }
        let (mut begin, mut rest) = (BytesMut::new(), Box::pin(body));
        loop {
            match poll_fn(|context| rest.as_mut().poll_next(context)).await {
                None => return Ok(begin.freeze()),
                Some(Err(error)) => {
                    return Err(Self { begin: begin.freeze(), failed: Some(error.into()), rest: None });
                }
                Some(Ok(chunk)) => begin.extend_from_slice(&chunk),
            }
            if begin.len() > metadata::LIMIT {
                metadata::too_large();
                return Err(Self { begin: begin.freeze(), failed: None, rest: Some(rest) });
            }
        }
    }
}

impl<B: MessageBody> MessageBody for MetadataBody<B> {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        match (&self.rest, &self.failed) {
            (Some(rest), None) if self.begin.is_empty() => rest.size(),
            (None, None) => BodySize::Sized(self.begin.len() as u64),
            // Its size was not known, or it would not have been begun.
            _ => BodySize::Stream,
        }
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if !self.begin.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut self.begin))));
        }
        if let Some(error) = self.failed.take() {
            return Poll::Ready(Some(Err(error)));
        }
        match &mut self.rest {
            Some(rest) => rest.as_mut().poll_next(cx).map_err(Into::into),
            None => Poll::Ready(None),
        }
    }
}

impl<B> fmt::Debug for MetadataBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetadataBody").field("begin", &self.begin.len()).finish_non_exhaustive()
    }
}
