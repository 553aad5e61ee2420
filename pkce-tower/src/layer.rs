//! The layer for the token endpoint.

use bytes::Bytes;
use http::Response;
use pkce_core::{Pkce, Rejection};
use tower_layer::Layer;

use crate::render::Renderer;
use crate::service::TokenEndpoint;
use crate::timer::TokioTimer;

/// Checks the code verifier at the token endpoint: the service inside runs only once the request is judged.
///
/// See the [crate documentation](crate) for the rules and an example.
#[derive(Debug, Clone)]
#[must_use = "a layer protects nothing until it is mounted"]
pub struct TokenEndpointLayer {
    pkce: Pkce,
    renderer: Renderer,
}

impl TokenEndpointLayer {
    /// A layer with the standard answers (RFC 6749 §5.2).
    ///
    /// It lends tokio's timer to `pkce` for the store's time-out, unless another was lent before. A store that has to
    /// wait then needs a tokio runtime with its time driver enabled.
    pub fn new(pkce: Pkce) -> Self {
        pkce.lend_timer(TokioTimer);
        Self { pkce, renderer: Renderer::default() }
    }

    /// Renders refusals by a closure: as problem+json, HTML, or in the host's own form.
    ///
    /// Whatever it returns, the [`Rejection`] and its [`Reason`](crate::Reason) stand in the response's extensions.
    /// The default answers are the standard; a client library may not understand others.
    ///
    /// ```
    /// # use pkce_tower::{MemoryStore, Pkce, TokenEndpointLayer};
    /// # let pkce = Pkce::new(MemoryStore::new());
    /// let layer = TokenEndpointLayer::new(pkce).render(|rejection| {
    ///     let mut response = http::Response::new(format!("refused: {}", rejection.error()).into());
    ///     *response.status_mut() = http::StatusCode::BAD_REQUEST;
    ///     response
    /// });
    /// # let _ = layer;
    /// ```
    pub fn render(mut self, render: impl Fn(&Rejection) -> Response<Bytes> + Send + Sync + 'static) -> Self {
        self.renderer = Renderer::new(render);
        self
    }
}

impl<S> Layer<S> for TokenEndpointLayer {
    type Service = TokenEndpoint<S>;

    fn layer(&self, inner: S) -> Self::Service {
        TokenEndpoint::new(inner, self.pkce.clone(), self.renderer.clone())
    }
}
