//! The response body of the layers.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// The response body of the layers' services: the host's body, unchanged, or the bytes that the layer put in its place.
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
        Whole { body: Bytes },
        Removed,
    }
}

impl<B> EndpointBody<B> {
    pub(crate) const fn host(body: B) -> Self {
        Self { kind: Kind::Host { body } }
    }

    pub(crate) const fn whole(body: Bytes) -> Self {
        Self { kind: Kind::Whole { body } }
    }

    /// The body of a response to a HEAD. Its size is unknown, so that nobody takes 0 for the length of the GET's.
    pub(crate) const fn removed() -> Self {
        Self { kind: Kind::Removed }
    }
}

/// Returns an empty body, with which a CORS layer outside answers a preflight request.
impl<B> Default for EndpointBody<B> {
    fn default() -> Self {
        Self::whole(Bytes::new())
    }
}

impl<B: Body<Data = Bytes>> Body for EndpointBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().kind.project() {
            KindProjection::Host { body } => body.poll_frame(cx),
            KindProjection::Whole { body } if body.is_empty() => Poll::Ready(None),
            KindProjection::Removed => Poll::Ready(None),
            KindProjection::Whole { body } => Poll::Ready(Some(Ok(Frame::data(std::mem::take(body))))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Host { body } => body.is_end_stream(),
            Kind::Whole { body } => body.is_empty(),
            Kind::Removed => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Host { body } => body.size_hint(),
            Kind::Whole { body } => SizeHint::with_exact(body.len() as u64),
            Kind::Removed => SizeHint::default(),
        }
    }
}
