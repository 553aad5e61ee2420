//! The token request: a code to redeem, another grant, or a rejection (RFC 7636 §4.5, §4.6; RFC 6749 §4.1.3).
//!
//! A pure function over bytes; it looks nothing up. The checks, in the order in which they are made:
//!
//! 1. OPTIONS without a body and without these parameters in the query passes (a CORS preflight).
//! 2. Every other method than POST is a 405.
//! 3. `grant_type`, `code` or `code_verifier` in the query is rejected.
//! 4. The headers name a form (or JSON, if the policy accepts it), once, without a boundary, in a character set that is a
//!    superset of ASCII, and without a content encoding.
//! 5. The body is not larger than the policy allows.
//! 6. A form has no raw control character, and begins with visible ASCII, but not as JSON or XML does. JSON contains
//!    no form with a code. Otherwise a host that guesses the format could read a different request.
//! 7. `grant_type`, `code`, `code_verifier`, `client_id` and `redirect_uri` are in it at most once, and not under a name
//!    with brackets (`code[]`, `[code]`).
//! 8. `grant_type` is there. Another one than `authorization_code` passes, unless it only looks different,
//!    or comes with a `code`.
//! 9. `code` is 1 to 4096 characters of %x20-7E.
//! 10. `code_verifier`, if it is there, is 43 to 128 unreserved characters: another one cannot match.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::request::{Format, Header, Request};
use crate::bound_request::BoundRequest;
use crate::code;
use crate::code_digest::CodeDigest;
use crate::json;
use crate::params::{self, Params};
use crate::policy::Policy;
use crate::proof::Proof;
use crate::reason::Reason;
use crate::verifier;

const NAMES: [&str; 5] = ["grant_type", "code", "code_verifier", "client_id", "redirect_uri"];
/// The parameters that belong in the body (RFC 6749 §4.1.3).
const IN_BODY: [&str; 3] = ["grant_type", "code", "code_verifier"];
const GRANT_TYPE: &[u8] = b"authorization_code";

/// What a token request is, as far as the request alone tells.
#[derive(Debug)]
#[non_exhaustive]
pub enum TokenRequest<'a> {
    /// A CORS preflight, for the host to respond to without a [`Clearance`](crate::Clearance).
    Preflight,
    /// Another grant type, a refresh for example. PKCE does not apply.
    OtherGrant,
    /// A code to redeem.
    CodeGrant(CodeGrant<'a>),
}

/// A well-formed code and the verifier that came with it, borrowed from the request where they need no decoding.
pub struct CodeGrant<'a> {
    code: Cow<'a, [u8]>,
    code_verifier: Option<Cow<'a, [u8]>>,
    client_id: Raw<'a>,
    redirect_uri: Raw<'a>,
    authorization: Header<'a>,
}

/// A parameter that is decoded only for a code that is bound to one.
enum Raw<'a> {
    /// The host reads the request itself, and compares.
    Unread,
    Absent,
    Encoded(&'a [u8]),
    Decoded(Cow<'a, [u8]>),
}

impl<'a> Raw<'a> {
    /// `None` if it is absent. What cannot be decoded is equal to nothing that is bound.
    fn value(&self) -> Option<Cow<'_, [u8]>> {
        match self {
            Self::Unread | Self::Absent => None,
            Self::Encoded(value) => Some(params::decode(value).unwrap_or_default()),
            Self::Decoded(value) => Some(Cow::Borrowed(value)),
        }
    }

    fn encoded(value: Option<&'a [u8]>) -> Self {
        value.map_or(Self::Absent, Self::Encoded)
    }

    fn decoded(value: Value<'a>) -> Self {
        value.map_or(Self::Absent, Self::Decoded)
    }
}

impl<'a> CodeGrant<'a> {
    /// A code and verifier that the host has read itself. An empty verifier counts as omitted.
    pub(crate) fn of_values(code: &'a str, code_verifier: Option<&'a str>) -> Result<Self, Reason> {
        let present = |value: &'a str| (!value.is_empty()).then_some(Cow::Borrowed(value.as_bytes()));
        Ok(Self {
            code: checked_code(present(code))?,
            code_verifier: checked_verifier(code_verifier.and_then(present))?,
            client_id: Raw::Unread,
            redirect_uri: Raw::Unread,
            authorization: Header::Absent,
        })
    }

    /// Returns the code, after form decoding.
    pub fn code(&self) -> &str {
        // It is ASCII: `checked_code` has seen to it.
        std::str::from_utf8(&self.code).unwrap_or_default()
    }

    /// Returns the verifier, after form decoding, if one was sent.
    pub fn code_verifier(&self) -> Option<&str> {
        self.code_verifier.as_deref().and_then(|verifier| std::str::from_utf8(verifier).ok())
    }

    /// Compares the request with what is bound to its code (RFC 6749 §4.1.3). A client that it names in no way is the
    /// host's to compare.
    pub(crate) fn compare(&self, bound: &BoundRequest<'_>, policy: &Policy) -> Result<(), Reason> {
        if bound.client_id.is_some_and(|client_id| self.names_other_client(client_id)) {
            return Err(Reason::ClientMismatch);
        }
        let Some(expected) = bound.redirect_uri else { return Ok(()) };
        let is_right = match (&self.redirect_uri, self.redirect_uri.value()) {
            (_, Some(presented)) => *presented == *expected,
            (Raw::Unread, None) => true,
            (_, None) => !policy.require_redirect_uri_in_token_request,
        };
        if is_right { Ok(()) } else { Err(Reason::RedirectUriMismatch) }
    }

    /// Whether the request names a client, and not this one: in the body, or as the user of HTTP Basic (RFC 6749 §2.3.1).
    fn names_other_client(&self, bound: &[u8]) -> bool {
        let in_body = self.client_id.value().is_some_and(|client_id| *client_id != *bound);
        let in_header = match self.authorization {
            Header::Absent => false,
            Header::Once(value) => basic_user(value).is_some_and(|user| !is_user(&user, bound)),
            // A host takes the first, or the last.
            Header::Repeated => true,
        };
        in_body || in_header
    }

    pub(crate) fn digest(&self) -> CodeDigest {
        CodeDigest::of(&self.code)
    }

    pub(crate) fn proof(&self) -> Option<Proof> {
        self.code_verifier.as_deref().map(Proof::of_checked)
    }

    /// The proof if the code is bound to the client and the redirect URI that the request names. `None` if it names two
    /// clients.
    pub(crate) fn proof_if_bound(&self, of_verifier: &Proof) -> Option<Proof> {
        let user = match self.authorization {
            Header::Absent => None,
            Header::Once(value) => basic_user(value),
            Header::Repeated => return None,
        };
        let user = user.as_ref().map(|user| params::decode(user).unwrap_or(Cow::Borrowed(user)));
        let client_id = match (self.client_id.value(), user) {
            (Some(in_body), Some(user)) if in_body != user => return None,
            (in_body, user) => in_body.or(user),
        };
        let redirect_uri = self.redirect_uri.value();
        let named = BoundRequest { client_id: client_id.as_deref(), redirect_uri: redirect_uri.as_deref() };
        Some(named.proof(of_verifier))
    }
}

/// Shows neither code nor verifier.
impl fmt::Debug for CodeGrant<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verifier = self.code_verifier.as_ref().map(|_| "[redacted]");
        f.debug_struct("CodeGrant").field("code", &"[redacted]").field("code_verifier", &verifier).finish()
    }
}

/// Reads a token request.
///
/// # Errors
///
/// The reason of the rejection.
pub fn read<'a>(request: &Request<'a>, policy: &Policy) -> Result<TokenRequest<'a>, Reason> {
    let query = Params::scan(request.raw_query(), &IN_BODY);
    let in_query = query.any_present() || query.any_bracketed();
    match request.method() {
        "POST" => {}
        "OPTIONS" if request.has_empty_body() && !in_query => return Ok(TokenRequest::Preflight),
        _ => return Err(Reason::TokenMethod), // HEAD too: some form readers read its query
    }
    if in_query {
        return Err(Reason::ParameterInQuery);
    }
    match request.readable_body(policy)? {
        (body, Format::Form) => {
            let params = Params::scan(body, &NAMES);
            if params.any_bracketed() {
                return Err(Reason::BracketedParameter);
            }
            if params.any_repeated() {
                return Err(Reason::DuplicateParameter);
            }
            let [grant_type, code, code_verifier, client_id, redirect_uri] = params.values();
            let decode =
                |value: Option<&'a [u8]>, malformed| value.map(params::decode).transpose().map_err(|_| malformed);
            if !is_code_grant(decode(grant_type, Reason::MalformedBody)?, code.is_some(), policy)? {
                return Ok(TokenRequest::OtherGrant);
            }
            Ok(TokenRequest::CodeGrant(CodeGrant {
                code: checked_code(decode(code, Reason::CodeMalformed)?)?,
                code_verifier: checked_verifier(decode(code_verifier, Reason::VerifierMalformed)?)?,
                client_id: Raw::encoded(client_id),
                redirect_uri: Raw::encoded(redirect_uri),
                authorization: request.authorization(),
            }))
        }
        (body, Format::Json) => {
            let members = json::members(body, &NAMES)?;
            let form = Params::scan(body, &IN_BODY);
            if form.any_present() || form.any_bracketed() {
                return Err(Reason::FormInJson);
            }
            let [grant_type, code, code_verifier, client_id, redirect_uri] = members.map(|value| value.map(bytes));
            if !is_code_grant(grant_type, code.is_some(), policy)? {
                return Ok(TokenRequest::OtherGrant);
            }
            Ok(TokenRequest::CodeGrant(CodeGrant {
                code: checked_code(code)?,
                code_verifier: checked_verifier(code_verifier)?,
                client_id: Raw::decoded(client_id),
                redirect_uri: Raw::decoded(redirect_uri),
                authorization: request.authorization(),
            }))
        }
    }
}

/// The unused bits of the last character are as the host's decoder takes them.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// The user of HTTP Basic (RFC 7617 §2). `None` for another scheme, and for what names nobody: the host rejects it.
fn basic_user(authorization: &[u8]) -> Option<Vec<u8>> {
    let (scheme, credentials) = authorization.trim_ascii().split_at_checked(b"basic".len())?;
    if !scheme.eq_ignore_ascii_case(b"basic") || !credentials.first()?.is_ascii_whitespace() {
        return None;
    }
    // Some readers skip white space, take the alphabet of base64url, and end at the padding.
    let characters = credentials.iter().filter(|byte| !byte.is_ascii_whitespace()).take_while(|byte| **byte != b'=');
    let standard = |byte: &u8| match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => *other,
    };
    let decoded = LENIENT.decode(characters.map(standard).collect::<Vec<u8>>()).ok()?;
    let user = params::cut(&decoded, b':').0;
    (!user.is_empty()).then(|| user.to_vec())
}

/// The user is form-encoded (RFC 6749 §2.3.1); some clients leave that out.
fn is_user(user: &[u8], bound: &[u8]) -> bool {
    user == bound || params::decode(user).is_ok_and(|user| *user == *bound)
}

/// Returns the headers to add to the host's response to a token request that passed (RFC 6749 §5.1): `no-store` to a 2xx
/// that has no `Cache-Control`. Names are in lower case.
pub fn response_headers(status: u16, has_cache_control: bool) -> &'static [(&'static str, &'static str)] {
    match status {
        200..=299 if !has_cache_control => &[("cache-control", "no-store"), ("pragma", "no-cache")],
        _ => &[],
    }
}

type Value<'a> = Option<Cow<'a, [u8]>>;

/// Whether it is a code grant, or another one that may pass.
fn is_code_grant(grant_type: Value<'_>, has_code: bool, policy: &Policy) -> Result<bool, Reason> {
    let grant_type = grant_type.ok_or(Reason::GrantTypeMissing)?;
    if *grant_type == *GRANT_TYPE {
        return Ok(true);
    }
    let grant_type = String::from_utf8_lossy(&grant_type);
    // A host might read it more loosely than we do.
    let loosely = grant_type.trim_matches(|c: char| c.is_whitespace() || c.is_control());
    if loosely.as_bytes().eq_ignore_ascii_case(GRANT_TYPE) {
        return Err(Reason::GrantTypeLookalike);
    }
    // A host that ignores the grant type would serve the code.
    if has_code && !policy.uses_code_otherwise(&grant_type) {
        return Err(Reason::CodeWithOtherGrantType);
    }
    Ok(false)
}

fn checked_code(code: Value<'_>) -> Result<Cow<'_, [u8]>, Reason> {
    let code = code.ok_or(Reason::CodeMissing)?;
    if code::is_code(&code) { Ok(code) } else { Err(Reason::CodeMalformed) }
}

fn checked_verifier(code_verifier: Value<'_>) -> Result<Value<'_>, Reason> {
    match &code_verifier {
        Some(presented) if verifier::check(presented).is_err() => Err(Reason::VerifierMalformed),
        _ => Ok(code_verifier),
    }
}

fn bytes(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}
