//! Binding a challenge to an authorization code, before the code leaves the server.

use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::authorization::pending::PendingChallenge;
use crate::authorization::response::AuthorizationError;
use crate::bound_request::BoundRequest;
use crate::code;
use crate::code_digest::CodeDigest;
use crate::events;
use crate::grant::{self, GrantError};
use crate::pkce::Pkce;
use crate::policy;
use crate::reason::Reason;
use crate::rejection::Rejection;
use crate::store::{Binding, Inserted, StoreError, StoreErrorKind};

/// A binding that is made when it is awaited. The code must not leave before that has succeeded (RFC 7636 §4.4).
///
/// Created by [`Pkce::bind`] and [`Pkce::bind_without_challenge`].
#[must_use = "nothing is bound until it is awaited"]
pub struct Bind<'a> {
    pkce: &'a Pkce,
    code: &'a str,
    /// `None` is *no challenge*, as the host said explicitly.
    challenge: Option<PendingChallenge>,
    grant: Option<Result<Arc<[u8]>, GrantError>>,
    client_id: Option<String>,
    redirect_uri: Option<String>,
    lifetime: Duration,
}

impl Pkce {
    /// Binds a challenge to an authorization code, before the code leaves (RFC 7636 §4.4).
    ///
    /// Add a grant or a lifetime if you like, then `.await`.
    ///
    /// ```
    /// # async fn authorize(pkce: pkce_core::Pkce, challenge: pkce_core::PendingChallenge) -> Result<(), pkce_core::BindError> {
    /// pkce.bind("the-code", challenge).grant(&("alice", "openid")).await
    /// # }
    /// ```
    pub fn bind<'a>(
        &'a self,
        code: &'a (impl AsRef<str> + ?Sized),
        challenge: impl Into<PendingChallenge>,
    ) -> Bind<'a> {
        Bind::new(self, code.as_ref(), Some(challenge.into()))
    }

    /// Binds *no challenge* to a code, explicitly, for a client that may leave it out
    /// ([`Policy::allow_missing_challenge`](crate::Policy::allow_missing_challenge)). A code without any record is not served.
    pub fn bind_without_challenge<'a>(&'a self, code: &'a (impl AsRef<str> + ?Sized)) -> Bind<'a> {
        Bind::new(self, code.as_ref(), None)
    }
}

impl<'a> Bind<'a> {
    fn new(pkce: &'a Pkce, code: &'a str, challenge: Option<PendingChallenge>) -> Self {
        Self {
            pkce,
            code,
            challenge,
            grant: None,
            client_id: None,
            redirect_uri: None,
            lifetime: pkce.policy().code_lifetime,
        }
    }

    /// Stores the host's own record of what was granted with the code: client, redirect URI, subject, scope.
    ///
    /// [`Clearance::grant`](crate::Clearance::grant) returns it to the token handler, redeemed with the code in one step.
    /// It is stored as JSON. A store may limit its size.
    pub fn grant<G: Serialize + ?Sized>(mut self, grant: &G) -> Self {
        self.grant = Some(grant::encode(grant));
        self
    }

    /// Binds the client to the code (RFC 6749 §4.1.3).
    ///
    /// A token request that names another one, in `client_id` or as the user of HTTP Basic, is rejected like a wrong
    /// verifier: it burns nothing, revokes nothing, and does not hinder the right one. A client that is named in neither
    /// place (a client assertion, mTLS) is the host's to compare: [`Clearance::client_id`](crate::Clearance::client_id).
    ///
    /// The redemption takes one call of the store if the request names all that is bound and the code redeemed last was
    /// bound too, otherwise two. A code bound to *no challenge* is marked before the client is compared, and restored.
    pub fn client_id(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = Some(client_id.into());
        self
    }

    /// Binds the redirect URI to the code (RFC 6749 §4.1.3).
    ///
    /// A token request with another one, character by character, is rejected as for [`client_id`](Self::client_id). One
    /// without is served (OAuth 2.1 §10.2), unless the policy demands it
    /// ([`Policy::require_redirect_uri_in_token_request`](crate::Policy::require_redirect_uri_in_token_request)).
    pub fn redirect_uri(mut self, redirect_uri: impl Into<String>) -> Self {
        self.redirect_uri = Some(redirect_uri.into());
        self
    }

    /// Overrides the code lifetime for this code. A value outside of 1 ms to 10 min is clamped.
    /// Default: [`Policy::code_lifetime`](crate::Policy::code_lifetime).
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = policy::clamp_lifetime(lifetime);
        self
    }

    async fn run(self) -> Result<(), BindError> {
        let policy = self.pkce.policy();
        let [client_id, redirect_uri] =
            [&self.client_id, &self.redirect_uri].map(|it| it.as_ref().map(String::as_bytes));
        let request = BoundRequest { client_id, redirect_uri };
        if !code::is_code(self.code.as_bytes()) {
            return Err(BindError::InvalidCode);
        }
        let challenge = match self.challenge.as_ref().map(PendingChallenge::challenge) {
            // The challenge may have waited in a session since the policy was looked at.
            Some(Some(challenge)) if policy.allows(challenge.method()) => Some(challenge),
            Some(Some(_)) => return Err(BindError::MethodNotAllowed),
            // The absence is bound too (RFC 9700 §4.8.2).
            None if policy.allow_missing_challenge => None,
            // Without a record the code passes as unverified, whatever comes with it. Only a grant, a client or a redirect
            // URI needs a record.
            _ if policy.report_only && self.grant.is_none() && request == BoundRequest::default() => {
                events::not_bound();
                return Ok(());
            }
            _ if policy.report_only => None,
            None | Some(None) => return Err(BindError::ChallengeRequired),
        };
        let grant = self.grant.transpose().map_err(BindError::Grant)?;
        let challenge = challenge.map(|challenge| (challenge.method(), request.proof(challenge.proof())));
        let grant = request.with_grant(grant);
        let binding = Binding::new(challenge, grant, self.pkce.now(), self.lifetime);
        match self.pkce.store().insert(&CodeDigest::of(self.code.as_bytes()), &binding).await {
            Ok(Inserted::Recorded) => {
                events::bound(binding.method_str(), binding.lifetime());
                Ok(())
            }
            Ok(Inserted::Occupied) => Err(BindError::CodeAlreadyBound),
            Err(error) => Err(BindError::Store(error)),
        }
    }
}

impl<'a> IntoFuture for Bind<'a> {
    type Output = Result<(), BindError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async {
            let bound = self.run().await;
            match &bound {
                // A fault of the store has its own event.
                Ok(()) | Err(BindError::Store(_)) => {}
                Err(error) => events::bind_failed(&error.to_string()),
            }
            bound
        })
    }
}

/// Shows neither code nor challenge nor grant.
impl fmt::Debug for Bind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bind").field("code", &"[redacted]").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

/// A code was not bound, so it must not leave.
///
/// [`AuthorizationResponse::error`](crate::AuthorizationResponse) sends the client the error instead:
/// `temporarily_unavailable` for a fault of the store, `invalid_request` for a challenge that the policy does not accept,
/// otherwise `server_error` (RFC 6749 §4.1.2.1).
#[derive(Debug)]
#[non_exhaustive]
pub enum BindError {
    /// The code is empty, longer than 4096 bytes, or has characters outside %x20-7E (RFC 6749 A.11).
    InvalidCode,
    /// There is no challenge, and the policy requires one.
    ChallengeRequired,
    /// The policy does not allow the method of the challenge.
    MethodNotAllowed,
    /// The grant cannot be serialised.
    Grant(GrantError),
    /// The code is bound already. A binding is never overwritten: issue another code.
    ///
    /// A store may take a second binding that is equal in every part, the grant and the millisecond included, for the
    /// first one sent again. So this error tells codes apart; it is not a lock.
    CodeAlreadyBound,
    /// The store failed, or is full.
    Store(StoreError),
}

impl BindError {
    pub(crate) fn reason(&self) -> Reason {
        match self {
            Self::Store(error) if error.kind() == StoreErrorKind::TimedOut => Reason::StoreTimedOut,
            Self::Store(_) => Reason::StoreUnavailable,
            Self::CodeAlreadyBound => Reason::CodeAlreadyBound,
            Self::ChallengeRequired => Reason::ChallengeRequired,
            Self::MethodNotAllowed => Reason::ChallengeMethod,
            Self::InvalidCode | Self::Grant(_) => Reason::BindingInvalid,
        }
    }
}

impl From<BindError> for Rejection {
    fn from(error: BindError) -> Self {
        error.reason().into()
    }
}

impl From<BindError> for AuthorizationError {
    fn from(error: BindError) -> Self {
        error.reason().into()
    }
}

impl From<&BindError> for AuthorizationError {
    fn from(error: &BindError) -> Self {
        error.reason().into()
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidCode => "the authorization code has characters or a length that no authorization code has",
            Self::ChallengeRequired => "the policy requires a code challenge",
            Self::MethodNotAllowed => "the policy does not allow the method of the code challenge",
            Self::Grant(_) => "the grant cannot be serialised",
            Self::CodeAlreadyBound => "the authorization code is bound already",
            Self::Store(_) => "the challenge store could not record the binding",
        })
    }
}

impl std::error::Error for BindError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Grant(error) => Some(error),
            Self::Store(error) => Some(error),
            Self::InvalidCode | Self::ChallengeRequired | Self::MethodNotAllowed | Self::CodeAlreadyBound => None,
        }
    }
}
