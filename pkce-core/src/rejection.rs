//! A rejected request, as plain data for any HTTP library.

use std::fmt;

use crate::events;
use crate::policy::Policy;
use crate::random::RandomError;
use crate::reason::{ErrorCode, Reason};

/// A rejected request: the exact [`Reason`] for the operator, and the response for the client (RFC 6749 §5.2).
///
/// The response contains nothing of the request and says no more than the standard asks for. An adapter writes
/// [`status`](Self::status), [`headers`](Self::headers) and [`body`](Self::body) as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    reason: Reason,
    error_uri: Option<String>,
}

impl Rejection {
    pub(crate) fn new(reason: Reason, policy: &Policy) -> Self {
        Self { reason, error_uri: policy.error_uri.clone() }
    }

    /// Reports that the server is put together wrongly, in an event that contains `message`. For adapters.
    ///
    /// The client gets a 500 with `server_error`: a server without its check serves nothing.
    pub fn misconfigured(message: &'static str) -> Self {
        events::misconfigured(message);
        Reason::Misconfigured.into()
    }

    /// Returns the exact reason.
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// Returns the HTTP status: 400, 405, 408, 413, 500 or 503. Never 401: that is the host's `invalid_client`.
    pub const fn status(&self) -> u16 {
        self.reason.wire().status
    }

    /// Returns the `error` member.
    pub const fn error(&self) -> ErrorCode {
        self.reason.wire().error
    }

    /// Returns the `error_description` member: a fixed sentence in the characters that RFC 6749 §5.2 allows.
    pub const fn description(&self) -> &'static str {
        self.reason.wire().description
    }

    /// Returns the `error_uri` member, if the policy has one.
    pub fn error_uri(&self) -> Option<&str> {
        self.error_uri.as_deref()
    }

    /// Returns the headers, names in lower case: content type, `no-store` (RFC 6749 §5.1), and `Allow` with a 405.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        [("content-type", "application/json"), ("cache-control", "no-store"), ("pragma", "no-cache")]
            .into_iter()
            .chain(self.reason.wire().allow.map(|allow| ("allow", allow)))
    }

    /// Returns the JSON body: string members `error`, `error_description` and, if the policy has one, `error_uri`.
    pub fn body(&self) -> String {
        // None of the three has a character that JSON escapes (RFC 6749 §5.2): tested below.
        let uri = self.error_uri.as_ref().map(|uri| format!(r#","error_uri":"{uri}""#)).unwrap_or_default();
        format!(r#"{{"error":"{}","error_description":"{}"{uri}}}"#, self.error(), self.description())
    }
}

/// Shows what the client may read, and no more. The exact reason is in `Debug` and [`Rejection::reason`].
impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.description())
    }
}

impl std::error::Error for Rejection {}

/// Without the `error_uri` of a policy.
impl From<Reason> for Rejection {
    fn from(reason: Reason) -> Self {
        Self { reason, error_uri: None }
    }
}

impl From<RandomError> for Rejection {
    fn from(_: RandomError) -> Self {
        Reason::RandomUnavailable.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Reason; 53] = [
        Reason::DuplicateParameter,
        Reason::ParameterInQuery,
        Reason::ContentType,
        Reason::Charset,
        Reason::ControlCharacter,
        Reason::NotAForm,
        Reason::FormInJson,
        Reason::BracketedParameter,
        Reason::BodyTimedOut,
        Reason::ResponseTypeLookalike,
        Reason::VerifierWithheld,
        Reason::ClientMismatch,
        Reason::RedirectUriMismatch,
        Reason::ContentEncoding,
        Reason::BodyTooLarge,
        Reason::MalformedBody,
        Reason::AuthorizationMethod,
        Reason::AuthorizationFormMethod,
        Reason::ChallengeRequired,
        Reason::ChallengeMalformed,
        Reason::ChallengeMethod,
        Reason::MethodWithoutChallenge,
        Reason::RequestObject,
        Reason::ResponseTypeWithoutCode,
        Reason::ResponseMode,
        Reason::RedirectUriMissing,
        Reason::CodeForOtherTarget,
        Reason::CodeUnreadable,
        Reason::RedirectStatus,
        Reason::CodeAlreadyBound,
        Reason::BindingInvalid,
        Reason::TokenMethod,
        Reason::GrantTypeMissing,
        Reason::GrantTypeLookalike,
        Reason::CodeWithOtherGrantType,
        Reason::CodeMissing,
        Reason::CodeMalformed,
        Reason::VerifierMalformed,
        Reason::VerifierMissing,
        Reason::VerifierMismatch,
        Reason::VerifierUnexpected,
        Reason::CodeUnknown,
        Reason::CodeExpired,
        Reason::CodeReplayed,
        Reason::CodeRedeemed,
        Reason::CodeBurned,
        Reason::MethodNoLongerAllowed,
        Reason::StoreUnavailable,
        Reason::StoreTimedOut,
        Reason::StoreRecordInvalid,
        Reason::StoreContractBroken,
        Reason::RandomUnavailable,
        Reason::Misconfigured,
    ];

    #[test]
    fn every_response_is_json_in_the_characters_of_rfc_6749() {
        let policy = Policy::new().error_uri("https://as.example/errors#pkce");
        for reason in ALL {
            let rejection = Rejection::new(reason, &policy);
            let body: serde_json::Value = serde_json::from_str(&rejection.body()).unwrap();
            assert_eq!(body["error"], rejection.error().as_str());
            assert_eq!(body["error_description"], rejection.description());
            assert_eq!(body["error_uri"], "https://as.example/errors#pkce");
            assert!(rejection.description().bytes().all(|c| matches!(c, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e)));
            assert!(reason.as_str().bytes().all(|c| c == b'_' || c.is_ascii_lowercase()));
        }
    }

    #[test]
    fn an_invalid_grant_says_why_only_where_the_request_alone_tells() {
        let request_alone = [Reason::VerifierMissing, Reason::VerifierMalformed];
        let bodies: std::collections::HashSet<String> = ALL
            .into_iter()
            .filter(|reason| reason.error() == ErrorCode::InvalidGrant && !request_alone.contains(reason))
            .map(|reason| Rejection::new(reason, &Policy::new()).body())
            .collect();
        assert_eq!(bodies.len(), 1);
    }

    #[test]
    fn no_response_is_a_401_and_only_a_405_names_methods() {
        for reason in ALL {
            let rejection = Rejection::new(reason, &Policy::new());
            assert!(matches!(rejection.status(), 400 | 405 | 408 | 413 | 500 | 503));
            assert_eq!(rejection.headers().any(|(name, _)| name == "allow"), rejection.status() == 405);
        }
    }

    #[test]
    fn reasons_have_names_of_their_own() {
        let names: std::collections::HashSet<&str> = ALL.into_iter().map(Reason::as_str).collect();
        assert_eq!(names.len(), ALL.len());
    }
}
