//! The authorization request: which challenge it carries, if any (RFC 7636 §4.3, §4.4).

use std::fmt;

use serde::de::DeserializeOwned;

use super::pending::PendingChallenge;
use crate::adapter::request::{Format, Request};
use crate::challenge::CodeChallenge;
use crate::events;
use crate::method::{CodeChallengeMethod, InvalidCodeChallenge};
use crate::params::{self, Params};
use crate::pkce::Pkce;
use crate::policy::Policy;
use crate::reason::Reason;
use crate::rejection::Rejection;

const NAMES: [&str; 6] =
    ["code_challenge", "code_challenge_method", "response_type", "request", "request_uri", "client_id"];

/// The longest part of a `client_id` that an event shows, in characters.
const MAX_CLIENT_ID: usize = 128;

/// An authorization request as far as PKCE is concerned. [`Pkce::challenge`] and [`Pkce::optional_challenge`] judge it.
///
/// Reading is pure: it looks nothing up and emits no event. The rules:
///
/// 1. A parameter without a value counts as omitted (RFC 6749 §3.1).
/// 2. `code_challenge` or `code_challenge_method` more than once is rejected, whatever the values and however the name
///    is encoded. Repeats of other parameters are ignored.
/// 3. A request with `request` or `request_uri` is rejected: its own parameters do not count (RFC 9101 §6.3). A host
///    that has resolved the request object passes its parameters to
///    [`from_parameters`](AuthorizationRequest::from_parameters).
/// 4. A `response_type` without the value `code` needs no challenge. A missing one is treated as `code`; one that only
///    looks like it (`CODE`, `code%0A`) is rejected.
/// 5. An omitted method means `plain`, never S256 (RFC 7636 §4.3).
/// 6. A malformed challenge is never "no challenge".
///
/// The extractors of the adapters do all of this. A host that reads the parameters itself, from a request object
/// (RFC 9101) say:
///
/// ```
/// use pkce_core::{AuthorizationRequest, MemoryStore, Pkce};
///
/// let pkce = Pkce::new(MemoryStore::new());
/// let claims = [
///     ("response_type", "code"),
///     ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
///     ("code_challenge_method", "S256"),
/// ];
/// let (challenge, ()) = pkce.challenge(AuthorizationRequest::from_parameters(claims, pkce.policy()))?;
/// assert!(challenge.challenge().is_some());
///
/// let without = AuthorizationRequest::from_parameters([("response_type", "code")], pkce.policy());
/// assert!(pkce.challenge(without).is_err());
/// # Ok::<(), pkce_core::Rejection>(())
/// ```
#[must_use = "a request that is not judged protects nothing"]
pub struct AuthorizationRequest<F = ()> {
    client_id: Option<String>,
    read: Result<(Requested, F), Reason>,
}

/// What an authorization request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Requested {
    /// A code that is bound to an acceptable challenge.
    Challenge(CodeChallenge),
    /// A code without a challenge, which the policy leaves to the host: it decides for this client.
    NoChallenge,
    /// A code without an acceptable challenge, which the policy tolerates. The reason is what it would be rejected for.
    Tolerated(Reason),
    /// No code, so PKCE does not apply.
    NoCode,
}

impl Pkce {
    /// Judges an authorization request whose client must send a challenge.
    ///
    /// Returns the challenge, and what the host read from the same form (`()` unless it was read by
    /// [`from_form`](AuthorizationRequest::from_form)). Emits one event.
    ///
    /// # Errors
    ///
    /// When the request has no acceptable challenge and the policy is not [`Policy::report_only`], or asks for no code.
    pub fn challenge<F>(&self, request: AuthorizationRequest<F>) -> Result<(PendingChallenge, F), Rejection> {
        self.finish_request(request, |requested| match requested {
            Requested::Challenge(challenge) => Ok(challenge.clone().into()),
            Requested::Tolerated(_) => Ok(PendingChallenge::TOLERATED),
            Requested::NoChallenge if self.policy().report_only => Ok(PendingChallenge::TOLERATED),
            Requested::NoChallenge => Err(Reason::ChallengeRequired),
            Requested::NoCode => Err(Reason::ResponseTypeWithoutCode),
        })
    }

    /// Judges an authorization request whose client may leave out the challenge
    /// ([`Policy::allow_missing_challenge`]).
    ///
    /// Returns `None` if it sends no challenge, or asks for no code: the host then decides by client. A malformed or
    /// unacceptable challenge is never `None`. Emits one event.
    ///
    /// # Errors
    ///
    /// When the challenge is unacceptable, or missing and required.
    pub fn optional_challenge<F>(
        &self,
        request: AuthorizationRequest<F>,
    ) -> Result<(Option<PendingChallenge>, F), Rejection> {
        self.finish_request(request, |requested| match requested {
            Requested::Challenge(challenge) => Ok(Some(challenge.clone().into())),
            Requested::Tolerated(_) => Ok(Some(PendingChallenge::TOLERATED)),
            Requested::NoChallenge | Requested::NoCode => Ok(None),
        })
    }

    /// The only place that emits the event of an authorization request.
    fn finish_request<F, C>(
        &self,
        AuthorizationRequest { client_id, read }: AuthorizationRequest<F>,
        judge: impl FnOnce(&Requested) -> Result<C, Reason>,
    ) -> Result<(C, F), Rejection> {
        let judged = read.and_then(|(requested, form)| Ok((judge(&requested)?, requested, form)));
        match judged {
            Ok((challenge, requested, form)) => {
                requested.announce(client_id.as_deref());
                Ok((challenge, form))
            }
            Err(reason) => {
                events::authorization_rejected(reason, client_id.as_deref());
                Err(Rejection::new(reason, self.policy()))
            }
        }
    }
}

impl AuthorizationRequest {
    /// Reads an authorization request by GET, from the query (RFC 6749 §4.1.1).
    ///
    /// A request by another method than GET or HEAD is rejected: its challenge may be in the body.
    pub fn from_query(request: &Request<'_>, policy: &Policy) -> Self {
        match request.method() {
            "GET" | "HEAD" => Self::of(&Params::scan(request.raw_query(), &NAMES), policy),
            _ => Self::rejected(Reason::AuthorizationMethod),
        }
    }

    /// Reads the effective parameters of an authorization request, decoded, wherever the host got them: a request object
    /// (RFC 9101), a pushed request, or an API of its own. Pass every parameter; others than PKCE's are ignored.
    pub fn from_parameters<N, V>(parameters: impl IntoIterator<Item = (N, V)>, policy: &Policy) -> Self
    where
        N: AsRef<str>,
        V: AsRef<str>,
    {
        let parameters: Vec<(N, V)> = parameters.into_iter().collect();
        let pairs: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
        match serde_urlencoded::to_string(pairs) {
            Ok(encoded) => Self::of(&Params::scan(encoded.as_bytes(), &NAMES), policy),
            Err(_) => Self::rejected(Reason::MalformedBody),
        }
    }

    /// Reads an authorization request whose parameters may be in the query, in the form body, or the same in both.
    pub(crate) fn from_query_and_form(query: &[u8], form: Result<&[u8], Reason>, policy: &Policy) -> Self {
        let query = Params::scan(query, &NAMES);
        match form {
            Ok(form) => Self::of(&query.merged(&Params::scan(form, &NAMES)), policy),
            Err(reason) => Self { client_id: client_id(&query), read: Err(reason) },
        }
    }

    fn of(params: &Params<'_, 6>, policy: &Policy) -> Self {
        Self { client_id: client_id(params), read: read(params, policy).map(|requested| (requested, ())) }
    }

    pub(crate) fn rejected(reason: Reason) -> Self {
        Self { client_id: None, read: Err(reason) }
    }

    pub(crate) fn requested(&self) -> Result<&Requested, Reason> {
        self.read.as_ref().map(|(requested, ())| requested).map_err(|reason| *reason)
    }

    pub(crate) fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }
}

impl<F: DeserializeOwned> AuthorizationRequest<F> {
    /// Reads an authorization request by POST, or a pushed one (RFC 9126), and the host's own parameters from the same
    /// form body.
    ///
    /// A request by another method is rejected, and so is one with PKCE parameters or a request object in the query,
    /// or with a body that is not an `F`.
    pub fn from_form(request: &Request<'_>, policy: &Policy) -> Self {
        match form_body(request, policy) {
            Ok(body) => {
                let params = Params::scan(body, &NAMES);
                let parsed = read(&params, policy).and_then(|requested| {
                    let form = serde_urlencoded::from_bytes(body).map_err(|_| Reason::MalformedBody)?;
                    Ok((requested, form))
                });
                Self { client_id: client_id(&params), read: parsed }
            }
            Err(reason) => Self { client_id: None, read: Err(reason) },
        }
    }
}

/// Shows no content: a request holds its challenge.
impl<F> fmt::Debug for AuthorizationRequest<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = self.read.as_ref().err();
        f.debug_struct("AuthorizationRequest").field("rejected", &reason).finish_non_exhaustive()
    }
}

impl Requested {
    pub(crate) fn announce(&self, client_id: Option<&str>) {
        match self {
            Self::Challenge(challenge) => events::challenge(challenge.method()),
            Self::NoChallenge => events::no_challenge(),
            Self::Tolerated(reason) => events::authorization_tolerated(*reason, client_id),
            Self::NoCode => events::no_code(),
        }
    }
}

fn form_body<'a>(request: &Request<'a>, policy: &Policy) -> Result<&'a [u8], Reason> {
    if request.method() != "POST" {
        return Err(Reason::AuthorizationFormMethod);
    }
    let [challenge, method, _, request_object, request_uri, _] = NAMES;
    if Params::scan(request.raw_query(), &[challenge, method, request_object, request_uri]).any_present() {
        return Err(Reason::ParameterInQuery);
    }
    match request.readable_body(policy)? {
        (body, Format::Form) => Ok(body),
        (_, Format::Json) => Err(Reason::ContentType),
    }
}

fn read(params: &Params<'_, 6>, policy: &Policy) -> Result<Requested, Reason> {
    let [challenge_repeated, method_repeated, response_type_repeated, request_repeated, request_uri_repeated, _] =
        params.repeated();
    if challenge_repeated || method_repeated {
        return Err(Reason::DuplicateParameter);
    }
    let [challenge, method, response_type, request, request_uri, _] = params.values();
    if request_repeated || request_uri_repeated || request.is_some() || request_uri.is_some() {
        return Err(Reason::RequestObject);
    }
    let response_type = if response_type_repeated { None } else { response_type.and_then(params::text) };
    match wants_code(response_type.as_deref()) {
        Some(true) => {}
        Some(false) => return Ok(Requested::NoCode),
        None => return tolerate(Reason::ResponseTypeLookalike, policy),
    }
    let challenge = challenge.map(|value| params::text(value).ok_or(Reason::ChallengeMalformed)).transpose();
    let method = method.map(|value| params::text(value).ok_or(Reason::ChallengeMethod)).transpose();
    match (challenge, method) {
        (Ok(challenge), Ok(method)) => judge(challenge.as_deref(), method.as_deref(), policy),
        (Err(reason), _) | (_, Err(reason)) => tolerate(reason, policy),
    }
}

fn judge(challenge: Option<&str>, method: Option<&str>, policy: &Policy) -> Result<Requested, Reason> {
    let judged = match (challenge, method) {
        (None, _) if !policy.allow_missing_challenge => Err(Reason::ChallengeRequired), // RFC 7636 §4.4.1
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

/// What a roll-out must tolerate is reported instead of rejected.
fn tolerate(reason: Reason, policy: &Policy) -> Result<Requested, Reason> {
    if policy.report_only { Ok(Requested::Tolerated(reason)) } else { Err(reason) }
}

/// `response_type` is a list in any order; `code` is one of its values, not a part of one (RFC 6749 §3.1.1).
///
/// A missing one is taken for `code`. `None` if only a lenient reader finds `code` in it.
fn wants_code(response_type: Option<&str>) -> Option<bool> {
    let types = response_type.filter(|types| !types.is_empty()).unwrap_or("code");
    let is_list = types.split(' ').all(|word| !word.is_empty());
    if is_list && types.split(' ').any(|word| word == "code") {
        return Some(true);
    }
    let mut words = types.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    if words.any(|word| word.eq_ignore_ascii_case("code")) { None } else { Some(false) }
}

/// The `client_id` for the events: bounded, and in visible ASCII, so that it cannot forge or flood a log.
fn client_id(params: &Params<'_, 6>) -> Option<String> {
    let [.., client_id] = params.values();
    let client_id = params::text(client_id?)?;
    let visible = |c: char| if c.is_ascii_graphic() { c } else { '?' };
    Some(client_id.chars().take(MAX_CLIENT_ID).map(visible).collect())
}
