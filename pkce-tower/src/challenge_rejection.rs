//! A refused authorization request.

use std::fmt;

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use pkce_core::Rejection;

use crate::render::Renderer;

/// A refused authorization request: by default a plain 400, never a redirect to a URI that nobody has validated.
///
/// A host that has validated client and redirect URI takes `Result<Challenge, ChallengeRejection>` and answers with
/// the standard error redirect (RFC 6749 §4.1.2.1):
///
/// ```
/// use axum::response::Redirect;
/// use pkce_tower::{ChallengeRejection, ErrorRedirect};
///
/// fn refuse(validated_redirect_uri: &str, state: &str, rejection: &ChallengeRejection) -> Redirect {
///     let redirect = ErrorRedirect::new(validated_redirect_uri, rejection.rejection()).state(state);
///     Redirect::to(&redirect.location()) // 303
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChallengeRejection(Rejection);

impl ChallengeRejection {
    /// The refusal as plain data, with its [`Reason`](crate::Reason).
    pub const fn rejection(&self) -> &Rejection {
        &self.0
    }
}

impl From<Rejection> for ChallengeRejection {
    fn from(rejection: Rejection) -> Self {
        Self(rejection)
    }
}

impl fmt::Display for ChallengeRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for ChallengeRejection {}

impl IntoResponse for ChallengeRejection {
    fn into_response(self) -> Response {
        Renderer::default().render(self.0).map(Body::from)
    }
}
