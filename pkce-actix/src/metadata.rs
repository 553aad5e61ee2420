//! The middleware for the authorization server's metadata.

use std::future::{Ready, ready};
use std::pin::Pin;

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::header::{HeaderMap, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Bytes;
use actix_web::{Error, HttpResponse};
use pkce_core::metadata::{self, HeaderLine};
use pkce_core::{Pkce, Policy};

use crate::io::host_response as answer;
use crate::metadata_body::MetadataBody;

/// Makes the host's metadata truthful: sets `code_challenge_methods_supported` to what the policy enforces, and touches
/// nothing else.
///
/// For the resources `/.well-known/oauth-authorization-server` (RFC 8414) and `/.well-known/openid-configuration`. MCP
/// clients refuse a server that leaves the member out. The rules are in [`metadata`]. A HEAD reaches the host as a GET,
/// so it is answered also where only `web::get()` is routed.
///
/// ```
/// use actix_web::{App, HttpResponse, web};
/// use pkce_actix::{MemoryStore, Metadata, Pkce};
///
/// let pkce = Pkce::new(MemoryStore::new());
/// let document = || async { HttpResponse::Ok().content_type("application/json").body(r#"{"issuer":"https://as.example"}"#) };
/// let metadata = web::resource("/.well-known/oauth-authorization-server").wrap(Metadata::new(pkce));
/// let app = App::new().service(metadata.route(web::get().to(document)));
/// # actix_web::rt::System::new().block_on(async {
/// # use actix_web::test::{TestRequest, call_and_read_body, init_service};
/// # let get = TestRequest::get().uri("/.well-known/oauth-authorization-server").to_request();
/// # let body = call_and_read_body(&init_service(app).await, get).await;
/// # assert_eq!(body, r#"{"issuer":"https://as.example","code_challenge_methods_supported":["S256"]}"#.as_bytes());
/// # })
/// ```
#[derive(Debug, Clone)]
#[must_use = "a middleware does nothing until it is mounted"]
pub struct Metadata {
    pkce: Pkce,
}

impl Metadata {
    /// A middleware that advertises what this policy enforces.
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
    type Response = ServiceResponse<MetadataBody<B>>;
    type Error = Error;
    type Transform = MetadataService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(MetadataService { inner, pkce: self.pkce.clone() }))
    }
}

/// The service that [`Metadata`] makes of the host's.
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
    type Response = ServiceResponse<MetadataBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    forward_ready!(inner);

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let pkce = self.pkce.clone();
        let is_read = metadata::is_read_by(request.method().as_str());
        if is_read {
            request.head_mut().method = Method::GET;
            each_line(request.headers_mut(), |name, value| metadata::request_header(name, value, pkce.policy()));
        }
        let answering = self.inner.call(request);
        Box::pin(async move {
            let response = answering.await?;
            if !is_read {
                return Ok(response.map_body(|_, body| MetadataBody::host(body)));
            }
            let (request, response) = response.into_parts();
            Ok(ServiceResponse::new(request, rewrite(response, pkce.policy()).await))
        })
    }
}

async fn rewrite<B: MessageBody>(mut response: HttpResponse<B>, policy: &Policy) -> HttpResponse<MetadataBody<B>> {
    let told = |headers: &mut HeaderMap| {
        each_line(headers, |name, value| metadata::response_header(name, value, policy));
    };
    if response.status() == StatusCode::NOT_MODIFIED {
        told(response.headers_mut());
    }
    if !metadata::is_document(&answer(&response)) {
        return response.map_body(|_, body| MetadataBody::host(body));
    }
    let (mut response, body) = response.into_parts();
    let body = match MetadataBody::read(body).await {
        Ok(document) => {
            told(response.headers_mut());
            // Actix writes the length of what it sends.
            MetadataBody::whole(Bytes::from(metadata::advertise(&document, policy).into_owned()))
        }
        Err(body) => body,
    };
    response.set_body(body)
}

/// Does to every header line what the core says.
fn each_line(headers: &mut HeaderMap, fate: impl Fn(&str, &[u8]) -> HeaderLine) {
    for (name, value) in std::mem::take(headers) {
        match fate(name.as_str(), value.as_bytes()) {
            HeaderLine::Keep => headers.append(name, value),
            HeaderLine::Drop => {}
            HeaderLine::Replace(octets) => {
                if let Ok(value) = HeaderValue::from_bytes(&octets) {
                    headers.append(name, value);
                }
            }
        }
    }
}
