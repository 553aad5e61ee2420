//! What a server demands: methods, lifetimes, limits, and the doors that are shut by default.

use std::fmt;
use std::time::Duration;

use crate::binding::MAX_LIFETIME;
use crate::method::CodeChallengeMethod;

/// What a server demands of its clients. The default is what OAuth 2.1 and RFC 9700 ask for:
///
/// | setting | default | why |
/// | --- | --- | --- |
/// | methods | S256 only | `plain` protects nothing that can be read (RFC 9700 §2.1.1) |
/// | challenge | required | OAuth 2.1 §4.1.1 |
/// | code lifetime | 60 seconds | FAPI 2.0 §5.3.2.1; long enough for a redirect on a slow line |
/// | body limit | 16 KiB | a token request has a few hundred octets; a signed client assertion a few thousand |
/// | store time-out | 2 seconds | well under the patience of a client, far above a healthy store |
/// | wrong verifier | changes nothing | whoever lacks the verifier must not be able to stop the client that has it |
///
/// A method that opens a door (`allow_…`, `accept_json`, `report_only`) says what it costs.
///
/// ```
/// use pkce_core::Policy;
/// use std::time::Duration;
///
/// let policy = Policy::new().code_lifetime(Duration::from_secs(30))?;
/// assert!(Policy::new().code_lifetime(Duration::from_secs(3600)).is_err());
/// # Ok::<(), pkce_core::InvalidPolicy>(())
/// ```
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a door of its own, not a state")]
pub struct Policy {
    plain: bool,
    missing_challenge: bool,
    json: bool,
    missing_redirect_uri: bool,
    report_only: bool,
    burn_on_mismatch: bool,
    code_lifetime: Duration,
    body_limit: usize,
    store_timeout: Duration,
    grant_types_with_code: Vec<String>,
    error_uri: Option<String>,
}

impl Policy {
    /// The safe defaults.
    pub const fn new() -> Self {
        Self {
            plain: false,
            missing_challenge: false,
            json: false,
            missing_redirect_uri: false,
            report_only: false,
            burn_on_mismatch: false,
            code_lifetime: Duration::from_secs(60),
            body_limit: 16 * 1024,
            store_timeout: Duration::from_secs(2),
            grant_types_with_code: Vec::new(),
            error_uri: None,
        }
    }

    /// Danger: accepts the `plain` method, and an omitted method as `plain` (RFC 7636 §4.3).
    ///
    /// It costs the protection against everybody who can read the authorization request: logs, browser history,
    /// a hostile app on the device. For clients that cannot compute SHA-256, if there are any left.
    pub const fn allow_plain(mut self) -> Self {
        self.plain = true;
        self
    }

    /// Danger: lets the host bind a code to *no challenge*
    /// ([`Pkce::bind_without_challenge`](crate::Pkce::bind_without_challenge)).
    ///
    /// It costs the protection of every client that makes use of it: its codes are worth whatever else the host checks.
    /// Whoever has such a code can redeem it as far as this library goes, and then it is redeemed: authenticate these
    /// clients *outside* the layer, so that a stranger's request does not get that far. The token endpoint then also
    /// tells whether a code bound to no challenge exists (RFC 9700 §4.8.2 asks for the distinct answer).
    /// Which client may is the host's decision; RFC 9700 §2.1.1 leaves confidential `OpenID` Connect clients that
    /// check a nonce. A code that was bound to a challenge still needs its verifier.
    pub const fn allow_missing_challenge(mut self) -> Self {
        self.missing_challenge = true;
        self
    }

    /// Danger: token requests may be `application/json` as well; the same rules hold for the top-level string members.
    ///
    /// RFC 6749 §4.1.3 knows only the form. It costs what every second reading of a request costs: the host's JSON
    /// reader and this one must agree.
    pub const fn accept_json(mut self) -> Self {
        self.json = true;
        self
    }

    /// Danger: lets [`Pkce::capture`](crate::Pkce::capture) take a code for an authorization request without a
    /// `redirect_uri`, wherever the host sends it, as long as that is an absolute URI.
    ///
    /// RFC 6749 §3.1.2.3 lets a client with one registered redirect URI leave it out, and only the host knows which it
    /// is. It costs the check that the code goes where it was asked to: the host alone answers for that then. A refusal
    /// is a plain answer, never a redirect. It says nothing about anything but the capture.
    pub const fn allow_missing_redirect_uri(mut self) -> Self {
        self.missing_redirect_uri = true;
        self
    }

    /// Danger: for the roll-out on a server in production, lets pass what clients that do not do PKCE yet will send,
    /// and reports each with the reason it would have been refused for.
    ///
    /// What passes: a missing or unacceptable challenge at the authorization endpoint, and a code without a record at
    /// the token endpoint ([`ClearanceKind::Unverified`](crate::ClearanceKind::Unverified)). As long as it is on, PKCE
    /// protects only the codes that are bound; whoever strips the challenge from a request gets a code that is not.
    /// Syntax, duplicates, and codes that are bound or redeemed are enforced as always.
    ///
    /// * A code without an acceptable challenge is not recorded, so its single use and its expiry are the host's own
    ///   care, as they were before.
    /// * A store forgets a code when it expires, and with it that the code needs a verifier. Set
    ///   [`Policy::code_lifetime`] to what the host's own codes live, or the check ends before the code does.
    /// * A request object is refused as always; hand its values to [`authorization::from_values`](crate::authorization::from_values).
    /// * With [`Bind::grant`](crate::Bind::grant) there must be a record: it says *no challenge*. A client whose
    ///   challenge was unacceptable and which then sends its verifier is refused for it (RFC 9700 §4.8.2). During a
    ///   roll-out keep the grant in the host's own store, or [`Policy::allow_plain`] if that is what those clients send.
    pub const fn report_only(mut self) -> Self {
        self.report_only = true;
        self
    }

    /// A wrong verifier for a live code redeems the code for nobody: the strict reading of RFC 7636 §4.6.
    ///
    /// The code is burned by a second call of the store; if the request is cancelled in between it stays live.
    ///
    /// It costs availability: whoever sees a code can stop the client that owns it. Off by default, because guessing
    /// a verifier of 43 characters within a code's minute is hopeless.
    pub const fn burn_on_mismatch(mut self) -> Self {
        self.burn_on_mismatch = true;
        self
    }

    /// How long a code can be redeemed, unless the host says otherwise for one code. Default: 60 seconds.
    ///
    /// # Errors
    ///
    /// Less than a millisecond, or more than 10 minutes (RFC 6749 §4.1.2).
    pub fn code_lifetime(mut self, lifetime: Duration) -> Result<Self, InvalidPolicy> {
        if lifetime < Duration::from_millis(1) || lifetime > MAX_LIFETIME {
            return Err(InvalidPolicy::CodeLifetime);
        }
        self.code_lifetime = lifetime;
        Ok(self)
    }

    /// The largest body of a token request, or of an authorization request by POST, in octets. Default: 16 KiB.
    pub const fn body_limit(mut self, octets: usize) -> Self {
        self.body_limit = octets;
        self
    }

    /// How long one call of the store may take before it counts as failed. Default: 2 seconds.
    ///
    /// The core has no runtime: the time is measured by the [`Timer`](crate::Timer) that an adapter lends.
    pub const fn store_timeout(mut self, timeout: Duration) -> Self {
        self.store_timeout = timeout;
        self
    }

    /// Names another grant type whose requests have a `code` parameter that is *not* an authorization code.
    ///
    /// Without it a `code` beside another grant type is refused: a host that ignores `grant_type` would serve it.
    pub fn other_grant_type_with_code(mut self, grant_type: impl Into<String>) -> Self {
        self.grant_types_with_code.push(grant_type.into());
        self
    }

    /// An `error_uri` for every error answer (RFC 6749 §5.2). Default: none.
    ///
    /// # Errors
    ///
    /// When it has a character outside %x21 / %x23-5B / %x5D-7E.
    pub fn error_uri(mut self, uri: impl Into<String>) -> Result<Self, InvalidPolicy> {
        let uri = uri.into();
        if uri.is_empty() || !uri.bytes().all(|octet| matches!(octet, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)) {
            return Err(InvalidPolicy::ErrorUri);
        }
        self.error_uri = Some(uri);
        Ok(self)
    }

    /// `code_challenge_methods_supported` of the authorization server metadata (RFC 8414 §2): exactly what is accepted.
    pub const fn code_challenge_methods_supported(&self) -> &'static [&'static str] {
        const S256: &str = CodeChallengeMethod::S256.as_str();
        const PLAIN: &str = CodeChallengeMethod::Plain.as_str();
        if self.plain { &[S256, PLAIN] } else { &[S256] }
    }

    pub(crate) const fn max_body(&self) -> usize {
        self.body_limit
    }

    pub(crate) const fn allows(&self, method: CodeChallengeMethod) -> bool {
        match method {
            CodeChallengeMethod::S256 => true,
            CodeChallengeMethod::Plain => self.plain,
        }
    }

    pub(crate) const fn allows_missing_challenge(&self) -> bool {
        self.missing_challenge
    }

    pub(crate) const fn allows_missing_redirect_uri(&self) -> bool {
        self.missing_redirect_uri
    }

    pub(crate) const fn accepts_json(&self) -> bool {
        self.json
    }

    pub(crate) const fn is_report_only(&self) -> bool {
        self.report_only
    }

    pub(crate) const fn burns_on_mismatch(&self) -> bool {
        self.burn_on_mismatch
    }

    pub(crate) const fn lifetime(&self) -> Duration {
        self.code_lifetime
    }

    pub(crate) const fn timeout(&self) -> Duration {
        self.store_timeout
    }

    pub(crate) fn uses_code_otherwise(&self, grant_type: &str) -> bool {
        self.grant_types_with_code.iter().any(|known| known == grant_type)
    }

    pub(crate) fn wire_error_uri(&self) -> Option<&str> {
        self.error_uri.as_deref()
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::new()
    }
}

/// A setting that no policy can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidPolicy {
    /// A code lives from one millisecond to ten minutes.
    CodeLifetime,
    /// An error URI has characters that RFC 6749 §5.2 does not allow.
    ErrorUri,
}

impl fmt::Display for InvalidPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CodeLifetime => "a code lifetime is one millisecond to ten minutes",
            Self::ErrorUri => "an error URI has characters that RFC 6749 section 5.2 does not allow",
        })
    }
}

impl std::error::Error for InvalidPolicy {}
