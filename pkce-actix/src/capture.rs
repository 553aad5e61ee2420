//! The middleware for an authorization endpoint that issues the code at once.

use std::future::{Ready, ready};
use std::pin::Pin;
use std::rc::Rc;

use actix_web::body::EitherBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::error::InternalError;
use actix_web::http::Method;
use actix_web::http::header::HeaderMap;
use actix_web::{Error, HttpMessage as _, HttpResponse};
use pkce_core::{CaptureRefusal, CaptureRequest, Pkce, Rejection};

use crate::facts::{answer, facts};
use crate::read;
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
/// A [`web::Redirect`](actix_web::web::Redirect) of Actix is a 307 unless it says `.see_other()`, and a code by 307 does
/// not leave.
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
/// for (parameters, answer) in [
///     (challenge, "https://app.example/cb?code=4711&state=s"),
///     ("", "https://app.example/cb?error=invalid_request&error_description=code%20challenge%20required&state=s"),
/// ] {
///     let uri = format!("/authorize?redirect_uri=https%3A%2F%2Fapp.example%2Fcb&state=s&{parameters}");
///     let response = call_service(&app, TestRequest::get().uri(&uri).to_request()).await;
///     assert_eq!(response.headers().get("location").unwrap(), answer);
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
    /// A middleware with the standard answers. It lends tokio's timer to `pkce` for the store's time-out.
    pub fn new(pkce: Pkce) -> Self {
        pkce.lend_timer(TokioTimer);
        Self { pkce, renderer: Renderer::default() }
    }

    /// Renders plain refusals by a closure: as an HTML page, say. An error redirect has no page.
    ///
    /// Whatever it returns, the [`Rejection`] and its [`Reason`](crate::Reason) stand in the response's extensions, as
    /// they do with an error redirect.
    pub fn render(mut self, render: impl Fn(&Rejection) -> HttpResponse + Send + Sync + 'static) -> Self {
        self.renderer = Renderer::new(render);
        self
    }

    /// What the client gets in place of the host's answer, if its code must not leave.
    async fn replacement(&self, asked: &CaptureRequest, host: &HttpResponse<impl Sized>) -> Option<HttpResponse> {
        let refusal = self.pkce.capture(asked, &answer(host)).await.err()?;
        Some(with_kept(self.renderer.render_refusal(&refusal), host.headers()))
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
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    forward_ready!(inner);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        Box::pin(respond(Rc::clone(&self.inner), self.capture.clone(), request))
    }
}

async fn respond<S, B>(
    inner: Rc<S>,
    capture: Capture,
    mut request: ServiceRequest,
) -> Result<ServiceResponse<EitherBody<B>>, Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    let pkce = &capture.pkce;
    // Only a POST has its parameters in the body; that of another method goes on as it is.
    let asked = if request.method() == Method::POST {
        let mut payload = request.take_payload();
        let body = read::read(request.request(), &mut payload, pkce.policy()).await;
        let asked = pkce.capture_request(&facts(request.request(), body.facts()));
        request.set_payload(read::payload(payload, body));
        asked
    } else {
        pkce.capture_request(&facts(request.request(), pkce_core::Body::Complete(&[])))
    };
    let asked = match asked {
        Ok(asked) => asked,
        Err(rejection) => {
            return Ok(request.into_response(capture.renderer.render(rejection)).map_into_right_body());
        }
    };
    match inner.call(request).await {
        Ok(response) => Ok(match capture.replacement(&asked, response.response()).await {
            None => response.map_into_left_body(),
            Some(replacement) => response.into_response(replacement).map_into_right_body(),
        }),
        // An error of a middleware inside may be a redirect in disguise. It is rendered here, so that it is known what
        // will leave: one that was made of a response gives it away only once.
        Err(error) => {
            let response = error.error_response();
            let response = capture.replacement(&asked, &response).await.unwrap_or(response);
            Err(InternalError::from_response(error, response).into())
        }
    }
}

fn with_kept(mut response: HttpResponse, host: &HeaderMap) -> HttpResponse {
    let kept = host.iter().filter(|(name, _)| CaptureRefusal::keeps_header(name.as_str()));
    for (name, value) in kept {
        response.headers_mut().append(name.clone(), value.clone());
    }
    response
}
