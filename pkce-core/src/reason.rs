//! Why a request is rejected: the exact reason for the operator, and what the client is told.

use std::fmt;

/// The exact reason of a rejection.
///
/// It is for the operator, in the `tracing` event and in the [`Rejection`](crate::Rejection). The client gets the standard
/// error code and a fixed sentence. All reasons that tell something about a code share one sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// A parameter that may appear once appears more than once (RFC 6749 §3.1, §3.2).
    DuplicateParameter,
    /// A parameter that belongs in the body is in the query (RFC 6749 §4.1.3).
    ParameterInQuery,
    /// The content type is not `application/x-www-form-urlencoded`, is not there exactly once (RFC 6749 §4.1.3), or has a
    /// boundary.
    ContentType,
    /// The content type names a character set that is not a superset of ASCII.
    Charset,
    /// The body has a content encoding, so it cannot be read here.
    ContentEncoding,
    /// The form has a control character, a line break for example.
    ControlCharacter,
    /// The body is named a form, but begins like JSON or XML.
    NotAForm,
    /// A JSON body holds a form with a code, for a host that guesses.
    FormInJson,
    /// The name of a parameter has brackets, in which some readers find another name.
    BracketedParameter,
    /// The body is larger than the policy allows.
    BodyTooLarge,
    /// The body did not end within the time that the policy allows.
    BodyTimedOut,
    /// The body ended with an error, or does not match its content type.
    MalformedBody,

    /// An authorization request by another method than the extractor reads (RFC 6749 §3.1).
    AuthorizationMethod,
    /// An authorization request whose form is read, by another method than POST (RFC 6749 §3.1, RFC 9126 §2.1).
    AuthorizationFormMethod,
    /// The code challenge is missing and required (RFC 7636 §4.4.1).
    ChallengeRequired,
    /// The code challenge is not in the form that its method demands (RFC 7636 §4.2).
    ChallengeMalformed,
    /// The code challenge method is unknown or not allowed; an omitted one means `plain` (RFC 7636 §4.3, §4.4.1).
    ChallengeMethod,
    /// A code challenge method without a code challenge.
    MethodWithoutChallenge,
    /// A request object is used, and the query's own parameters do not count (RFC 9101 §6.3).
    RequestObject,

    /// A response type that asks for no code, where a challenge is required (RFC 6749 §3.1.1).
    ResponseTypeWithoutCode,
    /// A response type that is `code` only to a lenient reader.
    ResponseTypeLookalike,

    /// A response mode in which a code cannot be captured: `form_post`, a JWT, or an unknown one.
    ResponseMode,
    /// No redirect URI in an authorization request whose code is to be captured (RFC 6749 §3.1.2.3).
    RedirectUriMissing,
    /// The host sends a code elsewhere than to the redirect URI of the authorization request.
    CodeForOtherTarget,
    /// The host's response has, or may have, a code that cannot be read: twice, in a document, in an unusual header.
    CodeUnreadable,
    /// A redirect with a code by another status than 302 or 303 (RFC 9700 §4.12).
    RedirectStatus,
    /// The host issued a code that is bound already.
    CodeAlreadyBound,
    /// The host's code is no authorization code (RFC 6749 A.11), its grant cannot be serialised, or its client cannot be
    /// read.
    BindingInvalid,

    /// A token request by another method than POST (RFC 6749 §3.2).
    TokenMethod,
    /// The grant type is missing (RFC 6749 §5.2).
    GrantTypeMissing,
    /// The grant type is `authorization_code` only to a lenient reader.
    GrantTypeLookalike,
    /// A `code` with a grant type that has none.
    CodeWithOtherGrantType,
    /// The code is missing (RFC 6749 §5.2).
    CodeMissing,
    /// The code has characters that no code has (RFC 6749 A.11), or more than 4096.
    CodeMalformed,
    /// The code verifier is not 43 to 128 unreserved characters (RFC 7636 §4.1).
    VerifierMalformed,
    /// The code verifier is missing, and the policy requires a challenge (RFC 9700 §2.1.1).
    VerifierMissing,
    /// The code verifier is missing, and the record of the code requires one (RFC 9700 §2.1.1).
    VerifierWithheld,
    /// The code verifier does not match the bound challenge (RFC 7636 §4.6).
    VerifierMismatch,
    /// The code is bound to another client than the request names (RFC 6749 §4.1.3).
    ClientMismatch,
    /// The code is bound to another redirect URI than the request has (RFC 6749 §4.1.3).
    RedirectUriMismatch,
    /// A code verifier came for a code that is bound to no challenge (RFC 9700 §4.8.2).
    VerifierUnexpected,
    /// The store has no record of the code.
    CodeUnknown,
    /// The code is expired (RFC 6749 §4.1.2).
    CodeExpired,
    /// The code was redeemed before and is presented again with the right verifier (RFC 6749 §4.1.2).
    CodeReplayed,
    /// The code was redeemed before and is presented again without the right verifier (OAuth 2.1 §7.5.3).
    CodeRedeemed,
    /// The code was burned by a wrong verifier under [`Policy::burn_on_mismatch`](crate::Policy::burn_on_mismatch).
    CodeBurned,
    /// The code is bound by a method that the policy no longer allows.
    MethodNoLongerAllowed,

    /// The store failed. Never a pass.
    StoreUnavailable,
    /// The store did not respond within the policy's time-out. Never a pass.
    StoreTimedOut,
    /// The store holds a record that cannot be parsed. Never compared as `plain`.
    StoreRecordInvalid,
    /// The store broke its contract: it refused an equal proof, or marked a code for a different one.
    StoreContractBroken,
    /// The operating system's random number generator failed.
    RandomUnavailable,
    /// The server is put together wrongly: a layer is missing or mounted twice, or there is no `Pkce`.
    Misconfigured,
}

/// An error code of RFC 6749 §4.1.2.1 or §5.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// A parameter is missing, repeated or malformed.
    InvalidRequest,
    /// The code or its verifier is invalid, expired or used.
    InvalidGrant,
    /// The server cannot handle the request now.
    TemporarilyUnavailable,
    /// The server is at fault.
    ServerError,
    /// The user or the server denied the request.
    AccessDenied,
    /// The client may not use this response type.
    UnauthorizedClient,
    /// The server does not support this response type.
    UnsupportedResponseType,
    /// The scope is unknown or malformed.
    InvalidScope,
    /// The resource of RFC 8707 is unknown or malformed.
    InvalidTarget,
    /// A code of an extension, such as `login_required` of `OpenID` Connect. Characters of %x20-21 / %x23-5B / %x5D-7E.
    Other(&'static str),
}

impl ErrorCode {
    /// Returns the value of the `error` parameter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidGrant => "invalid_grant",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::ServerError => "server_error",
            Self::AccessDenied => "access_denied",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::Other(code) => code,
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One row of the wire table.
pub(crate) struct Wire {
    pub(crate) name: &'static str,
    pub(crate) status: u16,
    pub(crate) error: ErrorCode,
    pub(crate) description: &'static str,
    /// The `Allow` header of a 405.
    pub(crate) allow: Option<&'static str>,
}

impl Reason {
    /// Reasons that a stolen code may cause.
    pub(crate) const OF_STOLEN_CODES: [Self; 7] = [
        Self::VerifierMismatch,
        Self::VerifierMissing,
        Self::VerifierWithheld,
        Self::VerifierUnexpected,
        Self::CodeReplayed,
        Self::CodeRedeemed,
        Self::CodeBurned,
    ];

    /// The faults of the server that a token request meets.
    #[cfg(feature = "metrics")]
    pub(crate) const OF_FAULTS: [Self; 5] = [
        Self::StoreUnavailable,
        Self::StoreTimedOut,
        Self::StoreRecordInvalid,
        Self::StoreContractBroken,
        Self::RandomUnavailable,
    ];

    /// Returns a stable name in `snake_case`, for logs and metrics.
    pub const fn as_str(self) -> &'static str {
        self.wire().name
    }

    /// Returns the error code that the client is sent.
    pub const fn error(self) -> ErrorCode {
        self.wire().error
    }

    /// The table of all reasons: the name of each, and what the client is told.
    pub(crate) const fn wire(self) -> Wire {
        match self {
            Self::DuplicateParameter => bad("duplicate_parameter", "a parameter is included more than once"),
            Self::ParameterInQuery => bad("parameter_in_query", "a parameter of the body is included in the query"),
            Self::ContentType => bad("content_type", "the content type of the body is not accepted"),
            Self::Charset => bad("charset", "the character set of the body is not accepted: use UTF-8"),
            Self::ControlCharacter => {
                bad("control_character", "the body has a line break or another control character that is not encoded")
            }
            Self::NotAForm => bad("not_a_form", "the body is not a form, although the content type is"),
            Self::FormInJson => bad("form_in_json", "the body is a form inside of JSON"),
            Self::BracketedParameter => bad("bracketed_parameter", "a parameter name has brackets"),
            Self::BodyTimedOut => Wire { status: 408, ..bad("body_timed_out", "the body did not arrive in time") },
            Self::ContentEncoding => bad("content_encoding", "a content encoding of the body is not accepted"),
            Self::BodyTooLarge => Wire { status: 413, ..bad("body_too_large", "the body is too large") },
            Self::MalformedBody => bad("malformed_body", "the body is malformed"),
            Self::AuthorizationMethod => Wire {
                status: 405,
                allow: Some("GET"),
                ..bad("authorization_method", "the request method is not accepted")
            },
            Self::AuthorizationFormMethod => Wire {
                status: 405,
                allow: Some("POST"),
                ..bad("authorization_form_method", "the request method is not accepted")
            },
            Self::ChallengeRequired => bad("challenge_required", "code challenge required"),
            Self::ChallengeMalformed => bad("challenge_malformed", "the code challenge is malformed"),
            Self::ChallengeMethod => bad("challenge_method", "transform algorithm not supported"),
            Self::MethodWithoutChallenge => {
                bad("method_without_challenge", "a code challenge method is included without a code challenge")
            }
            Self::RequestObject => {
                bad("request_object", "the parameters of a request object are not accepted in this way")
            }
            Self::ResponseTypeWithoutCode => {
                bad("response_type_without_code", "the response type does not contain code")
            }
            Self::ResponseTypeLookalike => bad("response_type_lookalike", "the response type is malformed"),
            Self::ResponseMode => bad("response_mode", "the response mode is not supported"),
            Self::RedirectUriMissing => bad("redirect_uri_missing", "the redirect URI is missing"),
            Self::CodeForOtherTarget => faulty("code_for_other_target"),
            Self::CodeUnreadable => faulty("code_unreadable"),
            Self::RedirectStatus => faulty("redirect_status"),
            Self::CodeAlreadyBound => faulty("code_already_bound"),
            Self::BindingInvalid => faulty("binding_invalid"),
            Self::TokenMethod => {
                Wire { status: 405, allow: Some("POST"), ..bad("token_method", "the request method is not accepted") }
            }
            Self::GrantTypeMissing => bad("grant_type_missing", "the grant type is missing"),
            Self::GrantTypeLookalike => bad("grant_type_lookalike", "the grant type is malformed"),
            Self::CodeWithOtherGrantType => {
                bad("code_with_other_grant_type", "a code is included with a grant type that has none")
            }
            Self::CodeMissing => bad("code_missing", "the code is missing"),
            Self::CodeMalformed => bad("code_malformed", "the code is malformed"),
            Self::VerifierUnexpected => {
                bad("verifier_unexpected", "a code verifier is included without a code challenge")
            }
            Self::VerifierMalformed => Wire {
                description: "the code verifier is malformed: it needs 43 to 128 characters of A-Z a-z 0-9 - . _ ~ and no \
                              line break",
                ..grant("verifier_malformed")
            },
            Self::VerifierMissing => Wire { description: "code verifier required", ..grant("verifier_missing") },
            Self::VerifierWithheld => grant("verifier_withheld"),
            Self::VerifierMismatch => grant("verifier_mismatch"),
            Self::ClientMismatch => grant("client_mismatch"),
            Self::RedirectUriMismatch => grant("redirect_uri_mismatch"),
            Self::CodeUnknown => grant("code_unknown"),
            Self::CodeExpired => grant("code_expired"),
            Self::CodeReplayed => grant("code_replayed"),
            Self::CodeRedeemed => grant("code_redeemed"),
            Self::CodeBurned => grant("code_burned"),
            Self::MethodNoLongerAllowed => grant("method_no_longer_allowed"),
            Self::StoreUnavailable => unavailable("store_unavailable"),
            Self::StoreTimedOut => unavailable("store_timed_out"),
            Self::StoreRecordInvalid => unavailable("store_record_invalid"),
            Self::StoreContractBroken => unavailable("store_contract_broken"),
            Self::RandomUnavailable => unavailable("random_unavailable"),
            Self::Misconfigured => faulty("misconfigured"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

const fn bad(name: &'static str, description: &'static str) -> Wire {
    Wire { name, status: 400, error: ErrorCode::InvalidRequest, description, allow: None }
}

/// One response for everything that concerns a code and its verifier: no oracle.
const fn grant(name: &'static str) -> Wire {
    Wire {
        name,
        status: 400,
        error: ErrorCode::InvalidGrant,
        description: "the authorization code is invalid, expired or used, or the code verifier does not match",
        allow: None,
    }
}

/// The host is at fault: the client can do nothing about it.
const fn faulty(name: &'static str) -> Wire {
    Wire {
        name,
        status: 500,
        error: ErrorCode::ServerError,
        description: "the server could not complete the request",
        allow: None,
    }
}

const fn unavailable(name: &'static str) -> Wire {
    Wire {
        name,
        status: 503,
        error: ErrorCode::TemporarilyUnavailable,
        description: "the server cannot check the request now",
        allow: None,
    }
}
