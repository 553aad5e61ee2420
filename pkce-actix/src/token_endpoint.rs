//! The middleware for the token endpoint.

use std::future::{Ready, ready};
use std::pin::Pin;
use std::rc::Rc;

use actix_web::body::EitherBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::{Error, HttpMessage as _, HttpResponse, ResponseError as _};
use pkce_core::{Judgement, Pkce, Rejection, Settle};

use crate::clearance::Clearance;
use crate::facts::facts;
use crate::misconfigured::Misconfigured;
use crate::read;
use crate::render::Renderer;
use crate::timer::TokioTimer;

/// Checks the code verifier at the token endpoint: the service inside runs only once the request is judged.
///
/// See the [crate documentation](crate) for the rules and an example.
#[derive(Debug, Clone)]
#[must_use = "a middleware protects nothing until it is mounted"]
pub struct TokenEndpoint {
    pkce: Pkce,
    renderer: Renderer,
}

impl TokenEndpoint {
    /// A middleware with the standard answers (RFC 6749 §5.2). It lends tokio's timer to `pkce` for the store's
    /// time-out.
    pub fn new(pkce: Pkce) -> Self {
        pkce.lend_timer(TokioTimer);
        Self { pkce, renderer: Renderer::default() }
    }

    /// Renders refusals by a closure: as problem+json, HTML, or plain text.
    ///
    /// Whatever it returns, the [`Rejection`] and its [`Reason`](crate::Reason) stand in the response's extensions.
    /// The default answers are the standard; a client library may not understand others.
    ///
    /// ```
    /// use actix_web::HttpResponse;
    /// # use pkce_actix::{MemoryStore, Pkce, TokenEndpoint};
    /// # let pkce = Pkce::new(MemoryStore::new());
    /// let middleware = TokenEndpoint::new(pkce)
    ///     .render(|rejection| HttpResponse::BadRequest().body(format!("refused: {}", rejection.error())));
    /// # let _ = middleware;
    /// ```
    pub fn render(mut self, render: impl Fn(&Rejection) -> HttpResponse + Send + Sync + 'static) -> Self {
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
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    forward_ready!(inner);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        Box::pin(respond(Rc::clone(&self.inner), self.endpoint.clone(), request))
    }
}

#[expect(
    clippy::manual_async_fn,
    reason = "an `async fn` keeps each argument twice, and a large future is slow to make"
)]
fn respond<S, B>(
    inner: Rc<S>,
    TokenEndpoint { pkce, renderer }: TokenEndpoint,
    mut request: ServiceRequest,
) -> impl Future<Output = Result<ServiceResponse<EitherBody<B>>, Error>>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    async move {
        // An answer is never an `Err`: that would pass by the middleware outside, CORS above all.
        let answer = |request: ServiceRequest, response| Ok(request.into_response(response).map_into_right_body());

        if request.extensions().contains::<Clearance>() {
            let mut response = Misconfigured::report(MOUNTED_TWICE).error_response();
            // The middleware outside holds the code, and no host has seen it.
            response.extensions_mut().insert(Settle::Restore);
            return answer(request, response);
        }
        let mut payload = request.take_payload();
        let body = read::read(request.request(), &mut payload, pkce.policy()).await;
        let judgement = pkce.judge(&facts(request.request(), body.facts())).await;
        let reservation = match judgement {
            Judgement::Reject(rejection) => return answer(request, renderer.render(rejection)),
            Judgement::PassThrough => None,
            Judgement::Proceed(clearance, reservation) => {
                request.extensions_mut().insert(Clearance(clearance));
                Some(reservation)
            }
        };
        request.set_payload(read::payload(payload, body));
        let outcome = inner.call(request).await;
        if let Some(reservation) = reservation {
            let (status, overrule) = seen(&outcome);
            pkce.settle(reservation, status, overrule).await;
        }
        outcome.map(ServiceResponse::map_into_left_body)
    }
}

/// What the client will see of the host's answer, and whether the host overrules it.
fn seen<B>(outcome: &Result<ServiceResponse<B>, Error>) -> (u16, Option<Settle>) {
    match outcome {
        Ok(response) => (response.status().as_u16(), response.response().extensions().get().copied()),
        // Deliberately not `error_response()`, whose extensions might overrule: an error that was made of a response
        // (`InternalError::from_response`) gives it away once, and the client would get an empty 500.
        Err(error) => (error.as_response_error().status_code().as_u16(), None),
    }
}

const MOUNTED_TWICE: &str = "pkce-actix: TokenEndpoint is mounted twice on this route";
