//! What an authorization request asked for, and what of it can be bound.

use serde::{Deserialize, Serialize};

use crate::challenge::CodeChallenge;
use crate::events;
use crate::policy::Policy;
use crate::reason::Reason;
use crate::rejection::Rejection;

/// What an acceptable authorization request carries.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Requested {
    /// An acceptable challenge.
    Challenge(CodeChallenge),
    /// None, which [`Policy::allow_missing_challenge`] leaves to the host: it decides for this client.
    NoChallenge,
    /// None that is acceptable, which [`Policy::report_only`] lets pass; the reason is what it would be refused for.
    Tolerated(Reason),
    /// It does not ask for a code, so PKCE does not apply.
    NoCode,
}

impl Requested {
    /// For a host that demands a challenge of every client.
    ///
    /// # Errors
    ///
    /// The refusal, if there is no challenge and the policy is not [`Policy::report_only`], or if no code is asked for.
    pub fn required(self, policy: &Policy) -> Result<RequestedChallenge, Rejection> {
        match self {
            Self::Challenge(challenge) => Ok(challenge.into()),
            Self::Tolerated(_) => Ok(RequestedChallenge(None)),
            Self::NoChallenge if policy.is_report_only() => Ok(RequestedChallenge(None)),
            Self::NoChallenge => Err(reject(Reason::ChallengeRequired, policy)),
            Self::NoCode => Err(reject(Reason::ResponseTypeWithoutCode, policy)),
        }
    }

    /// For a host that decides by client: what is to be bound, or `None` if the policy leaves that to the host.
    ///
    /// What [`Policy::report_only`] tolerates is not `None`: a malformed challenge is never "no challenge".
    pub fn optional(self) -> Option<RequestedChallenge> {
        match self {
            Self::Challenge(challenge) => Some(challenge.into()),
            Self::Tolerated(_) => Some(RequestedChallenge(None)),
            Self::NoChallenge | Self::NoCode => None,
        }
    }
}

/// The challenge of an authorization request, ready to be bound to its code.
///
/// It holds a [`CodeChallenge`], except under [`Policy::report_only`], where it also stands for a request without an
/// acceptable one: so a handler need not change when the roll-out ends. It can wait in a session: it serialises as the
/// challenge or null, deserialising parses again, and whatever it holds [`Pkce::bind`](crate::Pkce::bind) checks
/// against the policy; null binds nothing and is refused unless the policy is `report_only`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestedChallenge(Option<CodeChallenge>);

impl RequestedChallenge {
    /// The challenge; `None` only under [`Policy::report_only`].
    pub const fn challenge(&self) -> Option<&CodeChallenge> {
        self.0.as_ref()
    }

    pub(crate) fn into_challenge(self) -> Option<CodeChallenge> {
        self.0
    }
}

impl From<CodeChallenge> for RequestedChallenge {
    fn from(challenge: CodeChallenge) -> Self {
        Self(Some(challenge))
    }
}

pub(crate) fn reject(reason: Reason, policy: &Policy) -> Rejection {
    events::authorization_rejected(reason);
    Rejection::new(reason, policy)
}
