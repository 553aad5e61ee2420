//! The layer for the authorization server's metadata.

use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use pkce_core::Pkce;
use pkce_core::adapter::metadata::{self, Failure};
use tower_layer::Layer;
use tower_service::Service;

use crate::io::{BoxFuture, host_response};

/// Makes the host's metadata truthful: sets `code_challenge_methods_supported` to what the policy enforces and, if the
/// server has an [issuer](pkce_core::PkceBuilder::issuer), `issuer` and `authorization_response_iss_parameter_supported`.
///
/// Mount it on the routes `/.well-known/oauth-authorization-server` (RFC 8414) and `/.well-known/openid-configuration`,
/// and on no other: it reads a response whole, and sets the members in every JSON object. The rules are in
/// [`pkce_core::adapter::metadata`].
///
/// Leaving the member out means that the server does not support PKCE (RFC 8414 §2). MCP clients must then refuse to
/// proceed (MCP authorization, "Authorization Code Protection"); `@ai-sdk/mcp` does, while the Python SDK, `FastMCP` and
/// `mcp-remote` go on without it.
///
/// ```
/// # #[cfg(feature = "axum")] {
/// use axum::Router;
/// use axum::routing::get;
/// use pkce_tower::{MemoryStore, MetadataLayer, Pkce};
///
/// async fn document() -> &'static str {
///     r#"{"issuer":"https://as.example"}"#
/// }
///
/// let pkce = Pkce::new(MemoryStore::new());
/// let metadata = get(document).layer(MetadataLayer::new(pkce));
/// let app: Router = Router::new().route("/.well-known/oauth-authorization-server", metadata);
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// # use tower::ServiceExt as _;
/// # let get = http::Request::get("/.well-known/oauth-authorization-server").body(axum::body::Body::empty())?;
/// # let response = app.oneshot(get).await?;
/// # assert_eq!(response.headers()["content-type"], "application/json");
/// # let body = axum::body::to_bytes(response.into_body(), 1000).await?;
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
    /// Returns a layer that advertises what the policy of `pkce` enforces.
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

/// The host's service within a [`MetadataLayer`].
#[derive(Debug, Clone)]
pub struct Metadata<S> {
    inner: S,
    pkce: Pkce,
}

impl<S, B, R> Service<Request<B>> for Metadata<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    R: Body<Data = Bytes> + From<Bytes> + Send,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = BoxFuture<Result<Response<R>, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let (pkce, method) = (self.pkce.clone(), request.method().clone());
        let is_read = metadata::is_read_by(method.as_str());
        if is_read {
            *request.method_mut() = Method::GET;
            retain(request.headers_mut(), metadata::keeps_request_header);
        }
        let responding = self.inner.call(request);
        Box::pin(async move {
            let response = responding.await;
            if !is_read {
                return response;
            }
            let response = response.inspect_err(|_| metadata::failed(Failure::NoResponse))?;
            let response = truthful(response, &pkce).await;
            Ok(if method == Method::HEAD { without_body(response) } else { response })
        })
    }
}

async fn truthful<R: Body<Data = Bytes> + From<Bytes>>(response: Response<R>, pkce: &Pkce) -> Response<R> {
    let (mut head, body) = response.into_parts();
    // A body without an exact size may have its length in the header already: that of a file does.
    let announced = head.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if !metadata::is_document(&host_response(&head), body.size_hint().lower().max(announced.unwrap_or(0))) {
        return Response::from_parts(head, body);
    }
    let body = match Limited::new(body.map_err(|_| "broken off"), metadata::LIMIT).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => {
            let too_large = error.is::<LengthLimitError>();
            metadata::failed(if too_large { Failure::TooLarge } else { Failure::BrokenOff });
            let mut response = Response::new(R::from(Bytes::new()));
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            return response;
        }
    };
    let Some(document) = metadata::advertise(&body, pkce) else {
        return Response::from_parts(head, body.into());
    };
    retain(&mut head.headers, metadata::keeps_response_header);
    head.headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(document.len()));
    Response::from_parts(head, Bytes::from(document).into())
}

/// Turns the response to a GET into that to a HEAD. A body whose length is unknown stays, and the server drops it: an empty
/// body in its place would have the length 0. So does that of a 304, which has no length of its own (RFC 9110 §8.6).
fn without_body<R: Body<Data = Bytes> + From<Bytes>>(mut response: Response<R>) -> Response<R> {
    let has_body = !matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let Some(length) = response.body().size_hint().exact().filter(|_| has_body) else { return response };
    response.headers_mut().entry(CONTENT_LENGTH).or_insert(HeaderValue::from(length));
    response.map(|_| R::from(Bytes::new()))
}

/// Removes every header field with a line that is not kept.
fn retain(headers: &mut HeaderMap, keeps: impl Fn(&str, &[u8]) -> bool) {
    let lines = headers.iter().filter(|(name, value)| !keeps(name.as_str(), value.as_bytes()));
    for name in lines.map(|(name, _)| name.clone()).collect::<Vec<_>>() {
        headers.remove(name);
    }
}
