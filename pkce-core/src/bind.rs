//! Binding a challenge to an authorization code, before the code leaves the house.

use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::binding::{Binding, InvalidBinding};
use crate::challenge::CodeChallenge;
use crate::code;
use crate::code_digest::CodeDigest;
use crate::events;
use crate::grant::{self, GrantError};
use crate::pkce::Pkce;
use crate::reason::Reason;
use crate::requested::RequestedChallenge;
use crate::store::Inserted;
use crate::store_error::{StoreError, StoreErrorKind};
use crate::timer::BoxFuture;

/// A binding about to be made: `.await` it. Until it has succeeded the code must not leave (RFC 7636 §4.4).
///
/// Made by [`Pkce::bind`] and [`Pkce::bind_without_challenge`].
#[must_use = "nothing is bound until it is awaited"]
pub struct Bind<'a> {
    pkce: &'a Pkce,
    code: &'a str,
    what: What,
    grant: Option<Result<Arc<[u8]>, GrantError>>,
    lifetime: Duration,
}

/// What is to be bound. That there is no challenge is said by the host, never read off an absent value.
enum What {
    Requested(Option<CodeChallenge>),
    NoChallenge,
}

impl Pkce {
    /// Binds a challenge to an authorization code, before the code leaves (RFC 7636 §4.4).
    ///
    /// `.await` what it returns, or add a grant or a lifetime first.
    ///
    /// ```
    /// # async fn authorize(pkce: pkce_core::Pkce, challenge: pkce_core::CodeChallenge) -> Result<(), pkce_core::BindError> {
    /// pkce.bind("the-code", challenge).grant(&("alice", "openid")).await
    /// # }
    /// ```
    pub fn bind<'a>(
        &'a self,
        code: &'a (impl AsRef<str> + ?Sized),
        challenge: impl Into<RequestedChallenge>,
    ) -> Bind<'a> {
        Bind::new(self, code.as_ref(), What::Requested(challenge.into().into_challenge()))
    }

    /// Binds *no challenge* to a code, explicitly: for a client that may leave it out
    /// ([`Policy::allow_missing_challenge`](crate::Policy::allow_missing_challenge)). Without any record a code is not served.
    pub fn bind_without_challenge<'a>(&'a self, code: &'a (impl AsRef<str> + ?Sized)) -> Bind<'a> {
        Bind::new(self, code.as_ref(), What::NoChallenge)
    }
}

impl<'a> Bind<'a> {
    fn new(pkce: &'a Pkce, code: &'a str, what: What) -> Self {
        Self { pkce, code, what, grant: None, lifetime: pkce.policy().lifetime() }
    }

    /// Carries the host's own record of what was granted: client, redirect URI, subject, scope.
    ///
    /// The token handler gets it back from its [`Clearance`](crate::Clearance), redeemed with the code in one step.
    /// It is kept as JSON; a store may limit its size.
    pub fn grant<G: Serialize + ?Sized>(mut self, grant: &G) -> Self {
        self.grant = Some(grant::encode(grant));
        self
    }

    /// A life of its own for this code, in whole milliseconds, from one to ten minutes.
    /// Default: [`Policy::code_lifetime`](crate::Policy::code_lifetime).
    pub const fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    async fn run(self) -> Result<(), BindError> {
        let policy = self.pkce.policy();
        if !code::is_code(self.code.as_bytes()) {
            return Err(BindError::InvalidCode);
        }
        let challenge = match self.what {
            // The challenge may have waited in a session since the policy was looked at.
            What::Requested(Some(challenge)) if policy.allows(challenge.method()) => Some(challenge),
            What::Requested(Some(_)) => return Err(BindError::MethodNotAllowed),
            // The absence is bound too (RFC 9700 §4.8.2).
            What::NoChallenge if policy.allows_missing_challenge() => None,
            // Without a record the code passes as unverified, whatever comes with it. Only a grant needs a record.
            _ if policy.is_report_only() && self.grant.is_none() => {
                events::not_bound();
                return Ok(());
            }
            _ if policy.is_report_only() => None,
            What::NoChallenge | What::Requested(None) => return Err(BindError::ChallengeRequired),
        };
        let grant = self.grant.transpose().map_err(BindError::Grant)?;
        let binding = Binding::new(challenge.as_ref(), grant, self.pkce.now(), self.lifetime)
            .map_err(BindError::InvalidLifetime)?;
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
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async {
            let bound = self.run().await;
            match &bound {
                // A fault of the store has had its event.
                Ok(()) | Err(BindError::Store(_)) => {}
                Err(error) => events::bind_failed(error),
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

/// A code was not bound, so it must not leave. What the client gets instead is the error of [`BindError::reason`].
#[derive(Debug)]
#[non_exhaustive]
pub enum BindError {
    /// The code is empty, longer than 4096 octets, or has characters outside %x20-7E (RFC 6749 A.11).
    InvalidCode,
    /// There is no challenge, and the policy requires one.
    ChallengeRequired,
    /// The policy does not allow the method of the challenge.
    MethodNotAllowed,
    /// The lifetime is not one millisecond to ten minutes.
    InvalidLifetime(InvalidBinding),
    /// The grant cannot be serialised.
    Grant(GrantError),
    /// The code is bound already. A binding is never overwritten: issue another code.
    ///
    /// A store may take a second binding that is the same in everything, the grant and the millisecond included, for the
    /// first one sent again. So this tells codes apart, and is no lock.
    CodeAlreadyBound,
    /// The store failed, or is full.
    Store(StoreError),
}

impl BindError {
    /// Why the code was not bound, for [`Rejection::new`](crate::Rejection::new) and
    /// [`ErrorRedirect`](crate::ErrorRedirect) (RFC 6749 §4.1.2.1): `temporarily_unavailable` for a fault of the store,
    /// `invalid_request` for a challenge that the policy does not accept, else `server_error`.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Store(error) if error.kind() == StoreErrorKind::TimedOut => Reason::StoreTimedOut,
            Self::Store(_) => Reason::StoreUnavailable,
            Self::CodeAlreadyBound => Reason::CodeAlreadyBound,
            Self::ChallengeRequired => Reason::ChallengeRequired,
            Self::MethodNotAllowed => Reason::ChallengeMethod,
            Self::InvalidCode | Self::InvalidLifetime(_) | Self::Grant(_) => Reason::CodeUnreadable,
        }
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidCode => "the authorization code has characters or a length that no code can have",
            Self::ChallengeRequired => "the policy requires a code challenge",
            Self::MethodNotAllowed => "the policy does not allow the method of the code challenge",
            Self::InvalidLifetime(_) => "a code lifetime is one millisecond to ten minutes",
            Self::Grant(_) => "the grant cannot be serialised",
            Self::CodeAlreadyBound => "the authorization code is bound already",
            Self::Store(_) => "the challenge store could not record the binding",
        })
    }
}

impl std::error::Error for BindError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::InvalidLifetime(error) => Some(error),
            Self::Grant(error) => Some(error),
            Self::Store(error) => Some(error),
            Self::InvalidCode | Self::ChallengeRequired | Self::MethodNotAllowed | Self::CodeAlreadyBound => None,
        }
    }
}
