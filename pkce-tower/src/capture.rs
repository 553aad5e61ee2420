//! The service that captures the code from the host's answer.

use std::task::{Context, Poll};

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response};
use http_body::Body;
use pkce_core::{CaptureRefusal, Pkce};
use tower_service::Service;

use crate::body::EndpointBody;
use crate::facts::{answer, facts};
use crate::read;
use crate::render::Renderer;
use crate::service::ResponseFuture;

/// The service that [`CaptureLayer`](crate::CaptureLayer) makes of the host's.
#[derive(Debug, Clone)]
pub struct Capture<S> {
    inner: S,
    pkce: Pkce,
    renderer: Renderer,
}

impl<S> Capture<S> {
    pub(crate) const fn new(inner: S, pkce: Pkce, renderer: Renderer) -> Self {
        Self { inner, pkce, renderer }
    }
}

impl<S, B, R> Service<Request<B>> for Capture<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
    B: Body + From<Bytes> + Send + 'static,
    B::Data: Send,
    R: Body<Data = Bytes> + Send + 'static,
{
    type Response = Response<EndpointBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<Self::Response, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The instance that was found ready is the one to call; its clone need not be ready.
        let clone = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, clone);
        let (pkce, renderer) = (self.pkce.clone(), self.renderer.clone());
        let (parts, body) = request.into_parts();
        ResponseFuture::new(respond(inner, pkce, renderer, parts, body))
    }
}

async fn respond<S, B, R>(
    mut inner: S,
    pkce: Pkce,
    renderer: Renderer,
    parts: Parts,
    body: B,
) -> Result<Response<EndpointBody<R>>, S::Error>
where
    S: Service<Request<B>, Response = Response<R>>,
    B: Body + From<Bytes>,
{
    // Only a POST has its parameters in the body; that of another method goes on as it is.
    let (asked, body) = if parts.method == Method::POST {
        let body = read::read(body, pkce.policy()).await;
        (pkce.capture_request(&facts(&parts, body.facts())), B::from(body.into_bytes()))
    } else {
        (pkce.capture_request(&facts(&parts, pkce_core::Body::Complete(&[]))), body)
    };
    let asked = match asked {
        Ok(asked) => asked,
        Err(rejection) => return Ok(renderer.render(rejection).map(EndpointBody::whole)),
    };
    let (head, body) = inner.call(Request::from_parts(parts, body)).await?.into_parts();
    let captured = pkce.capture(&asked, &answer(&head)).await;
    let Err(refusal) = captured else { return Ok(Response::from_parts(head, EndpointBody::host(body))) };
    let mut response = renderer.render_refusal(&refusal);
    let kept = head.headers.iter().filter(|(name, _)| CaptureRefusal::keeps_header(name.as_str()));
    response.headers_mut().extend(kept.map(|(name, value)| (name.clone(), value.clone())));
    Ok(response.map(EndpointBody::whole))
}
