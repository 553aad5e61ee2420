//! A code presented again by whoever had the right to it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::binding::Binding;
use crate::grant::{self, GrantError};
use crate::method::CodeChallengeMethod;

/// A redeemed code was presented again, with the right verifier (or with none, if it is bound to no challenge).
///
/// RFC 6749 §4.1.2: the server "SHOULD revoke (when possible) all tokens previously issued based on that authorization
/// code". A wrong verifier never gets here (OAuth 2.1 §7.5.3), nor does a code that was burned.
#[derive(Clone)]
pub struct Replay {
    grant: Option<Arc<[u8]>>,
    method: Option<CodeChallengeMethod>,
    age: Duration,
}

impl Replay {
    pub(crate) fn new(binding: &Binding, age: Duration) -> Self {
        Self { grant: binding.grant().map(Arc::clone), method: binding.method(), age }
    }

    /// The method by which the right verifier was recognised; `None` if the code is bound to no challenge.
    ///
    /// Then nothing shows that it is the client who presents it again, unless the host has authenticated it outside the
    /// layer: a stranger with the code alone gets here too. RFC 6749 §4.1.2 would have the tokens revoked all the same,
    /// because the stranger may have been the first.
    pub const fn method(&self) -> Option<CodeChallengeMethod> {
        self.method
    }

    /// How long ago the code was redeemed first, in whole milliseconds. A host may spare a replay that is so young
    /// that it must be the network's retry.
    pub const fn age(&self) -> Duration {
        self.age
    }

    /// The grant that was bound with the code.
    ///
    /// # Errors
    ///
    /// When no grant was bound, or one of another type.
    pub fn grant<G: DeserializeOwned>(&self) -> Result<G, GrantError> {
        grant::decode(self.grant.as_ref())
    }
}

/// Shows no grant.
impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay").field("age", &self.age).finish_non_exhaustive()
    }
}

pub(crate) type OnReplay = Box<dyn Fn(Replay) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;
