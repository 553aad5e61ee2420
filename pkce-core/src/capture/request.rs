//! What is kept of the authorization request until the host has answered it.

use std::fmt;

use percent_encoding::percent_decode;

use super::target::Target;
use crate::authorization;
use crate::events;
use crate::params::{self, Params};
use crate::policy::Policy;
use crate::reason::Reason;
use crate::request::Request;
use crate::requested::Requested;

/// What [`Pkce::capture`](crate::Pkce::capture) has to know of an authorization request once the host has answered it.
///
/// Made by [`Pkce::capture_request`](crate::Pkce::capture_request); it lives as long as the request, and nowhere else.
pub struct CaptureRequest {
    pub(super) requested: Result<Requested, Reason>,
    pub(super) target: Target,
    pub(super) state: Option<String>,
    pub(super) may_ask_for_code: bool,
}

impl CaptureRequest {
    /// Reads a request before the host runs. Refused here is only what the host's answer could not be read for.
    pub(super) fn read(request: &Request<'_>, policy: &Policy) -> Result<Self, Reason> {
        if let Some(reason) = request.lost_body() {
            return Err(reason);
        }
        let is_authorization_request = matches!(request.method(), "GET" | "HEAD" | "POST");
        let (query, form) = (request.raw_query(), request.form_beside_query(policy));
        let body = form.unwrap_or_default();
        let requested = match form {
            _ if !is_authorization_request => Err(Reason::AuthorizationMethod),
            Ok(form) => authorization::query_and_form(query, form, policy),
            Err(reason) => Err(reason),
        };
        let names = ["redirect_uri", "state", "response_mode"];
        let params = Params::scan(query, &names).merged(&Params::scan(body, &names));
        let ([uri, state, mode], [uri_repeated, _, mode_repeated]) = (params.values(), params.repeated());
        let may_ask_for_code = is_authorization_request && !matches!(requested, Ok(Requested::NoCode));
        if may_ask_for_code && (mode_repeated || mode.is_some_and(|mode| !is_readable(mode))) {
            if !policy.is_report_only() {
                return Err(Reason::ResponseMode);
            }
            events::capture_tolerated(Reason::ResponseMode);
        }
        let target = match uri {
            _ if uri_repeated => Target::Unreadable(Reason::DuplicateParameter),
            None => Target::Unknown,
            Some(value) => text(value).map_or(Target::Unreadable(Reason::CodeForOtherTarget), Target::Uri),
        };
        Ok(Self { requested, target, state: state.and_then(lenient_text), may_ask_for_code })
    }
}

/// Shows neither state nor challenge nor redirect URI.
impl fmt::Debug for CaptureRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CaptureRequest").finish_non_exhaustive()
    }
}

/// The modes in which a code stands in the `Location` (OAuth 2.0 Multiple Response Types §2.1). Not `form_post`, whose
/// code stands in a page, nor `jwt` and its kin, whose code stands in a JWT.
fn is_readable(mode: &[u8]) -> bool {
    params::decode(mode).is_ok_and(|mode| matches!(&*mode, b"query" | b"fragment"))
}

fn text(value: &[u8]) -> Option<String> {
    String::from_utf8(params::decode(value).ok()?.into_owned()).ok()
}

/// The client gets back what any reader reads; a lone percent sign is one.
fn lenient_text(value: &[u8]) -> Option<String> {
    let spaced: Vec<u8> = value.iter().map(|octet| if *octet == b'+' { b' ' } else { *octet }).collect();
    String::from_utf8(percent_decode(&spaced).collect()).ok()
}
