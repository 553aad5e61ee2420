//! What waits between the authorization request and the issue of its code.

use serde::{Deserialize, Serialize};

use crate::challenge::CodeChallenge;

/// The challenge of an authorization request, which waits until [`Pkce::bind`](crate::Pkce::bind) binds it to a code.
///
/// Keep it in a session or a pending record while the user signs in: it is `Serialize` and `Deserialize`. It serialises
/// as the challenge or null. Deserialising parses the challenge again, and `bind` checks it against the policy.
///
/// It holds a [`CodeChallenge`], except under [`Policy::report_only`](crate::Policy::report_only): there a request
/// without an acceptable challenge gives a `PendingChallenge` without one, so that a handler need not change when the
/// roll-out ends. `bind` then records nothing. Under any other policy `bind` rejects it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PendingChallenge(Option<CodeChallenge>);

impl PendingChallenge {
    /// Of a request without an acceptable challenge, which the policy tolerates.
    pub(crate) const TOLERATED: Self = Self(None);

    /// Returns the challenge. `None` only under [`Policy::report_only`](crate::Policy::report_only).
    pub const fn challenge(&self) -> Option<&CodeChallenge> {
        self.0.as_ref()
    }
}

impl From<CodeChallenge> for PendingChallenge {
    fn from(challenge: CodeChallenge) -> Self {
        Self(Some(challenge))
    }
}
