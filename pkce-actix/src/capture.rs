//! The middleware for an authorization endpoint that issues the code at once.

use std::future::{Ready, ready};
use std::rc::Rc;

use actix_web::body::EitherBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::error::InternalError;
use actix_web::http::header::{HeaderValue, LOCATION};
use actix_web::{Error, HttpMessage as _, HttpResponse};
use pkce_core::Pkce;
use pkce_core::adapter::{Body, CaptureRejection, CaptureRequest};

use crate::io::{self, LocalFuture, facts, host_response};
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
/// A [`web::Redirect`](actix_web::web::Redirect) of Actix is a 307 unless it is made with `.see_other()`, and in response to
/// a POST a code by 307 does not leave.
///
/// ```
/// use actix_web::{App, web};
/// use pkce_actix::{Capture, MemoryStore, Pkce, TokenEndpoint};
///
/// async fn authorize() -> web::Redirect {
///     // … a server that knows nothing of PKCE …
///     web::Redirect::to("https://app.example/cb?code=4711&state=s").see_other()
/// }
/// # async fn token() -> &'static str { "tokens" }
///
/// let pkce = Pkce::new(MemoryStore::new());
/// let app = App::new()
///     .service(web::resource("/authorize").wrap(Capture::new(pkce.clone())).route(web::get().to(authorize)))
///     .service(web::resource("/token").wrap(TokenEndpoint::new(pkce)).route(web::post().to(token)));
///
/// # actix_web::rt::System::new().block_on(async {
/// # use actix_web::test::{TestRequest, call_service, init_service};
/// # let app = init_service(app).await;
/// let challenge = "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
/// for (parameters, location) in [
///     (challenge, "https://app.example/cb?code=4711&state=s"),
///     ("", "https://app.example/cb?error=invalid_request&error_description=code%20challenge%20required&state=s"),
/// ] {
///     let uri = format!("/authorize?redirect_uri=https%3A%2F%2Fapp.example%2Fcb&state=s&{parameters}");
///     let response = call_service(&app, TestRequest::get().uri(&uri).to_request()).await;
///     assert_eq!(response.headers().get("location").unwrap(), location);
/// }
/// # })
/// ```
#[derive(Debug, Clone)]
#[must_use = "a middleware protects nothing until it is mounted"]
pub struct Capture {
    pkce: Pkce,
    renderer: Renderer,
}

impl Capture {
    /// Creates a middleware that sends the standard error responses.
    pub fn new(pkce: Pkce) -> Self {
        Self { pkce, renderer: Renderer::default() }
    }

    /// Renders plain rejections by a closure, for example as an HTML page. An error redirect has no page.
    ///
    /// Whatever it returns, the [`pkce_core::Rejection`] is in the extensions of the response, also of an error redirect.
    pub fn render(mut self, render: impl Fn(&pkce_core::Rejection) -> HttpResponse + Send + Sync + 'static) -> Self {
        self.renderer = Renderer::new(render);
        self
    }

    /// The response in place of the host's, if its code must not leave.
    async fn replacement(&self, asked: &CaptureRequest, host: &mut HttpResponse<impl Sized>) -> Option<HttpResponse> {
        let captured = self.pkce.capture(asked, &host_response(host)).await;
        let rejection = match captured {
            Ok(location) => {
                // The host's, with one more parameter in ASCII.
                if let Some(location) = location.and_then(|location| HeaderValue::try_from(location).ok()) {
                    host.headers_mut().insert(LOCATION, location);
                }
                return None;
            }
            Err(rejection) => rejection,
        };
        let mut response = self.renderer.render_capture(&rejection);
        for (name, value) in host.headers().iter().filter(|(name, _)| CaptureRejection::keeps_header(name.as_str())) {
            response.headers_mut().append(name.clone(), value.clone());
        }
        Some(response)
    }
}

impl<S, B: 'static> Transform<S, ServiceRequest> for Capture
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = CaptureService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(CaptureService { inner: Rc::new(inner), capture: self.clone() }))
    }
}

/// The service that [`Capture`] makes of the host's.
#[doc(hidden)]
#[derive(Debug)]
pub struct CaptureService<S> {
    inner: Rc<S>,
    capture: Capture,
}

impl<S, B: 'static> Service<ServiceRequest> for CaptureService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = LocalFuture<Result<Self::Response, Error>>;

    forward_ready!(inner);

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let (inner, capture) = (Rc::clone(&self.inner), self.capture.clone());
        Box::pin(async move {
            let pkce = &capture.pkce;
            let head = facts(request.request(), Body::Unread);
            let asked = if pkce.captures_body(&head, io::announced(request.request())) {
                let mut payload = request.take_payload();
                let body = io::read(request.request(), &mut payload, pkce).await;
                let asked = pkce.capture_request(&facts(request.request(), body.as_body()));
                request.set_payload(io::payload(payload, body));
                asked
            } else {
                pkce.capture_request(&head)
            };
            let asked = match asked {
                Ok(asked) => asked,
                Err(rejection) => {
                    return Ok(request.into_response(capture.renderer.render(rejection)).map_into_right_body());
                }
            };
            match inner.call(request).await {
                Ok(mut response) => Ok(match capture.replacement(&asked, response.response_mut()).await {
                    None => response.map_into_left_body(),
                    Some(replacement) => response.into_response(replacement).map_into_right_body(),
                }),
                // The error of a middleware inside may be a redirect. It is rendered here, so that what leaves is known:
                // an error that was made of a response gives it away only once.
                Err(error) => {
                    let mut response = error.error_response();
                    let response = capture.replacement(&asked, &mut response).await.unwrap_or(response);
                    Err(InternalError::from_response(error, response).into())
                }
            }
        })
    }
}
