//! The layer for an authorization endpoint that issues the code at once.

use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderValue, Request, Response};
use http_body::Body;
use pkce_core::Pkce;
use pkce_core::adapter::{self, CaptureRejection};
use tower_layer::Layer;
use tower_service::Service;

use crate::io::{self, BoxError, BoxFuture, facts, host_response};
use crate::rejection::Renderer;

/// Captures the code from the redirect of an authorization endpoint, and binds it to the challenge of the same request.
///
/// For a server that issues the code in its response to the request that carries the authorization parameters: the
/// authorization request itself, or the POST of a consent form that repeats them, in its action or in hidden fields.
/// Nothing is kept between requests, so whoever posts such a form chooses the challenge: it needs a CSRF token that belongs
/// to the user's session. A server that keeps the authorization request in a session, or responds by
/// `form_post`, a JWT or JSON, calls [`Pkce::bind`] instead.
///
/// 1. The host runs, and validates client and redirect URI as before. A response without a code passes unchanged.
/// 2. A code leaves only by 302 or 303 (or 307 in response to a GET), only to the `redirect_uri` of this request, and only
///    once it is bound.
/// 3. Otherwise the client gets the standard error redirect (RFC 6749 §4.1.2.1) if the host redirected to that URI, and a
///    plain rejection if not. [`Pkce::capture`] lists all of the rules.
///
/// Mount it on the authorization endpoint (and the consent form) alone: any other redirect with a parameter `code` would be
/// judged too.
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
/// for (parameters, location) in [
///     (challenge, "https://app.example/cb?code=4711&state=s"),
///     ("", "https://app.example/cb?error=invalid_request&error_description=code%20challenge%20required&state=s"),
/// ] {
///     let uri = format!("/authorize?redirect_uri=https%3A%2F%2Fapp.example%2Fcb&state=s&{parameters}");
///     let response = app.clone().oneshot(http::Request::get(uri).body(axum::body::Body::empty())?).await?;
///     assert_eq!(response.headers()["location"], location);
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
    /// Creates a layer that sends the standard error responses.
    pub fn new(pkce: Pkce) -> Self {
        Self { pkce, renderer: Renderer::default() }
    }

    /// Renders plain rejections by a closure, for example as an HTML page. An error redirect has no page.
    ///
    /// Whatever it returns, the [`pkce_core::Rejection`] is in the extensions of the response, also of an error redirect.
    pub fn render(mut self, render: impl Fn(&pkce_core::Rejection) -> Response<Bytes> + Send + Sync + 'static) -> Self {
        self.renderer = Renderer::new(render);
        self
    }
}

impl<S> Layer<S> for CaptureLayer {
    type Service = Capture<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Capture { inner, layer: self.clone() }
    }
}

/// The service that [`CaptureLayer`] makes of the host's.
#[derive(Debug, Clone)]
pub struct Capture<S> {
    inner: S,
    layer: CaptureLayer,
}

impl<S, B, R> Service<Request<B>> for Capture<S>
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
        let CaptureLayer { pkce, renderer } = self.layer.clone();
        let (parts, body) = request.into_parts();
        Box::pin(async move {
            let (announced, head) = (io::announced(&parts, &body), facts(&parts, adapter::Body::Unread));
            let (asked, body) = if pkce.captures_body(&head, announced) {
                let body = io::read(body, &pkce).await;
                (pkce.capture_request(&facts(&parts, body.as_body())), body.into_bytes().into())
            } else {
                (pkce.capture_request(&head), body)
            };
            let asked = match asked {
                Ok(asked) => asked,
                Err(rejection) => return Ok(renderer.render(rejection).map(R::from)),
            };
            let (mut head, body) = inner.call(Request::from_parts(parts, body)).await?.into_parts();
            let rejection = match pkce.capture(&asked, &host_response(&head)).await {
                Ok(location) => {
                    // The host's, with one more parameter in ASCII.
                    if let Some(location) = location.and_then(|location| HeaderValue::try_from(location).ok()) {
                        head.headers.insert(LOCATION, location);
                    }
                    return Ok(Response::from_parts(head, body));
                }
                Err(rejection) => rejection,
            };
            let mut response = renderer.render_capture(&rejection);
            let kept = head.headers.iter().filter(|(name, _)| CaptureRejection::keeps_header(name.as_str()));
            response.headers_mut().extend(kept.map(|(name, value)| (name.clone(), value.clone())));
            Ok(response.map(R::from))
        })
    }
}
