//! The layer for the authorization server's metadata.

use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;
use pkce_core::metadata::{self, HeaderLine};
use pkce_core::{Pkce, Policy};
use tower_layer::Layer;
use tower_service::Service;

use crate::io::BoxFuture;
use crate::io::host_response as answer;
use crate::metadata_body::{MetadataBody, Read};

/// Makes the host's metadata truthful: sets `code_challenge_methods_supported` to what the policy enforces, and touches
/// nothing else.
///
/// For the routes `/.well-known/oauth-authorization-server` (RFC 8414) and `/.well-known/openid-configuration`. MCP
/// clients refuse a server that leaves the member out. The rules are in [`metadata`].
///
/// ```
/// # #[cfg(feature = "axum")] {
/// use axum::Router;
/// use axum::routing::get;
/// use pkce_tower::{MemoryStore, MetadataLayer, Pkce};
///
/// let pkce = Pkce::new(MemoryStore::new());
/// let document = || async { ([("content-type", "application/json")], r#"{"issuer":"https://as.example"}"#) };
/// let metadata = get(document).layer(MetadataLayer::new(pkce));
/// let app: Router = Router::new().route("/.well-known/oauth-authorization-server", metadata);
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// # use tower::ServiceExt as _;
/// # let get = http::Request::get("/.well-known/oauth-authorization-server").body(axum::body::Body::empty())?;
/// # let body = axum::body::to_bytes(app.oneshot(get).await?.into_body(), 1000).await?;
/// # assert_eq!(body, r#"{"issuer":"https://as.example","code_challenge_methods_supported":["S256"]}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?; }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a layer does nothing until it is mounted"]
pub struct MetadataLayer {
    pkce: Pkce,
}

impl MetadataLayer {
    /// A layer that advertises what this policy enforces.
    pub const fn new(pkce: Pkce) -> Self {
        Self { pkce }
    }
}

impl<S> Layer<S> for MetadataLayer {
    type Service = Metadata<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Metadata { inner, pkce: self.pkce.clone() }
    }
}

/// The service that [`MetadataLayer`] makes of the host's.
#[derive(Debug, Clone)]
pub struct Metadata<S> {
    inner: S,
    pkce: Pkce,
}

impl<S, B, R> Service<Request<B>> for Metadata<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    R: Body<Data = Bytes> + Send + 'static,
    R::Error: Send,
{
    type Response = Response<MetadataBody<R>>;
    type Error = S::Error;
    type Future = BoxFuture<Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let (pkce, method) = (self.pkce.clone(), request.method().clone());
        let is_read = metadata::is_read_by(method.as_str());
        if is_read {
            *request.method_mut() = Method::GET;
            each_line(request.headers_mut(), |name, value| metadata::request_header(name, value, pkce.policy()));
        }
        let answering = self.inner.call(request);
        Box::pin(async move {
            let response = answering.await?;
            if !is_read {
                return Ok(response.map(MetadataBody::host));
            }
            let response = rewrite(response, pkce.policy()).await;
            Ok(if method == Method::HEAD { bodiless(response) } else { response })
        })
    }
}

async fn rewrite<R: Body<Data = Bytes>>(response: Response<R>, policy: &Policy) -> Response<MetadataBody<R>> {
    let (mut head, body) = response.into_parts();
    let told = |headers: &mut HeaderMap| {
        each_line(headers, |name, value| metadata::response_header(name, value, policy));
    };
    if head.status == StatusCode::NOT_MODIFIED {
        told(&mut head.headers);
    }
    if !metadata::is_document(&answer(&head)) {
        return Response::from_parts(head, MetadataBody::host(body));
    }
    let document = match MetadataBody::read(body).await {
        Read::Whole(document) => document,
        Read::Begun(body) => return Response::from_parts(head, body),
    };
    told(&mut head.headers);
    let document = Bytes::from(metadata::advertise(&document, policy).into_owned());
    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(document.len()));
    Response::from_parts(head, MetadataBody::whole(document))
}

/// The answer to a HEAD, of that to a GET.
fn bodiless<R: Body<Data = Bytes>>(mut response: Response<MetadataBody<R>>) -> Response<MetadataBody<R>> {
    if let Some(length) = response.body().size_hint().exact() {
        response.headers_mut().entry(CONTENT_LENGTH).or_insert(HeaderValue::from(length));
    }
    response.map(|_| MetadataBody::default())
}

/// Does to every header line what the core says.
fn each_line(headers: &mut HeaderMap, fate: impl Fn(&str, &[u8]) -> HeaderLine) {
    let mut name = None;
    for (next, value) in std::mem::take(headers) {
        // A name stands only before its first value.
        name = next.or(name);
        let Some(name) = &name else { continue };
        match fate(name.as_str(), value.as_bytes()) {
            HeaderLine::Keep => _ = headers.append(name, value),
            HeaderLine::Drop => {}
            HeaderLine::Replace(octets) => {
                if let Ok(value) = HeaderValue::from_bytes(&octets) {
                    headers.append(name, value);
                }
            }
        }
    }
}
