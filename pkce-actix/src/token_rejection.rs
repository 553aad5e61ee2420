//! A refused token request, for a handler that redeems the code itself.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use pkce_core::Rejection;

use crate::render::{self, Renderer};

/// A refused token request, for a handler that calls [`Pkce::redeem`](crate::Pkce::redeem) itself: the standard error
/// of RFC 6749 §5.2, as the middleware would answer it.
///
/// ```
/// use pkce_actix::{Pkce, TokenRejection};
///
/// async fn redeem(pkce: &Pkce, code: &str, code_verifier: Option<&str>) -> Result<(), TokenRejection> {
///     let (clearance, reservation) = pkce.redeem(code, code_verifier).await?;
///     // … the client, the tokens; settle the reservation if the request is refused after all …
///     # drop((clearance, reservation));
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRejection(Rejection);

impl TokenRejection {
    /// The refusal as plain data, with its [`Reason`](crate::Reason).
    pub const fn rejection(&self) -> &Rejection {
        &self.0
    }
}

impl From<Rejection> for TokenRejection {
    fn from(rejection: Rejection) -> Self {
        Self(rejection)
    }
}

impl fmt::Display for TokenRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for TokenRejection {}

impl ResponseError for TokenRejection {
    fn status_code(&self) -> StatusCode {
        render::status(&self.0)
    }

    fn error_response(&self) -> HttpResponse {
        Renderer::default().render(self.0.clone())
    }
}
