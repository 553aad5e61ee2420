//! The code in the `Location` of a redirect.

use std::borrow::Cow;

use percent_encoding::{percent_decode, utf8_percent_encode};

use crate::authorization::response::ENCODED;
use crate::code;
use crate::params::{self, Params};
use crate::reason::Reason;
use crate::uri::Uri;

/// Whether the most lenient reader finds a code in it. A response without one passes. A response with one passes only if
/// [`read`] reads it.
pub(crate) fn may_carry_code(location: &[u8]) -> bool {
    candidates(location) > 0
}

/// How many parameters any reader could take for a code, or for the JWT that wraps one (JARM §2.3.1).
fn candidates(location: &[u8]) -> usize {
    let pieces = location.split(|byte| matches!(byte, b'?' | b'#' | b'&' | b';'));
    pieces.filter(|piece| is_code(piece) || is_jarm(piece)).count()
}

fn is_code(piece: &[u8]) -> bool {
    named(piece).is_some_and(|(name, _)| name.trim_ascii().eq_ignore_ascii_case(b"code"))
}

/// A JWT begins with `{"` in base64url.
fn is_jarm(piece: &[u8]) -> bool {
    named(piece).is_some_and(|(name, value)| name == b"response" && value.starts_with(b"ey"))
}

/// A browser drops tabs and line breaks wherever they are, also within a percent-code, before it decodes (the URL standard).
fn named(piece: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let kept: Vec<u8> = piece.iter().copied().filter(|byte| !matches!(byte, b'\t' | b'\n' | b'\r')).collect();
    let (name, value) = params::cut(&kept, b'=');
    Some((percent_decode(name).collect(), percent_decode(value?).collect()))
}

/// The one code of a `Location`, in the query or in the fragment (OAuth 2.0 Multiple Response Types §2.1), decoded as
/// the client decodes it.
pub(crate) fn read(location: &str) -> Result<String, Reason> {
    if candidates(location.as_bytes()) != 1 {
        return Err(Reason::CodeUnreadable);
    }
    parameter(location, "code").filter(|code| code::is_code(code.as_bytes())).ok_or(Reason::CodeUnreadable)
}

/// Whether it is an error response (RFC 6749 §4.1.2.1): all of its parameters are in one component.
pub(crate) fn is_error(location: &str) -> bool {
    let uri = Uri::split(location);
    let component = if may_carry_code(uri.fragment.unwrap_or_default().as_bytes()) { uri.fragment } else { uri.query };
    only(component, "error").is_some()
}

/// Whether the parameters of the response are in the fragment.
pub(crate) fn is_in_fragment(location: &str) -> bool {
    let uri = Uri::split(location);
    only(uri.query, "code").is_none() && may_carry_code(uri.fragment.unwrap_or_default().as_bytes())
}

/// The value of a parameter that is in either the query or the fragment, once.
pub(crate) fn parameter(location: &str, name: &str) -> Option<String> {
    let uri = Uri::split(location);
    only(uri.query, name).xor(only(uri.fragment, name))
}

/// The `Location` with `iss`, if it is an authorization response, success or error, without one (RFC 9207 §2).
pub(crate) fn with_issuer(location: &str, issuer: &str) -> Option<String> {
    let Uri { query, fragment, .. } = Uri::split(location);
    let is_response =
        |component| ["code", "error", "access_token", "id_token"].iter().any(|name| only(component, name).is_some());
    let (component, end) = match (query, fragment) {
        (query, Some(fragment)) if is_response(query) => (query, location.len() - fragment.len() - 1),
        (_, fragment @ Some(_)) => (fragment, location.len()),
        (query, None) => (query, location.len()),
    };
    let [has_issuer] = Params::scan(component?.as_bytes(), &["iss"]).present();
    if !is_response(component) || has_issuer {
        return None;
    }
    let (response, rest) = location.split_at(end);
    Some(format!("{response}&iss={}{rest}", utf8_percent_encode(issuer, ENCODED)))
}

fn only(component: Option<&str>, name: &str) -> Option<String> {
    let [value] = Params::scan(component?.as_bytes(), &[name]).values();
    params::text(value?).map(Cow::into_owned)
}
