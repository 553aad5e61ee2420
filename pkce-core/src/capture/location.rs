//! The code in the `Location` of a redirect.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use crate::params::{self, Params};
use crate::reason::Reason;

/// Whether there may be a code in it, by the most lenient of readers. What this does not see leaves untouched; what it
/// sees and [`read`] cannot read does not leave.
pub(crate) fn may_carry_code(location: &[u8]) -> bool {
    candidates(location) > 0
}

/// How many parameters any reader could take for a code, or for the JWT that wraps one (JARM §2.3.1).
fn candidates(location: &[u8]) -> usize {
    let pieces = location.split(|octet| matches!(octet, b'?' | b'#' | b'&' | b';'));
    pieces.filter(|piece| is_code(piece) || is_jarm(piece)).count()
}

fn is_code(piece: &[u8]) -> bool {
    named(piece).is_some_and(|(name, _)| name.trim_ascii().eq_ignore_ascii_case(b"code"))
}

/// A JWT begins with `{"` in base64url.
fn is_jarm(piece: &[u8]) -> bool {
    named(piece).is_some_and(|(name, value)| *name == *b"response" && value.starts_with(b"ey"))
}

fn named(piece: &[u8]) -> Option<(Cow<'_, [u8]>, &[u8])> {
    let (name, value) = params::cut(piece, b'=');
    Some((percent_decode(name).into(), value?))
}

/// The one code of a `Location`, in the query or in the fragment (OAuth 2.0 Multiple Response Types §2.1), decoded as
/// the client decodes it.
pub(crate) fn read(location: &str) -> Result<String, Reason> {
    if candidates(location.as_bytes()) != 1 {
        return Err(Reason::CodeUnreadable);
    }
    let (query, fragment) = components(location);
    only(query, "code").xor(only(fragment, "code")).ok_or(Reason::CodeUnreadable)
}

/// Whether the answer's parameters stand in the fragment.
pub(crate) fn answers_in_fragment(location: &str) -> bool {
    let (query, fragment) = components(location);
    only(query, "code").is_none() && may_carry_code(fragment.as_bytes())
}

/// The issuer identifier of the answer (RFC 9207 §2), if there is exactly one.
pub(crate) fn issuer(location: &str) -> Option<String> {
    let (query, fragment) = components(location);
    only(query, "iss").xor(only(fragment, "iss"))
}

/// Query and fragment.
fn components(location: &str) -> (&str, &str) {
    let (before, fragment) = location.split_once('#').unwrap_or((location, ""));
    let (_, query) = before.split_once('?').unwrap_or((before, ""));
    (query, fragment)
}

/// The value of a parameter that stands once, with a value.
fn only(component: &str, name: &str) -> Option<String> {
    let [value] = Params::scan(component.as_bytes(), &[name]).values();
    String::from_utf8(params::decode(value?).ok()?.into_owned()).ok()
}
