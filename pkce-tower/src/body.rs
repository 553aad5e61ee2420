//! The response body: the host's, or the layer's own answer.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// The response body of a [`TokenEndpoint`](crate::TokenEndpoint) and of a [`Capture`](crate::Capture): the host's own,
    /// untouched, or a refusal.
    #[derive(Debug)]
    pub struct EndpointBody<B> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = KindProjection]
    enum Kind<B> {
        Host { #[pin] body: B },
        Refusal { body: Bytes },
    }
}

impl<B> EndpointBody<B> {
    pub(crate) const fn host(body: B) -> Self {
        Self { kind: Kind::Host { body } }
    }

    pub(crate) const fn refusal(body: Bytes) -> Self {
        Self { kind: Kind::Refusal { body } }
    }
}

/// Empty: what a CORS layer outside answers a preflight with.
impl<B> Default for EndpointBody<B> {
    fn default() -> Self {
        Self::refusal(Bytes::new())
    }
}

impl<B: Body<Data = Bytes>> Body for EndpointBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().kind.project() {
            KindProjection::Host { body } => body.poll_frame(cx),
            KindProjection::Refusal { body } if body.is_empty() => Poll::Ready(None),
            KindProjection::Refusal { body } => Poll::Ready(Some(Ok(Frame::data(std::mem::take(body))))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Host { body } => body.is_end_stream(),
            Kind::Refusal { body } => body.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Host { body } => body.size_hint(),
            Kind::Refusal { body } => SizeHint::with_exact(body.len() as u64),
        }
    }
}
