//! A refusal as an HTTP response.

use std::fmt;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, LOCATION};
use pkce_core::{CaptureRefusal, Rejection};

/// How refusals are rendered: as the core has them, or as the host's closure does.
#[derive(Clone, Default)]
pub(crate) struct Renderer(Option<Arc<Render>>);

type Render = dyn Fn(&Rejection) -> HttpResponse + Send + Sync;

impl Renderer {
    pub(crate) fn new(render: impl Fn(&Rejection) -> HttpResponse + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(render)))
    }

    /// The response, with the [`Rejection`] and its [`Reason`](crate::Reason) in its extensions for whatever is outside.
    pub(crate) fn render(&self, rejection: Rejection) -> HttpResponse {
        let response = match &self.0 {
            Some(render) => render(&rejection),
            None => standard(&rejection),
        };
        explained(response, rejection)
    }

    /// The answer in place of one whose code must not leave.
    pub(crate) fn render_refusal(&self, refusal: &CaptureRefusal) -> HttpResponse {
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

fn explained(mut response: HttpResponse, rejection: Rejection) -> HttpResponse {
    let mut extensions = response.extensions_mut();
    extensions.insert(rejection.reason());
    extensions.insert(rejection);
    drop(extensions);
    response
}

fn redirect(refusal: &CaptureRefusal) -> Option<HttpResponse> {
    let (status, location) = refusal.redirect()?;
    let mut response = HttpResponse::build(StatusCode::from_u16(status).ok()?);
    response.insert_header((LOCATION, HeaderValue::from_bytes(location.as_bytes()).ok()?));
    for header in refusal.redirect_headers() {
        response.insert_header(header);
    }
    Some(response.finish())
}

fn standard(rejection: &Rejection) -> HttpResponse {
    let mut response = HttpResponse::build(status(rejection));
    for header in rejection.headers() {
        response.insert_header(header);
    }
    response.body(rejection.body())
}

pub(crate) fn status(rejection: &Rejection) -> StatusCode {
    StatusCode::from_u16(rejection.status()).unwrap_or(StatusCode::BAD_REQUEST)
}
