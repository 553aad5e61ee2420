//! A refused authorization request.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use pkce_core::Rejection;

use crate::misconfigured::Misconfigured;
use crate::render::{self, Renderer};

/// A refused authorization request: by default a plain 400, never a redirect to a URI that nobody has validated.
///
/// A host that has validated client and redirect URI takes `Result<Challenge, ChallengeRejection>` and answers with
/// the standard error redirect (RFC 6749 §4.1.2.1):
///
/// ```
/// use actix_web::web::Redirect;
/// use pkce_actix::{ChallengeRejection, ErrorRedirect};
///
/// fn refuse(
///     validated_redirect_uri: &str,
///     state: &str,
///     rejection: ChallengeRejection,
/// ) -> Result<Redirect, ChallengeRejection> {
///     let Some(refused) = rejection.rejection() else { return Err(rejection) }; // a fault of the server
///     let redirect = ErrorRedirect::new(validated_redirect_uri, refused).state(state);
///     Ok(Redirect::to(redirect.location()).see_other()) // 303
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChallengeRejection(Cause);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Cause {
    Refused(Rejection),
    Misconfigured(Misconfigured),
}

impl ChallengeRejection {
    /// The refusal as plain data, with its [`Reason`](crate::Reason). `None` if the application has no
    /// [`Pkce`](crate::Pkce) to judge by, which is answered with a 500 that says so.
    pub const fn rejection(&self) -> Option<&Rejection> {
        match &self.0 {
            Cause::Refused(rejection) => Some(rejection),
            Cause::Misconfigured(_) => None,
        }
    }
}

impl From<Rejection> for ChallengeRejection {
    fn from(rejection: Rejection) -> Self {
        Self(Cause::Refused(rejection))
    }
}

impl From<Misconfigured> for ChallengeRejection {
    fn from(misconfigured: Misconfigured) -> Self {
        Self(Cause::Misconfigured(misconfigured))
    }
}

impl fmt::Display for ChallengeRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Cause::Refused(rejection) => rejection.fmt(f),
            Cause::Misconfigured(misconfigured) => misconfigured.fmt(f),
        }
    }
}

impl std::error::Error for ChallengeRejection {}

impl ResponseError for ChallengeRejection {
    fn status_code(&self) -> StatusCode {
        match &self.0 {
            Cause::Refused(rejection) => render::status(rejection),
            Cause::Misconfigured(misconfigured) => misconfigured.status_code(),
        }
    }

    fn error_response(&self) -> HttpResponse {
        match &self.0 {
            Cause::Refused(rejection) => Renderer::default().render(rejection.clone()),
            Cause::Misconfigured(misconfigured) => misconfigured.error_response(),
        }
    }
}
