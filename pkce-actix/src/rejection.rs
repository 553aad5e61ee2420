//! Rejections and redirects as HTTP responses.

use std::fmt;
use std::sync::Arc;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, Responder, ResponseError};
use pkce_core::adapter::CaptureRejection;
use pkce_core::{AuthorizationError, BindError, RandomError};

/// A rejected request: [`pkce_core::Rejection`] as a response.
///
/// It is the standard error of RFC 6749 §5.2 in JSON. At the authorization endpoint that is a plain 400, never a redirect
/// to a URI that nobody has validated: a host that has validated client and redirect URI takes
/// `Result<Challenge, Rejection>` and sends [`AuthorizationResponse::error`](crate::AuthorizationResponse).
///
/// `?` converts a [`BindError`], a [`RandomError`] and the rejection of [`Pkce::redeem`](crate::Pkce::redeem):
///
/// ```
/// use pkce_actix::{AuthorizationCode, PendingChallenge, Pkce, Rejection};
///
/// async fn issue(pkce: &Pkce, challenge: PendingChallenge) -> Result<AuthorizationCode, Rejection> {
///     let code = AuthorizationCode::generate()?;
///     pkce.bind(&code, challenge).await?;
///     Ok(code)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection(pkce_core::Rejection);

impl Rejection {
    /// Returns the rejection as plain data, with its [`Reason`](crate::Reason).
    pub const fn rejection(&self) -> &pkce_core::Rejection {
        &self.0
    }
}

impl From<pkce_core::Rejection> for Rejection {
    fn from(rejection: pkce_core::Rejection) -> Self {
        Self(rejection)
    }
}

impl From<BindError> for Rejection {
    fn from(error: BindError) -> Self {
        Self(error.into())
    }
}

impl From<RandomError> for Rejection {
    fn from(error: RandomError) -> Self {
        Self(error.into())
    }
}

impl From<Rejection> for AuthorizationError {
    fn from(rejection: Rejection) -> Self {
        rejection.0.into()
    }
}

impl From<&Rejection> for AuthorizationError {
    fn from(rejection: &Rejection) -> Self {
        rejection.rejection().into()
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Rejection {}

impl ResponseError for Rejection {
    fn status_code(&self) -> StatusCode {
        status(self.0.status())
    }

    fn error_response(&self) -> HttpResponse {
        Renderer::default().render(self.0.clone())
    }
}

/// The redirect of an [`AuthorizationResponse`](crate::AuthorizationResponse): a response with the status 303.
///
/// It is a `Responder`, and an error as well: a handler returns it from either side of its `Result`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationRedirect(pkce_core::AuthorizationRedirect);

impl From<pkce_core::AuthorizationRedirect> for AuthorizationRedirect {
    fn from(redirect: pkce_core::AuthorizationRedirect) -> Self {
        Self(redirect)
    }
}

impl From<AuthorizationRedirect> for HttpResponse {
    fn from(redirect: AuthorizationRedirect) -> Self {
        redirect.error_response()
    }
}

impl Responder for AuthorizationRedirect {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.into()
    }
}

impl fmt::Display for AuthorizationRedirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a redirect to the client")
    }
}

impl std::error::Error for AuthorizationRedirect {}

impl ResponseError for AuthorizationRedirect {
    fn status_code(&self) -> StatusCode {
        status(self.0.status())
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        for header in self.0.headers() {
            response.insert_header(header);
        }
        // A host's redirect URI with a control character makes this a 500.
        response.insert_header((LOCATION, self.0.location())).finish()
    }
}

/// How rejections are rendered: as the core has them, or as the host's closure does.
#[derive(Clone, Default)]
pub(crate) struct Renderer(Option<Arc<Render>>);

type Render = dyn Fn(&pkce_core::Rejection) -> HttpResponse + Send + Sync;

impl Renderer {
    pub(crate) fn new(render: impl Fn(&pkce_core::Rejection) -> HttpResponse + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(render)))
    }

    /// The response, with the rejection in its extensions for the middleware outside.
    pub(crate) fn render(&self, rejection: pkce_core::Rejection) -> HttpResponse {
        let mut response = self.0.as_ref().map_or_else(|| standard(&rejection), |render| render(&rejection));
        response.extensions_mut().insert(rejection);
        response
    }

    /// The response in place of one whose code must not leave.
    pub(crate) fn render_capture(&self, captured: &CaptureRejection) -> HttpResponse {
        let rejection = captured.rejection().clone();
        let Some(redirect) = captured.redirect() else { return self.render(rejection) };
        let mut response = HttpResponse::from(AuthorizationRedirect(redirect.clone()));
        response.extensions_mut().insert(rejection);
        response
    }
}

impl fmt::Debug for Renderer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Renderer(custom)" } else { "Renderer(standard)" })
    }
}

fn standard(rejection: &pkce_core::Rejection) -> HttpResponse {
    let mut response = HttpResponse::build(status(rejection.status()));
    for header in rejection.headers() {
        response.insert_header(header);
    }
    response.body(rejection.body())
}

fn status(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
