//! The value that proves that a token request was judged.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::bound_request::BoundRequest;
use crate::grant::{self, GrantError};
use crate::method::CodeChallengeMethod;
use crate::reason::Reason;

/// The proof that a token request was judged and may be served. Only this crate can create one.
///
/// A token handler that takes it as an argument cannot run unless the check has happened.
#[derive(Clone)]
pub struct Clearance {
    kind: ClearanceKind,
    code: Option<Arc<str>>,
    /// As it is stored: after what the code is bound to.
    grant: Option<Arc<[u8]>>,
    age: Option<Duration>,
}

/// Why a token request may be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClearanceKind {
    /// The code verifier matches the challenge that was bound, by the method that was bound (RFC 7636 §4.6).
    Verified(CodeChallengeMethod),
    /// The code is bound to no challenge, which [`Policy::allow_missing_challenge`](crate::Policy::allow_missing_challenge) allows.
    WithoutChallenge,
    /// The grant type is another one, a refresh for example: PKCE does not apply.
    OtherGrant,
    /// [`Policy::report_only`](crate::Policy::report_only) let it pass; the reason is what it would be rejected for.
    Unverified(Reason),
}

impl ClearanceKind {
    /// Returns a stable name in `snake_case`, for logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verified(_) => "verified",
            Self::WithoutChallenge => "without_challenge",
            Self::OtherGrant => "other_grant",
            Self::Unverified(_) => "unverified",
        }
    }
}

impl Clearance {
    pub(crate) fn of_code(kind: ClearanceKind, code: &str, grant: Option<Arc<[u8]>>, age: Option<Duration>) -> Self {
        Self { kind, code: Some(code.into()), grant, age }
    }

    pub(crate) const fn of_other_grant() -> Self {
        Self { kind: ClearanceKind::OtherGrant, code: None, grant: None, age: None }
    }

    /// Returns what the code is bound to, and the grant.
    fn bound(&self) -> (BoundRequest<'_>, Option<&[u8]>) {
        BoundRequest::open(self.grant.as_ref()).unwrap_or_default()
    }

    /// Returns why the request may be served.
    pub const fn kind(&self) -> ClearanceKind {
        self.kind
    }

    /// Returns whether a code verifier was checked and matched.
    pub const fn is_verified(&self) -> bool {
        matches!(self.kind, ClearanceKind::Verified(_))
    }

    /// Returns the authorization code that was judged, after form decoding. `None` for another grant type.
    ///
    /// A host that keeps its own record of codes looks up this code, and does not read the request again: then no
    /// difference between two readers of the request matters.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Returns the client that is bound to the code ([`Bind::client_id`](crate::Bind::client_id)).
    ///
    /// A layer has compared it with the client that the request names; [`Pkce::redeem`](crate::Pkce::redeem) has not. A
    /// client that authenticates in another way (a client assertion, mTLS) is the host's to compare with this one.
    pub fn client_id(&self) -> Option<&str> {
        text(self.bound().0.client_id)
    }

    /// Returns the redirect URI that is bound to the code ([`Bind::redirect_uri`](crate::Bind::redirect_uri)).
    pub fn redirect_uri(&self) -> Option<&str> {
        text(self.bound().0.redirect_uri)
    }

    /// Returns how long ago the code was bound, by the clock of this server. `None` for another grant type and for a code
    /// without a record.
    ///
    /// A client redeems its code within a few seconds. A person who is tricked into passing it on takes longer.
    pub const fn age(&self) -> Option<Duration> {
        self.age
    }

    /// Returns the grant that was bound with the code ([`Bind::grant`](crate::Bind::grant)), and redeemed with it.
    ///
    /// # Errors
    ///
    /// When no grant was bound, or one of another type.
    pub fn grant<G: DeserializeOwned>(&self) -> Result<G, GrantError> {
        grant::decode(self.bound().1)
    }
}

/// What the host bound was text.
fn text(bound: Option<&[u8]>) -> Option<&str> {
    std::str::from_utf8(bound?).ok()
}

/// Shows neither code nor grant.
impl fmt::Debug for Clearance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clearance").field("kind", &self.kind).finish_non_exhaustive()
    }
}
