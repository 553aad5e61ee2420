//! A refusal as an HTTP response.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue, LOCATION};
use http::{Response, StatusCode};
use pkce_core::{CaptureRefusal, Rejection};

/// How refusals are rendered: as the core has them, or as the host's closure does.
#[derive(Clone, Default)]
pub(crate) struct Renderer(Option<Arc<Render>>);

type Render = dyn Fn(&Rejection) -> Response<Bytes> + Send + Sync;

impl Renderer {
    pub(crate) fn new(render: impl Fn(&Rejection) -> Response<Bytes> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(render)))
    }

    /// The response, with the [`Rejection`] and its [`Reason`](crate::Reason) in its extensions for the layers outside.
    pub(crate) fn render(&self, rejection: Rejection) -> Response<Bytes> {
        let response = match &self.0 {
            Some(render) => render(&rejection),
            None => standard(&rejection),
        };
        explained(response, rejection)
    }

    /// The answer in place of one whose code must not leave.
    pub(crate) fn render_refusal(&self, refusal: &CaptureRefusal) -> Response<Bytes> {
        let rejection = refusal.rejection().clone();
        match redirect(refusal) {
            Some(response) => explained(response, rejection),
            None => self.render(rejection),
        }
    }
}

impl fmt::Debug for Renderer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Renderer(custom)" } else { "Renderer(standard)" })
    }
}

fn explained(mut response: Response<Bytes>, rejection: Rejection) -> Response<Bytes> {
    response.extensions_mut().insert(rejection.reason());
    response.extensions_mut().insert(rejection);
    response
}

fn redirect(refusal: &CaptureRefusal) -> Option<Response<Bytes>> {
    let (status, location) = refusal.redirect()?;
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::from_u16(status).ok()?;
    response.headers_mut().insert(LOCATION, HeaderValue::from_bytes(location.as_bytes()).ok()?);
    for (name, value) in refusal.redirect_headers() {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    Some(response)
}

fn standard(rejection: &Rejection) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(rejection.body()));
    *response.status_mut() = StatusCode::from_u16(rejection.status()).unwrap_or(StatusCode::BAD_REQUEST);
    for (name, value) in rejection.headers() {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

/// A server that was put together wrongly says so, loudly, and serves nothing.
pub(crate) fn misconfigured(what: &'static str) -> Response<Bytes> {
    tracing::error!(target: "pkce", outcome = "misconfigured", "{what}");
    let mut response = Response::new(Bytes::from_static(what.as_bytes()));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
