//! The layer for the token endpoint.

use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, HeaderName, HeaderValue};
use http::{Request, Response};
use http_body::Body;
use pkce_core::adapter::token;
use pkce_core::{Pkce, Settle};
use tower_layer::Layer;
use tower_service::Service;

use crate::extract::Clearance;
use crate::io::{self, BoxError, BoxFuture, facts};
use crate::rejection::Renderer;

/// Checks the code verifier at the token endpoint: the service inside runs only once the request was judged.
///
/// See the [crate documentation](crate) for the rules and an example.
#[derive(Debug, Clone)]
#[must_use = "a layer protects nothing until it is mounted"]
pub struct TokenEndpointLayer {
    pkce: Pkce,
    renderer: Renderer,
}

impl TokenEndpointLayer {
    /// Creates a layer that sends the standard error responses (RFC 6749 §5.2).
    pub fn new(pkce: Pkce) -> Self {
        Self { pkce, renderer: Renderer::default() }
    }

    /// Renders rejections by a closure: as problem+json, as HTML, or in the host's own format.
    ///
    /// Whatever it returns, the [`pkce_core::Rejection`] is in the extensions of the response. A client library may not
    /// understand other responses than the standard ones.
    ///
    /// ```
    /// # use pkce_tower::{MemoryStore, Pkce, TokenEndpointLayer};
    /// # let pkce = Pkce::new(MemoryStore::new());
    /// let layer = TokenEndpointLayer::new(pkce).render(|rejection| {
    ///     let mut response = http::Response::new(format!("rejected: {}", rejection.error()).into());
    ///     *response.status_mut() = http::StatusCode::BAD_REQUEST;
    ///     response
    /// });
    /// # let _ = layer;
    /// ```
    pub fn render(mut self, render: impl Fn(&pkce_core::Rejection) -> Response<Bytes> + Send + Sync + 'static) -> Self {
        self.renderer = Renderer::new(render);
        self
    }
}

impl<S> Layer<S> for TokenEndpointLayer {
    type Service = TokenEndpoint<S>;

    fn layer(&self, inner: S) -> Self::Service {
        TokenEndpoint { inner, layer: self.clone() }
    }
}

/// The service that [`TokenEndpointLayer`] makes of the host's.
///
/// Its future, dropped while the host runs, leaves the code redeemed.
#[derive(Debug, Clone)]
pub struct TokenEndpoint<S> {
    inner: S,
    layer: TokenEndpointLayer,
}

impl<S, B, R> Service<Request<B>> for TokenEndpoint<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Body + From<Bytes> + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
    R: From<Bytes> + Send,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = BoxFuture<Result<Response<R>, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The instance that was polled ready is the one to call. Its clone need not be ready.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let TokenEndpointLayer { pkce, renderer } = self.layer.clone();
        let (mut parts, body) = request.into_parts();
        Box::pin(async move {
            if Clearance::of(&parts.extensions).is_some() {
                let mut response = renderer.render(pkce_core::Rejection::misconfigured(MOUNTED_TWICE));
                // The layer outside has redeemed the code, and the host has not run.
                response.extensions_mut().insert(Settle::Restore);
                return Ok(response.map(R::from));
            }
            let body = io::read(body, &pkce).await;
            let judged = pkce.judge(&facts(&parts, body.as_body())).await;
            let (clearance, reservation) = match judged {
                Ok(judged) => judged,
                Err(rejection) => return Ok(renderer.render(rejection).map(R::from)),
            };
            let is_token_request = clearance.is_some();
            if let Some(clearance) = clearance {
                parts.extensions.insert(Clearance(clearance));
            }
            let mut response = inner.call(Request::from_parts(parts, body.into_bytes().into())).await?;
            pkce.settle(reservation, settle(&response)).await;
            if is_token_request {
                forbid_storing(&mut response);
            }
            Ok(response)
        })
    }
}

fn settle<R>(response: &Response<R>) -> Settle {
    response.extensions().get().copied().unwrap_or_else(|| Settle::by_status(response.status().as_u16()))
}

fn forbid_storing<R>(response: &mut Response<R>) {
    let (status, has_cache_control) = (response.status().as_u16(), response.headers().contains_key(CACHE_CONTROL));
    for (name, value) in token::response_headers(status, has_cache_control) {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}

const MOUNTED_TWICE: &str = "pkce-tower: TokenEndpointLayer is mounted twice on this route";
