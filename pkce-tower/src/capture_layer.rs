//! The layer for an authorization endpoint that issues the code at once.

use bytes::Bytes;
use http::Response;
use pkce_core::{Pkce, Rejection};
use tower_layer::Layer;

use crate::capture::Capture;
use crate::render::Renderer;
use crate::timer::TokioTimer;

/// Captures the code from the redirect of an authorization endpoint, and binds it to the challenge of the same request.
///
/// For a server that issues the code in the very answer to the request that carries the authorization parameters: the
/// authorization request itself, or the POST of a consent form that repeats them, in its action or in hidden fields.
/// Between the two requests nothing is kept. A server that keeps the authorization request in a session meanwhile, or
/// answers by `form_post`, a JWT or JSON, calls [`Pkce::bind`] instead.
///
/// 1. The host runs, and validates client and redirect URI as ever. An answer without a code passes as it is.
/// 2. A code leaves only by 302 or 303, only to the `redirect_uri` of this request, and only once it is bound.
/// 3. Otherwise the answer becomes the standard error redirect (RFC 6749 §4.1.2.1) if the host redirected to that URI,
///    and a plain refusal if not. All of the rules are [`Pkce::capture`]'s.
///
/// ```
/// # #[cfg(feature = "axum")] {
/// use axum::Router;
/// use axum::response::Redirect;
/// use axum::routing::{get, post};
/// use pkce_tower::{CaptureLayer, MemoryStore, Pkce, TokenEndpointLayer};
///
/// async fn authorize() -> Redirect {
///     // … a server that knows nothing of PKCE …
///     Redirect::to("https://app.example/cb?code=4711&state=s")
/// }
/// # async fn token() -> &'static str { "tokens" }
///
/// let pkce = Pkce::new(MemoryStore::new());
/// let app: Router = Router::new()
///     .route("/authorize", get(authorize).layer(CaptureLayer::new(pkce.clone())))
///     .route("/token", post(token).layer(TokenEndpointLayer::new(pkce)));
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// # use tower::ServiceExt as _;
/// let challenge = "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
/// for (parameters, answer) in [
///     (challenge, "https://app.example/cb?code=4711&state=s"),
///     ("", "https://app.example/cb?error=invalid_request&error_description=code%20challenge%20required&state=s"),
/// ] {
///     let uri = format!("/authorize?redirect_uri=https%3A%2F%2Fapp.example%2Fcb&state=s&{parameters}");
///     let response = app.clone().oneshot(http::Request::get(uri).body(axum::body::Body::empty())?).await?;
///     assert_eq!(response.headers()["location"], answer);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?; }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a layer protects nothing until it is mounted"]
pub struct CaptureLayer {
    pkce: Pkce,
    renderer: Renderer,
}

impl CaptureLayer {
    /// A layer with the standard answers. It lends tokio's timer to `pkce` for the store's time-out.
    pub fn new(pkce: Pkce) -> Self {
        pkce.lend_timer(TokioTimer);
        Self { pkce, renderer: Renderer::default() }
    }

    /// Renders plain refusals by a closure: as an HTML page, say. An error redirect has no page.
    ///
    /// Whatever it returns, the [`Rejection`] and its [`Reason`](crate::Reason) stand in the response's extensions, as
    /// they do with an error redirect.
    pub fn render(mut self, render: impl Fn(&Rejection) -> Response<Bytes> + Send + Sync + 'static) -> Self {
        self.renderer = Renderer::new(render);
        self
    }
}

impl<S> Layer<S> for CaptureLayer {
    type Service = Capture<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Capture::new(inner, self.pkce.clone(), self.renderer.clone())
    }
}
