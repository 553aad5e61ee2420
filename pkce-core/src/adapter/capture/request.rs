//! What is kept of the authorization request until the host has responded.

use std::fmt;

use super::target::Target;
use crate::adapter::request::Request;
use crate::authorization::request::{AuthorizationRequest, Requested};
use crate::params::{self, Params};
use crate::policy::Policy;
use crate::reason::Reason;

/// What [`Pkce::capture`](crate::Pkce::capture) needs of an authorization request once the host has responded.
///
/// Created by [`Pkce::capture_request`](crate::Pkce::capture_request). It lives as long as the request.
pub struct CaptureRequest {
    pub(super) asked: AuthorizationRequest,
    pub(super) target: Target,
    pub(super) state: Option<String>,
    /// Whether the response may hold a code.
    pub(super) may_ask_for_code: bool,
    /// A response mode in which a code cannot be captured.
    pub(super) unreadable_mode: bool,
}

impl CaptureRequest {
    pub(super) fn read(request: &Request<'_>, policy: &Policy) -> Self {
        let is_authorization_request = matches!(request.method(), "GET" | "HEAD" | "POST");
        let (query, form) = (request.raw_query(), request.form_beside_query(policy));
        let asked = if is_authorization_request {
            AuthorizationRequest::from_query_and_form(query, form, policy)
        } else {
            AuthorizationRequest::rejected(Reason::AuthorizationMethod)
        };
        let names = ["redirect_uri", "state", "response_mode"];
        let params = Params::scan(query, &names).merged(&Params::scan(form.unwrap_or_default(), &names));
        let ([uri, state, mode], [uri_repeated, _, mode_repeated]) = (params.values(), params.repeated());
        let may_ask_for_code = is_authorization_request && asked.requested() != Ok(&Requested::NoCode);
        let target = match uri {
            _ if uri_repeated => Target::Unreadable(Reason::DuplicateParameter),
            None => Target::Unknown,
            Some(value) => match params::text(value) {
                Some(uri) => Target::Uri(uri.into_owned()),
                None => Target::Unreadable(Reason::CodeForOtherTarget),
            },
        };
        Self {
            asked,
            target,
            state: state.and_then(params::lenient_text),
            may_ask_for_code,
            unreadable_mode: may_ask_for_code && (mode_repeated || mode.is_some_and(|mode| !is_readable(mode))),
        }
    }
}

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
