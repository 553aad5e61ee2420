//! Rejections and redirects as HTTP responses.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue, LOCATION};
use http::{Response, StatusCode};
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
/// use pkce_tower::{AuthorizationCode, PendingChallenge, Pkce, Rejection};
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

/// The redirect of an [`AuthorizationResponse`](crate::AuthorizationResponse): a response with the status 303.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationRedirect(pkce_core::AuthorizationRedirect);

impl From<pkce_core::AuthorizationRedirect> for AuthorizationRedirect {
    fn from(redirect: pkce_core::AuthorizationRedirect) -> Self {
        Self(redirect)
    }
}

/// For a service of any body type.
impl<B: From<Bytes>> From<AuthorizationRedirect> for Response<B> {
    fn from(AuthorizationRedirect(redirect): AuthorizationRedirect) -> Self {
        response(redirect.status(), Some(redirect.location()), redirect.headers(), String::new()).map(B::from)
    }
}

/// For a service of any body type.
impl<B: From<Bytes>> From<Rejection> for Response<B> {
    fn from(Rejection(rejection): Rejection) -> Self {
        Renderer::default().render(rejection).map(B::from)
    }
}

/// How rejections are rendered: as the core has them, or as the host's closure does.
#[derive(Clone, Default)]
pub(crate) struct Renderer(Option<Arc<Render>>);

type Render = dyn Fn(&pkce_core::Rejection) -> Response<Bytes> + Send + Sync;

impl Renderer {
    pub(crate) fn new(render: impl Fn(&pkce_core::Rejection) -> Response<Bytes> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(render)))
    }

    /// The response, with the rejection in its extensions for the layers outside.
    pub(crate) fn render(&self, rejection: pkce_core::Rejection) -> Response<Bytes> {
        let mut response = match &self.0 {
            Some(render) => render(&rejection),
            None => response(rejection.status(), None, rejection.headers(), rejection.body()),
        };
        response.extensions_mut().insert(rejection);
        response
    }

    /// The response in place of one whose code must not leave.
    pub(crate) fn render_capture(&self, captured: &CaptureRejection) -> Response<Bytes> {
        let rejection = captured.rejection().clone();
        let Some(redirect) = captured.redirect() else { return self.render(rejection) };
        let mut response = Response::from(AuthorizationRedirect(redirect.clone()));
        response.extensions_mut().insert(rejection);
        response
    }
}

impl fmt::Debug for Renderer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Renderer(custom)" } else { "Renderer(standard)" })
    }
}

fn response(
    status: u16,
    location: Option<&str>,
    headers: impl Iterator<Item = (&'static str, &'static str)>,
    body: String,
) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if let Some(location) = location {
        match HeaderValue::from_bytes(location.as_bytes()) {
            Ok(location) => _ = response.headers_mut().insert(LOCATION, location),
            // The host's redirect URI has a control character.
            Err(_) => *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
    response
}

#[cfg(feature = "axum")]
mod axum {
    use axum_core::body::Body;
    use axum_core::response::{IntoResponse, Response};

    use super::{AuthorizationRedirect, Rejection};

    impl IntoResponse for Rejection {
        fn into_response(self) -> Response {
            http::Response::<Body>::from(self)
        }
    }

    impl IntoResponse for AuthorizationRedirect {
        fn into_response(self) -> Response {
            http::Response::<Body>::from(self)
        }
    }
}
