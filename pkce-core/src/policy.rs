//! What a server requires: methods, lifetimes, limits, and the settings that weaken the check.

use std::time::Duration;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::method::CodeChallengeMethod;
use crate::store::MAX_LIFETIME;

/// What a server requires of its clients. The default is what OAuth 2.1 and RFC 9700 ask for:
///
/// | setting | default | why |
/// | --- | --- | --- |
/// | methods | S256 only | `plain` does not protect a request that can be read (RFC 9700 §2.1.1) |
/// | challenge | required | OAuth 2.1 §4.1.1 |
/// | code lifetime | 60 seconds | FAPI 2.0 §5.3.2.1; enough for a redirect on a slow connection |
/// | body limit | 16 KiB | a token request has a few hundred bytes; a signed client assertion a few thousand |
/// | body time-out | 30 seconds | a few hundred bytes arrive within that on the slowest line |
/// | store time-out | 2 seconds | shorter than a client waits, far longer than a healthy store takes |
/// | wrong verifier | changes nothing | whoever lacks the verifier must not be able to stop the client that has it |
///
/// A setting that weakens the check (`allow_…`, `accept_json`, `report_only`) says what it costs.
///
/// ```
/// use pkce_core::Policy;
/// use std::time::Duration;
///
/// let policy = Policy::new().code_lifetime(Duration::from_secs(300)).burn_on_mismatch();
/// # let _ = policy;
/// ```
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own, not a state")]
pub struct Policy {
    pub(crate) allow_plain: bool,
    pub(crate) allow_missing_challenge: bool,
    pub(crate) accept_json: bool,
    pub(crate) allow_missing_redirect_uri: bool,
    pub(crate) report_only: bool,
    pub(crate) burn_on_mismatch: bool,
    pub(crate) require_redirect_uri_in_token_request: bool,
    pub(crate) code_lifetime: Duration,
    pub(crate) body_limit: usize,
    pub(crate) body_timeout: Option<Duration>,
    pub(crate) store_timeout: Duration,
    pub(crate) error_uri: Option<String>,
    grant_types_with_code: Vec<String>,
}

/// Everything that RFC 6749 §5.2 does not allow in an `error_uri`: outside %x21 / %x23-5B / %x5D-7E.
const NOT_IN_ERROR_URI: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'\\');

impl Policy {
    /// Creates a policy with the defaults.
    pub const fn new() -> Self {
        Self {
            allow_plain: false,
            allow_missing_challenge: false,
            accept_json: false,
            allow_missing_redirect_uri: false,
            report_only: false,
            burn_on_mismatch: false,
            require_redirect_uri_in_token_request: false,
            code_lifetime: Duration::from_secs(60),
            body_limit: 16 * 1024,
            body_timeout: Some(Duration::from_secs(30)),
            store_timeout: Duration::from_secs(2),
            error_uri: None,
            grant_types_with_code: Vec::new(),
        }
    }

    /// Danger: accepts the `plain` method, and an omitted method as `plain` (RFC 7636 §4.3).
    ///
    /// Codes are then unprotected against everyone who can read the authorization request: logs, the browser history, a
    /// hostile app on the device. For clients that cannot compute SHA-256.
    pub const fn allow_plain(mut self) -> Self {
        self.allow_plain = true;
        self
    }

    /// Danger: lets the host bind a code to *no challenge*
    /// ([`Pkce::bind_without_challenge`](crate::Pkce::bind_without_challenge)).
    ///
    /// This library lets anyone who has such a code redeem it, once. So authenticate these clients *outside* the
    /// layer: a stranger must be refused before the code is marked redeemed. The token endpoint also tells whether a
    /// code bound to no challenge exists (RFC 9700 §4.8.2 asks for the distinct response).
    ///
    /// The host decides which client may leave out the challenge. RFC 9700 §2.1.1 names confidential `OpenID` Connect
    /// clients that check a nonce. A code that was bound to a challenge still needs its verifier.
    pub const fn allow_missing_challenge(mut self) -> Self {
        self.allow_missing_challenge = true;
        self
    }

    /// Danger: accepts token requests in `application/json` too. The same rules hold for the top-level string members.
    ///
    /// RFC 6749 §4.1.3 knows only the form. The host's JSON reader and this one must agree on every request.
    pub const fn accept_json(mut self) -> Self {
        self.accept_json = true;
        self
    }

    /// Danger: lets [`Pkce::capture`](crate::Pkce::capture) take a code for an authorization request without a
    /// `redirect_uri`, wherever the host sends it, if that is an absolute URI.
    ///
    /// RFC 6749 §3.1.2.3 lets a client with one registered redirect URI leave it out, and only the host knows that URI.
    /// The capture then does not check where the code goes. A rejection is a plain response, never a redirect. Nothing
    /// but the capture reads this setting.
    pub const fn allow_missing_redirect_uri(mut self) -> Self {
        self.allow_missing_redirect_uri = true;
        self
    }

    /// Danger: for the roll-out on a server in production. Lets requests of clients without PKCE pass, and reports
    /// for each why it would have been rejected.
    ///
    /// It lets pass a missing or unacceptable challenge at the authorization endpoint, and a code without a record at the
    /// token endpoint ([`ClearanceKind::Unverified`](crate::ClearanceKind::Unverified)). Meanwhile PKCE protects only the
    /// codes that are bound; whoever strips the challenge from a request gets a code that is not. Syntax, duplicates, and
    /// codes that are bound or redeemed are enforced as always.
    ///
    /// * A code without an acceptable challenge is not recorded. The host enforces its single use and its expiry, as
    ///   before.
    /// * After a code expires, its store no longer knows that it needs a verifier. Set [`Policy::code_lifetime`] to the
    ///   lifetime of the host's own codes, or a code is served without the check after its record has expired.
    /// * The capture leaves a form unread that does not announce its length; the challenge in it is not bound.
    /// * A request object is rejected as always. Pass its parameters to
    ///   [`AuthorizationRequest::from_parameters`](crate::AuthorizationRequest::from_parameters).
    /// * With a [`Bind::grant`](crate::Bind::grant), [`client_id`](crate::Bind::client_id) or
    ///   [`redirect_uri`](crate::Bind::redirect_uri) a record must exist: it says *no challenge*. A client whose challenge
    ///   was unacceptable and which then sends its verifier is rejected for it (RFC 9700 §4.8.2). During a roll-out keep
    ///   them in the host's own store, or use [`Policy::allow_plain`] if those clients send `plain`.
    pub const fn report_only(mut self) -> Self {
        self.report_only = true;
        self
    }

    /// Burns a live code when a wrong verifier is presented for it: the strict reading of RFC 7636 §4.6.
    ///
    /// A second call of the store burns the code. If the request is cancelled between the two, the code stays live. A
    /// code that another request has redeemed meanwhile is not burned.
    ///
    /// Whoever sees a code can then stop the client that owns it. Off by default, because guessing a verifier of 43
    /// characters within a minute is hopeless.
    pub const fn burn_on_mismatch(mut self) -> Self {
        self.burn_on_mismatch = true;
        self
    }

    /// Rejects a token request without a `redirect_uri` for a code that is bound to one
    /// ([`Bind::redirect_uri`](crate::Bind::redirect_uri)), as RFC 6749 §4.1.3 asks. Off by default: OAuth 2.1 clients do not
    /// send it.
    pub const fn require_redirect_uri_in_token_request(mut self) -> Self {
        self.require_redirect_uri_in_token_request = true;
        self
    }

    /// Sets how long a code can be redeemed. Default: 60 seconds. A value outside of 1 ms to 10 min is clamped
    /// (RFC 6749 §4.1.2: "a maximum authorization code lifetime of 10 minutes is RECOMMENDED").
    ///
    /// [`Bind::lifetime`](crate::Bind::lifetime) overrides it for one code.
    pub fn code_lifetime(mut self, lifetime: Duration) -> Self {
        self.code_lifetime = clamp_lifetime(lifetime);
        self
    }

    /// Sets the largest body of a token request, or of an authorization request by POST, in bytes. Default: 16 KiB.
    pub const fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Sets how long a client may take to send the body of a token request, or of an authorization request by POST.
    /// `None` sets no limit. Default: 30 seconds. A slower one is answered with 408.
    ///
    /// Measured like [`Policy::store_timeout`].
    pub const fn body_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.body_timeout = timeout;
        self
    }

    /// Sets how long one call of the store may take before it fails. Default: 2 seconds.
    ///
    /// A redemption that fails is followed by one attempt to restore the code, which may take a quarter of it: a store that
    /// hangs is answered with 503 after 2.5 seconds by default. A redemption takes two calls if its code is bound to a client
    /// or a redirect URI and the code before was not, or the other way round, and if the request leaves out what is bound: a
    /// store that responds late to the first and hangs at the second is answered with 503 after at most 4.5 seconds.
    /// [`PkceBuilder::timer`](crate::PkceBuilder::timer) says what measures it.
    pub const fn store_timeout(mut self, timeout: Duration) -> Self {
        self.store_timeout = timeout;
        self
    }

    /// Names another grant type whose requests have a `code` parameter that is *not* an authorization code.
    ///
    /// Without it a `code` with another grant type is rejected: a host that ignores `grant_type` would serve it.
    pub fn other_grant_type_with_code(mut self, grant_type: impl Into<String>) -> Self {
        self.grant_types_with_code.push(grant_type.into());
        self
    }

    /// Sets the `error_uri` of every error response (RFC 6749 §5.2). Default: none. Characters that RFC 6749 §5.2 does
    /// not allow are percent-encoded.
    pub fn error_uri(mut self, uri: &str) -> Self {
        self.error_uri = Some(utf8_percent_encode(uri, NOT_IN_ERROR_URI).to_string());
        self
    }

    /// Returns `code_challenge_methods_supported` of the authorization server metadata (RFC 8414 §2): exactly what is
    /// accepted.
    pub const fn code_challenge_methods_supported(&self) -> &'static [&'static str] {
        const S256: &str = CodeChallengeMethod::S256.as_str();
        const PLAIN: &str = CodeChallengeMethod::Plain.as_str();
        if self.allow_plain { &[S256, PLAIN] } else { &[S256] }
    }

    pub(crate) const fn allows(&self, method: CodeChallengeMethod) -> bool {
        match method {
            CodeChallengeMethod::S256 => true,
            CodeChallengeMethod::Plain => self.allow_plain,
        }
    }

    pub(crate) fn uses_code_otherwise(&self, grant_type: &str) -> bool {
        self.grant_types_with_code.iter().any(|known| known == grant_type)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::new()
    }
}

/// A code lifetime within 1 ms to 10 min.
pub(crate) fn clamp_lifetime(lifetime: Duration) -> Duration {
    lifetime.clamp(Duration::from_millis(1), MAX_LIFETIME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_clamped_to_one_millisecond_to_ten_minutes() {
        for (asked, expected) in [(0, 1), (1, 1), (60_000, 60_000), (600_000, 600_000), (600_001, 600_000)] {
            let policy = Policy::new().code_lifetime(Duration::from_millis(asked));
            assert_eq!(policy.code_lifetime, Duration::from_millis(expected));
        }
        assert_eq!(Policy::new().code_lifetime(Duration::MAX).code_lifetime, MAX_LIFETIME);
    }

    #[test]
    fn an_error_uri_has_only_the_characters_that_rfc_6749_allows() {
        let policy = Policy::new().error_uri("https://as.example/\"e\\ é\n#pkce");
        assert_eq!(policy.error_uri.unwrap(), "https://as.example/%22e%5C%20%C3%A9%0A#pkce");
    }
}
