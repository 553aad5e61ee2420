//! The response in place of one whose code must not leave.

use std::fmt;
use std::sync::Arc;

use super::request::CaptureRequest;
use crate::adapter::host_response::HostResponse;
use crate::adapter::location;
use crate::authorization::response::{AuthorizationRedirect, AuthorizationResponse};
use crate::pkce::Pkce;
use crate::rejection::Rejection;

/// The response in place of the host's, whose code must not leave.
///
/// If the host redirected to the request's own redirect URI, and so has validated it, it is the standard error redirect
/// (RFC 6749 §4.1.2.1) with the `state` of the request and the `iss` of the host or of [`Pkce::issuer`] (RFC 9207 §2). Otherwise it is the plain
/// rejection: nobody is redirected to a URI that nobody has validated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureRejection {
    rejection: Rejection,
    redirect: Option<AuthorizationRedirect>,
}

impl CaptureRejection {
    pub(super) fn new(rejection: Rejection, asked: &CaptureRequest, host: &HostResponse<'_>, pkce: &Pkce) -> Self {
        let redirect = host.location().filter(|_| host.is_redirect()).and_then(|location| {
            let own = asked.target.within(location)?;
            let issuer = location::parameter(location, "iss").map(Arc::from).or_else(|| pkce.shared_issuer());
            let mut response = AuthorizationResponse::of(issuer, own).state(asked.state.clone());
            if location::is_in_fragment(location) {
                response = response.in_fragment();
            }
            let redirect = response.error(&rejection);
            Some(if host.status() == 302 { redirect.with_status(302) } else { redirect })
        });
        Self { rejection, redirect }
    }

    /// Returns the rejection, with its exact [`Reason`](crate::Reason).
    pub const fn rejection(&self) -> &Rejection {
        &self.rejection
    }

    /// Returns the error redirect: 302 if the host's was, otherwise 303. `None` if the rejection is to be sent as it is.
    pub const fn redirect(&self) -> Option<&AuthorizationRedirect> {
        self.redirect.as_ref()
    }

    /// Returns whether to keep a header of the host's response (name case-insensitive): only `Set-Cookie`.
    ///
    /// The user did sign in, and would be asked again. Every other header may describe the response that was dropped.
    pub fn keeps_header(name: &str) -> bool {
        name.eq_ignore_ascii_case("set-cookie")
    }
}

impl fmt::Display for CaptureRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rejection.fmt(f)
    }
}

impl std::error::Error for CaptureRejection {}
