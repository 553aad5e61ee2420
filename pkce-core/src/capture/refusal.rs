//! The answer in place of one whose code must not leave.

use std::fmt;

use super::location;
use super::request::CaptureRequest;
use crate::host_response::HostResponse;
use crate::redirect::ErrorRedirect;
use crate::rejection::Rejection;

/// The answer in place of the host's, whose code must not leave. Plain data for any HTTP library.
///
/// If the host redirected to the request's own redirect URI, and so has validated it, it is the standard error redirect
/// there (RFC 6749 §4.1.2.1) with the `state` of the request and the `iss` of the host (RFC 9207 §2). Else it is the
/// plain refusal: nobody is redirected to a URI that nobody has validated.
#[derive(Clone, PartialEq, Eq)]
pub struct CaptureRefusal {
    rejection: Rejection,
    redirect: Option<(u16, String)>,
}

impl CaptureRefusal {
    pub(super) fn new(rejection: Rejection, asked: &CaptureRequest, answer: &HostResponse<'_>) -> Self {
        let redirect = answer.location().filter(|_| answer.is_redirect()).and_then(|location| {
            let own = asked.target.within(location)?;
            let issuer = location::issuer(location);
            let mut redirect = ErrorRedirect::new(own, &rejection).state(asked.state.as_deref());
            if let Some(issuer) = &issuer {
                redirect = redirect.issuer(issuer);
            }
            if location::answers_in_fragment(location) {
                redirect = redirect.in_fragment();
            }
            let status = if answer.status() == 302 { 302 } else { ErrorRedirect::STATUS };
            Some((status, redirect.location()))
        });
        Self { rejection, redirect }
    }

    /// The refusal, with its exact [`Reason`](crate::Reason).
    pub const fn rejection(&self) -> &Rejection {
        &self.rejection
    }

    /// Status and `Location` of the error redirect: 302 if the host's was, else 303. `None` if the refusal is to be
    /// answered as it is.
    pub fn redirect(&self) -> Option<(u16, &str)> {
        self.redirect.as_ref().map(|(status, location)| (*status, location.as_str()))
    }

    /// Further headers of the error redirect: names in lower case and values. It has no body.
    pub fn redirect_headers(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        // RFC 9700 §4.2.4: what stands in the page that led here is nobody's business.
        [("cache-control", "no-store"), ("pragma", "no-cache"), ("referrer-policy", "no-referrer")].into_iter()
    }

    /// Whether a header line of the host's answer goes along, its name in any case: `Set-Cookie` alone.
    ///
    /// The user did sign in, and would be asked again; everything else may describe the answer that was dropped.
    pub fn keeps_header(name: &str) -> bool {
        name.eq_ignore_ascii_case("set-cookie")
    }
}

/// Shows no `Location`: it holds the state.
impl fmt::Debug for CaptureRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CaptureRefusal")
            .field("rejection", &self.rejection)
            .field("redirects", &self.redirect.is_some())
            .finish_non_exhaustive()
    }
}
