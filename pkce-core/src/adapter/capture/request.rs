//! What is kept of the authorization request until the host has responded.

use std::fmt;

use super::target::Target;
use crate::adapter::request::{Format, Request};
use crate::authorization::request::{AuthorizationRequest, Requested};
use crate::params::{self, Params};
use crate::policy::Policy;
use crate::reason::Reason;

/// What [`Pkce::capture`](crate::Pkce::capture) needs of an authorization request once the host has responded.
///
/// Created by [`Pkce::capture_request`](crate::Pkce::capture_request). It lives as long as the request.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, not a state")]
pub struct CaptureRequest {
    pub(super) asked: AuthorizationRequest,
    pub(super) target: Target,
    pub(super) state: Option<String>,
    /// As it is; that of `asked` is for events. An error if readers may read different clients.
    pub(super) client_id: Result<Option<String>, Reason>,
    /// A response mode in which a code cannot be captured.
    pub(super) unreadable_mode: bool,
    /// Whether the request has a parameter by which it is one, and asks for a code.
    pub(super) is_authorization_request: bool,
    /// Whether the request has a PKCE parameter. Under `report_only` a request without one passes unchanged.
    pub(super) sends_pkce: bool,
    /// Whether a 307 repeats a request without a body.
    pub(super) is_get: bool,
}

impl CaptureRequest {
    /// Reads the query and, of a POST, the form body. `form` is an error if the body could not be read as a form.
    pub(super) fn read(request: &Request<'_>, policy: &Policy) -> Self {
        let is_get = matches!(request.method(), "GET" | "HEAD");
        let (query, form) = (request.raw_query(), Self::form(request, policy));
        let asked = if is_get || request.method() == "POST" {
            AuthorizationRequest::from_query_and_form(query, form, policy)
        } else {
            AuthorizationRequest::rejected(Reason::AuthorizationMethod)
        };
        let params = Params::scan(query, &NAMES).merged(&Params::scan(form.unwrap_or_default(), &NAMES));
        let [uri, state, mode, _, _, _, client_id, ..] = params.values();
        let [uri_repeated, _, mode_repeated, _, _, _, client_id_repeated, ..] = params.repeated();
        let [_, _, _, challenge, method, ..] = params.present();
        let target = match uri {
            _ if uri_repeated => Target::Unreadable(Reason::DuplicateParameter),
            None => Target::Unknown,
            Some(value) => match params::text(value) {
                Some(uri) => Target::Uri(uri.into_owned()),
                None => Target::Unreadable(Reason::CodeForOtherTarget),
            },
        };
        let client_id = match client_id {
            _ if client_id_repeated => Err(Reason::DuplicateParameter),
            Some(value) => params::text(value).map(|client| Some(client.into_owned())).ok_or(Reason::BindingInvalid),
            None => Ok(None),
        };
        // `state` and `response_mode` are names that others use too.
        let [uri_present, _, _, own @ ..] = params.present();
        let is_authorization_request = uri_present || own.contains(&true);
        let may_ask_for_code = is_authorization_request && asked.requested() != Ok(&Requested::NoCode);
        let is_unreadable = mode_repeated || mode.is_some_and(|mode| !is_readable(mode));
        Self {
            asked,
            target,
            state: state.and_then(params::lenient_text),
            client_id,
            unreadable_mode: may_ask_for_code && is_unreadable,
            is_authorization_request,
            sends_pkce: challenge || method,
            is_get,
        }
    }

    fn form<'a>(request: &Request<'a>, policy: &Policy) -> Result<&'a [u8], Reason> {
        if request.method() != "POST" || request.has_empty_body() {
            return Ok(&[]);
        }
        // A body that was not read may hold a challenge: it is not taken for an empty one.
        match request.readable_body(policy)? {
            (body, Format::Form) => Ok(body),
            (_, Format::Json) => Err(Reason::ContentType),
        }
    }
}

/// The parameters of an authorization request.
const NAMES: [&str; 9] = [
    "redirect_uri",
    "state",
    "response_mode",
    "code_challenge",
    "code_challenge_method",
    "response_type",
    "client_id",
    "request",
    "request_uri",
];

/// Shows neither state nor challenge nor redirect URI.
impl fmt::Debug for CaptureRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CaptureRequest").finish_non_exhaustive()
    }
}

/// The modes in which a code is in the `Location` (OAuth 2.0 Multiple Response Types §2.1). Not `form_post`, whose code
/// is in a page, nor `jwt` and its variants, whose code is in a JWT.
fn is_readable(mode: &[u8]) -> bool {
    params::decode(mode).is_ok_and(|mode| matches!(&*mode, b"query" | b"fragment"))
}
