//! A refused token request, for a handler that redeems the code itself.

use std::fmt;

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use pkce_core::Rejection;

use crate::render::Renderer;

/// A refused token request, for a handler that calls [`Pkce::redeem`](crate::Pkce::redeem) itself: the standard error
/// of RFC 6749 §5.2, as the layer would answer it.
///
/// ```
/// use pkce_tower::{Pkce, TokenRejection};
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

impl IntoResponse for TokenRejection {
    fn into_response(self) -> Response {
        Renderer::default().render(self.0).map(Body::from)
    }
}
