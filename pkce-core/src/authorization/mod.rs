//! The authorization endpoint: what a request asks for, what waits until the code is issued, and the response.

pub(crate) mod pending;
pub(crate) mod request;
pub(crate) mod response;

pub use self::pending::PendingChallenge;
pub use self::request::AuthorizationRequest;
pub use self::response::{AuthorizationError, AuthorizationRedirect, AuthorizationResponse};
