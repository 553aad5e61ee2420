//! The middleware for the authorization server's metadata.

use std::future::{Ready, ready};

use actix_web::body::{BodySize, EitherBody, MessageBody, to_bytes_limited};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::Method;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::{Error, HttpResponse};
use pkce_core::Pkce;
use pkce_core::adapter::metadata::{self, Failure};

use crate::io::{LocalFuture, host_response};

/// Makes the host's metadata truthful: sets `code_challenge_methods_supported` to what the policy enforces and, if the
/// server has an [issuer](pkce_core::PkceBuilder::issuer), `issuer` and `authorization_response_iss_parameter_supported`.
///
/// Mount it on the resources `/.well-known/oauth-authorization-server` (RFC 8414) and
/// `/.well-known/openid-configuration`, and on no other: it reads a response whole, and sets the members in every JSON
/// object. The rules are in [`pkce_core::adapter::metadata`]. A HEAD reaches the host as a GET, so it is answered where only
/// `web::get()` is routed, too.
///
/// Leaving the member out means that the server does not support PKCE (RFC 8414 §2). MCP clients must then refuse to
/// proceed (MCP authorization, "Authorization Code Protection"); `@ai-sdk/mcp` does, while the Python SDK, `FastMCP` and
/// `mcp-remote` go on without it.
///
/// ```
/// use actix_web::{App, web};
/// use pkce_actix::{MemoryStore, Metadata, Pkce};
///
/// async fn document() -> &'static str {
///     r#"{"issuer":"https://as.example"}"#
/// }
///
/// let pkce = Pkce::new(MemoryStore::new());
/// let metadata = web::resource("/.well-known/oauth-authorization-server").wrap(Metadata::new(pkce));
/// let app = App::new().service(metadata.route(web::get().to(document)));
/// # actix_web::rt::System::new().block_on(async {
/// # use actix_web::test::{TestRequest, call_service, init_service, read_body};
/// # let get = TestRequest::get().uri("/.well-known/oauth-authorization-server").to_request();
/// # let response = call_service(&init_service(app).await, get).await;
/// # assert_eq!(response.headers().get("content-type").unwrap(), "application/json");
/// # let body = read_body(response).await;
/// # assert_eq!(body, r#"{"issuer":"https://as.example","code_challenge_methods_supported":["S256"]}"#.as_bytes());
/// # })
/// ```
#[derive(Debug, Clone)]
#[must_use = "a middleware does nothing until it is mounted"]
pub struct Metadata {
    pkce: Pkce,
}

impl Metadata {
    /// Returns a middleware that advertises what the policy of `pkce` enforces.
    pub const fn new(pkce: Pkce) -> Self {
        Self { pkce }
    }
}

impl<S, B> Transform<S, ServiceRequest> for Metadata
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = MetadataService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(MetadataService { inner, pkce: self.pkce.clone() }))
    }
}

/// The host's service within a [`Metadata`].
#[doc(hidden)]
#[derive(Debug)]
pub struct MetadataService<S> {
    inner: S,
    pkce: Pkce,
}

impl<S, B> Service<ServiceRequest> for MetadataService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = LocalFuture<Result<Self::Response, Error>>;

    forward_ready!(inner);

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let pkce = self.pkce.clone();
        let is_read = metadata::is_read_by(request.method().as_str());
        if is_read {
            request.head_mut().method = Method::GET;
            request.headers_mut().retain(|name, value| metadata::keeps_request_header(name.as_str(), value.as_bytes()));
        }
        let responding = self.inner.call(request);
        Box::pin(async move {
            let response = responding.await;
            if !is_read {
                return response.map(ServiceResponse::map_into_left_body);
            }
            let response = response.inspect_err(|_| metadata::failed(Failure::NoResponse))?;
            let (request, response) = response.into_parts();
            // Actix leaves the body out if the client asked by HEAD.
            Ok(ServiceResponse::new(request, truthful(response, &pkce).await))
        })
    }
}

async fn truthful<B: MessageBody>(response: HttpResponse<B>, pkce: &Pkce) -> HttpResponse<EitherBody<B>> {
    let length = match response.body().size() {
        BodySize::Sized(length) => length,
        BodySize::None | BodySize::Stream => 0,
    };
    if !metadata::is_document(&host_response(&response), length) {
        return response.map_into_left_body();
    }
    let (mut response, body) = response.into_parts();
    let failure = match to_bytes_limited(body, metadata::LIMIT).await {
        Ok(Ok(body)) => {
            let Some(document) = metadata::advertise(&body, pkce) else {
                return response.set_body(body).map_into_boxed_body().map_into_right_body();
            };
            response
                .headers_mut()
                .retain(|name, value| metadata::keeps_response_header(name.as_str(), value.as_bytes()));
            if !response.headers().contains_key(CONTENT_TYPE) {
                response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            }
            // Actix writes the length.
            return response.set_body(document).map_into_boxed_body().map_into_right_body();
        }
        Ok(Err(_)) => Failure::BrokenOff,
        Err(_) => Failure::TooLarge,
    };
    metadata::failed(failure);
    HttpResponse::InternalServerError().finish().map_into_right_body()
}
