//! The middleware for the token endpoint.

use std::future::{Ready, ready};
use std::rc::Rc;

use actix_web::body::EitherBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::header::{CACHE_CONTROL, HeaderName, HeaderValue};
use actix_web::{Error, HttpMessage as _, HttpResponse};
use pkce_core::adapter::token;
use pkce_core::{Pkce, Settle};

use crate::extract::Clearance;
use crate::io::{self, LocalFuture, facts};
use crate::rejection::Renderer;

/// Checks the code verifier at the token endpoint: the service inside runs only once the request was judged.
///
/// See the [crate documentation](crate) for the rules and an example.
#[derive(Debug, Clone)]
#[must_use = "a middleware protects nothing until it is mounted"]
pub struct TokenEndpoint {
    pkce: Pkce,
    renderer: Renderer,
}

impl TokenEndpoint {
    /// Creates a middleware that sends the standard error responses (RFC 6749 §5.2).
    pub fn new(pkce: Pkce) -> Self {
        Self { pkce, renderer: Renderer::default() }
    }

    /// Renders rejections by a closure: as problem+json, as HTML, or in the host's own format.
    ///
    /// Whatever it returns, the [`pkce_core::Rejection`] is in the extensions of the response. A client library may not
    /// understand other responses than the standard ones.
    ///
    /// ```
    /// use actix_web::HttpResponse;
    /// # use pkce_actix::{MemoryStore, Pkce, TokenEndpoint};
    /// # let pkce = Pkce::new(MemoryStore::new());
    /// let middleware = TokenEndpoint::new(pkce)
    ///     .render(|rejection| HttpResponse::BadRequest().body(format!("rejected: {}", rejection.error())));
    /// # let _ = middleware;
    /// ```
    pub fn render(mut self, render: impl Fn(&pkce_core::Rejection) -> HttpResponse + Send + Sync + 'static) -> Self {
        self.renderer = Renderer::new(render);
        self
    }
}

impl<S, B: 'static> Transform<S, ServiceRequest> for TokenEndpoint
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = TokenEndpointService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(TokenEndpointService { inner: Rc::new(inner), endpoint: self.clone() }))
    }
}

/// The service that [`TokenEndpoint`] makes of the host's.
#[doc(hidden)]
#[derive(Debug)]
pub struct TokenEndpointService<S> {
    inner: Rc<S>,
    endpoint: TokenEndpoint,
}

impl<S, B: 'static> Service<ServiceRequest> for TokenEndpointService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = LocalFuture<Result<Self::Response, Error>>;

    forward_ready!(inner);

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let inner = Rc::clone(&self.inner);
        let TokenEndpoint { pkce, renderer } = self.endpoint.clone();
        Box::pin(async move {
            // A rejection is never an `Err`: that would bypass the middleware outside, CORS above all.
            let rejected = |request: ServiceRequest, rejection| {
                Ok(request.into_response(renderer.render(rejection)).map_into_right_body())
            };
            if request.extensions().contains::<Clearance>() {
                let rejection = pkce_core::Rejection::misconfigured(MOUNTED_TWICE);
                let mut response: Self::Response = rejected(request, rejection)?;
                // The middleware outside has redeemed the code, and the host has not run.
                response.response_mut().extensions_mut().insert(Settle::Restore);
                return Ok(response);
            }
            let mut payload = request.take_payload();
            let body = io::read(request.request(), &mut payload, &pkce).await;
            let judged = pkce.judge(&facts(request.request(), body.as_body())).await;
            let (clearance, reservation) = match judged {
                Ok(judged) => judged,
                Err(rejection) => return rejected(request, rejection),
            };
            let is_token_request = clearance.is_some();
            if let Some(clearance) = clearance {
                request.extensions_mut().insert(Clearance(clearance));
            }
            request.set_payload(io::payload(payload, body));
            let mut outcome = inner.call(request).await;
            pkce.settle(reservation, settle(&outcome)).await;
            if let Ok(response) = &mut outcome
                && is_token_request
            {
                forbid_storing(response);
            }
            outcome.map(ServiceResponse::map_into_left_body)
        })
    }
}

fn settle<B>(outcome: &Result<ServiceResponse<B>, Error>) -> Settle {
    let (status, overrule) = match outcome {
        Ok(response) => (response.status(), response.response().extensions().get().copied()),
        // Deliberately not `error_response()`, whose extensions might overrule: an error that was made of a response
        // (`InternalError::from_response`) gives it away once, and the client would get an empty 500.
        Err(error) => (error.as_response_error().status_code(), None),
    };
    overrule.unwrap_or_else(|| Settle::by_status(status.as_u16()))
}

fn forbid_storing<B>(response: &mut ServiceResponse<B>) {
    let (status, has_cache_control) = (response.status().as_u16(), response.headers().contains_key(CACHE_CONTROL));
    for (name, value) in token::response_headers(status, has_cache_control) {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}

const MOUNTED_TWICE: &str = "pkce-actix: TokenEndpoint is mounted twice on this route";
