//! The authorization request: which challenge it carries, if any (RFC 7636 §4.3, §4.4).
//!
//! Pure functions over bytes. What holds for all of them:
//!
//! 1. A parameter without a value counts as omitted (RFC 6749 §3.1).
//! 2. `code_challenge` or `code_challenge_method` more than once is refused, whatever the values and however the name
//!    is encoded. Other parameters are none of our business.
//! 3. With `request` or `request_uri` the request's own parameters do not count (RFC 9101 §6.3): refused. A host that
//!    has resolved the request object hands its values to [`from_values`].
//! 4. A `response_type` without the token `code` needs no challenge; one that is missing is treated as if it had it.
//! 5. An omitted method means `plain`, never S256 (RFC 7636 §4.3).
//! 6. A malformed challenge is never "no challenge".

use std::borrow::Cow;

use serde::de::DeserializeOwned;

use crate::challenge::CodeChallenge;
use crate::events;
use crate::method::{CodeChallengeMethod, InvalidCodeChallenge};
use crate::params::{self, Params};
use crate::policy::Policy;
use crate::reason::Reason;
use crate::rejection::Rejection;
use crate::request::{Format, Request};
use crate::requested::{Requested, reject};

const NAMES: [&str; 5] = ["code_challenge", "code_challenge_method", "response_type", "request", "request_uri"];

/// Reads an authorization request by GET: the parameters stand in the query (RFC 6749 §4.1.1).
///
/// # Errors
///
/// The refusal: 405 if it is not a GET (or HEAD), else 400 with `invalid_request`.
pub fn read_query(request: &Request<'_>, policy: &Policy) -> Result<Requested, Rejection> {
    match request.method() {
        "GET" | "HEAD" => read_parameters(request.raw_query(), policy),
        // The challenge may stand in the body, which is not read here: it must not look as if there were none.
        _ => Err(reject(Reason::AuthorizationMethod, policy)),
    }
}

/// Reads an authorization request by POST, or a pushed one (RFC 9126): the parameters stand in the form body.
///
/// # Errors
///
/// The refusal: 405 if it is not a POST, else 400 or 413 with `invalid_request`; also for PKCE parameters or a request object in the
/// query, which would be a second reading.
pub fn read_form(request: &Request<'_>, policy: &Policy) -> Result<Requested, Rejection> {
    finish(form(request, policy), policy)
}

/// As [`read_form`], and reads the host's own parameters from the same bytes.
///
/// # Errors
///
/// As [`read_form`], and 400 if the form is not a `T`.
pub fn read_form_as<T: DeserializeOwned>(request: &Request<'_>, policy: &Policy) -> Result<(Requested, T), Rejection> {
    let read = form(request, policy).and_then(|requested| {
        let (body, _) = request.readable_body(policy)?;
        Ok((requested, serde_urlencoded::from_bytes(body).map_err(|_| Reason::MalformedBody)?))
    });
    match read {
        Ok((requested, form)) => finish(Ok(requested), policy).map(|requested| (requested, form)),
        Err(reason) => Err(reject(reason, policy)),
    }
}

/// Reads the form-encoded parameters of an authorization request, wherever the host got them.
///
/// # Errors
///
/// The refusal, 400 with `invalid_request`.
pub fn read_parameters(encoded: &[u8], policy: &Policy) -> Result<Requested, Rejection> {
    finish(parameters(encoded, policy), policy)
}

/// Judges the effective parameters of an authorization request that the host has resolved itself, from a request
/// object (RFC 9101) or an API of its own. An empty value counts as omitted.
///
/// # Errors
///
/// The refusal, 400 with `invalid_request`.
pub fn from_values(
    response_type: Option<&str>,
    code_challenge: Option<&str>,
    code_challenge_method: Option<&str>,
    policy: &Policy,
) -> Result<Requested, Rejection> {
    if !wants_code(response_type) {
        return finish(Ok(Requested::NoCode), policy);
    }
    finish(judge(code_challenge, code_challenge_method, policy), policy)
}

fn form(request: &Request<'_>, policy: &Policy) -> Result<Requested, Reason> {
    if request.method() != "POST" {
        return Err(Reason::AuthorizationFormMethod);
    }
    let [challenge, method, _, request_object, request_uri] = NAMES;
    if Params::scan(request.raw_query(), &[challenge, method, request_object, request_uri]).any_present() {
        return Err(Reason::ParameterInQuery);
    }
    match request.readable_body(policy)? {
        (body, Format::Form) => parameters(body, policy),
        (_, Format::Json) => Err(Reason::ContentType),
    }
}

/// Reads a request whose parameters may stand in the query, in the form body, or the same in both, and announces
/// nothing yet.
pub(crate) fn query_and_form(query: &[u8], form: &[u8], policy: &Policy) -> Result<Requested, Reason> {
    read(&Params::scan(query, &NAMES).merged(&Params::scan(form, &NAMES)), policy)
}

fn parameters(encoded: &[u8], policy: &Policy) -> Result<Requested, Reason> {
    read(&Params::scan(encoded, &NAMES), policy)
}

fn read(params: &Params<'_, 5>, policy: &Policy) -> Result<Requested, Reason> {
    let [challenge_repeated, method_repeated, response_type_repeated, request_repeated, request_uri_repeated] =
        params.repeated();
    if challenge_repeated || method_repeated {
        return Err(Reason::DuplicateParameter);
    }
    let [challenge, method, response_type, request, request_uri] = params.values();
    if request_repeated || request_uri_repeated || request.is_some() || request_uri.is_some() {
        return Err(Reason::RequestObject);
    }
    let response_type = if response_type_repeated { None } else { response_type.and_then(text) };
    if !wants_code(response_type.as_deref()) {
        return Ok(Requested::NoCode);
    }
    let challenge = challenge.map(|value| text(value).ok_or(Reason::ChallengeMalformed)).transpose();
    let method = method.map(|value| text(value).ok_or(Reason::ChallengeMethod)).transpose();
    match (challenge, method) {
        (Ok(challenge), Ok(method)) => judge(challenge.as_deref(), method.as_deref(), policy),
        (Err(reason), _) | (_, Err(reason)) => tolerate(reason, policy),
    }
}

fn judge(challenge: Option<&str>, method: Option<&str>, policy: &Policy) -> Result<Requested, Reason> {
    let present = |value: &&str| !value.is_empty();
    let judged = match (challenge.filter(present), method.filter(present)) {
        (None, _) if !policy.allows_missing_challenge() => Err(Reason::ChallengeRequired), // RFC 7636 §4.4.1
        (None, None) => return Ok(Requested::NoChallenge),
        (None, Some(_)) => Err(Reason::MethodWithoutChallenge), // a bug, or a challenge that was stripped
        (Some(challenge), method) => acceptable(challenge, method, policy),
    };
    match judged {
        Ok(challenge) => Ok(Requested::Challenge(challenge)),
        Err(reason) => tolerate(reason, policy),
    }
}

fn acceptable(challenge: &str, method: Option<&str>, policy: &Policy) -> Result<CodeChallenge, Reason> {
    let method = match method {
        None => CodeChallengeMethod::Plain, // RFC 7636 §4.3: "defaults to plain"
        Some(name) => name.parse().map_err(|_| Reason::ChallengeMethod)?,
    };
    if !policy.allows(method) {
        return Err(Reason::ChallengeMethod); // RFC 7636 §4.4.1: "transform algorithm not supported"
    }
    CodeChallenge::parse(challenge, method).map_err(|error| match error {
        InvalidCodeChallenge::Challenge => Reason::ChallengeMalformed,
        InvalidCodeChallenge::Method => Reason::ChallengeMethod,
    })
}

/// What a roll-out must bear with is reported instead of refused.
fn tolerate(reason: Reason, policy: &Policy) -> Result<Requested, Reason> {
    if policy.is_report_only() { Ok(Requested::Tolerated(reason)) } else { Err(reason) }
}

/// `response_type` is a list in any order; `code` is one of its words, not a part of one (RFC 6749 §3.1.1).
fn wants_code(response_type: Option<&str>) -> bool {
    response_type.is_none_or(|types| types.is_empty() || types.split(' ').any(|word| word == "code"))
}

fn text(value: &[u8]) -> Option<Cow<'_, str>> {
    match params::decode(value).ok()? {
        Cow::Borrowed(octets) => std::str::from_utf8(octets).ok().map(Cow::Borrowed),
        Cow::Owned(octets) => String::from_utf8(octets).ok().map(Cow::Owned),
    }
}

/// What was read is one event, so this stands at the end of each public function and nowhere else.
fn finish(read: Result<Requested, Reason>, policy: &Policy) -> Result<Requested, Rejection> {
    match read {
        Err(reason) => Err(reject(reason, policy)),
        Ok(requested) => {
            announce(&requested);
            Ok(requested)
        }
    }
}

pub(crate) fn announce(requested: &Requested) {
    match requested {
        Requested::Challenge(challenge) => events::challenge(challenge.method()),
        Requested::NoChallenge => events::no_challenge(),
        Requested::Tolerated(reason) => events::authorization_tolerated(*reason),
        Requested::NoCode => events::no_code(),
    }
}
