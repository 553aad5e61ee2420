//! The service that judges a token request before the host sees it.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body::Body;
use pkce_core::{Judgement, Pkce, Settle};
use tower_service::Service;

use crate::body::EndpointBody;
use crate::clearance::Clearance;
use crate::facts::facts;
use crate::read;
use crate::render::{Renderer, misconfigured};

/// The service that [`TokenEndpointLayer`](crate::TokenEndpointLayer) makes of the host's.
#[derive(Debug, Clone)]
pub struct TokenEndpoint<S> {
    inner: S,
    pkce: Pkce,
    renderer: Renderer,
}

impl<S> TokenEndpoint<S> {
    pub(crate) const fn new(inner: S, pkce: Pkce, renderer: Renderer) -> Self {
        Self { inner, pkce, renderer }
    }
}

impl<S, B, R> Service<Request<B>> for TokenEndpoint<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
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

#[expect(
    clippy::manual_async_fn,
    reason = "an `async fn` keeps each argument twice, and a large future is slow to make"
)]
fn respond<S, B, R>(
    mut inner: S,
    pkce: Pkce,
    renderer: Renderer,
    mut parts: Parts,
    body: B,
) -> impl Future<Output = Result<Response<EndpointBody<R>>, S::Error>>
where
    S: Service<Request<B>, Response = Response<R>>,
    B: Body + From<Bytes>,
{
    async move {
        if parts.extensions.get::<Clearance>().is_some() {
            let mut response = misconfigured(MOUNTED_TWICE).map(EndpointBody::whole);
            // The one outside has redeemed the code, and the host has not run.
            response.extensions_mut().insert(Settle::Restore);
            return Ok(response);
        }
        let body = read::read(body, pkce.policy()).await;
        let judgement = pkce.judge(&facts(&parts, body.facts())).await;
        let reservation = match judgement {
            Judgement::Reject(rejection) => return Ok(renderer.render(rejection).map(EndpointBody::whole)),
            Judgement::PassThrough => None,
            Judgement::Proceed(clearance, reservation) => {
                parts.extensions.insert(Clearance(clearance));
                Some(reservation)
            }
        };
        let response = inner.call(Request::from_parts(parts, B::from(body.into_bytes()))).await?;
        if let Some(reservation) = reservation {
            let overrule = response.extensions().get::<Settle>().copied();
            pkce.settle(reservation, response.status().as_u16(), overrule).await;
        }
        Ok(response.map(EndpointBody::host))
    }
}

const MOUNTED_TWICE: &str = "pkce-tower: TokenEndpointLayer is mounted twice on this route";

/// The future of a service of this crate. That of a [`TokenEndpoint`], dropped while the host runs, leaves the code
/// redeemed.
pub struct ResponseFuture<R, E>(Pin<Box<dyn Future<Output = Result<R, E>> + Send>>);

impl<R, E> ResponseFuture<R, E> {
    pub(crate) fn new(future: impl Future<Output = Result<R, E>> + Send + 'static) -> Self {
        Self(Box::pin(future))
    }
}

impl<R, E> Future for ResponseFuture<R, E> {
    type Output = Result<R, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl<R, E> fmt::Debug for ResponseFuture<R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
