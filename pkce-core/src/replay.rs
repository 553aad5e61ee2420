//! A redeemed code that is presented again.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::bound_request::BoundRequest;
use crate::grant::{self, GrantError};
use crate::method::CodeChallengeMethod;
use crate::store::Binding;

/// A redeemed code was presented again, with the right verifier (or with none, if it is bound to no challenge).
///
/// RFC 6749 §4.1.2: the server "SHOULD revoke (when possible) all tokens previously issued based on that authorization
/// code". A wrong verifier never causes a replay (OAuth 2.1 §7.5.3), nor does a code that was burned.
///
/// Not every replay is a theft. These retries of an honest client cause one too:
///
/// * It sent the right request twice, and did not wait for the first response.
/// * Its first request was cut off: the code stays redeemed, because nobody knows whether tokens were issued.
/// * The store did not respond to a redemption and could not restore the code, or carried the redemption out after the
///   attempt to restore it. A command that a client library sends twice may be carried out that late, too.
/// * The host refused its first request, and the store could not restore the code.
#[derive(Clone)]
pub struct Replay {
    /// As it is stored: after what the code is bound to.
    grant: Option<Arc<[u8]>>,
    method: Option<CodeChallengeMethod>,
    age: Duration,
}

impl Replay {
    pub(crate) fn new(binding: &Binding, age: Duration) -> Self {
        Self { grant: binding.grant().cloned(), method: binding.method(), age }
    }

    /// Returns the method of the bound challenge, or `None` if the code is bound to no challenge.
    ///
    /// With `None` nothing shows that the client presents the code again, unless the host has authenticated it outside
    /// the layer: a stranger with the code alone gets here too. RFC 6749 §4.1.2 asks for revocation all the same,
    /// because the stranger may have been the first.
    pub const fn method(&self) -> Option<CodeChallengeMethod> {
        self.method
    }

    /// Returns how long ago the code was first redeemed, in whole milliseconds. A host may ignore a replay so recent that
    /// it must be a retry of the network.
    pub const fn age(&self) -> Duration {
        self.age
    }

    /// Returns the grant that was bound with the code.
    ///
    /// # Errors
    ///
    /// When no grant was bound, or one of another type.
    pub fn grant<G: DeserializeOwned>(&self) -> Result<G, GrantError> {
        grant::decode(BoundRequest::open(self.grant.as_ref()).unwrap_or_default().1)
    }
}

/// Shows no grant.
impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay").field("age", &self.age).finish_non_exhaustive()
    }
}

pub(crate) type OnReplay = Box<dyn Fn(Replay) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;
