//! A refusal as an HTTP response.

use std::fmt;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use pkce_core::Rejection;

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
        let mut response = match &self.0 {
            Some(render) => render(&rejection),
            None => standard(&rejection),
        };
        let mut extensions = response.extensions_mut();
        extensions.insert(rejection.reason());
        extensions.insert(rejection);
        drop(extensions);
        response
    }
}

impl fmt::Debug for Renderer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Renderer(custom)" } else { "Renderer(standard)" })
    }
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
