//! core (docs below)
mod attempt;
mod binding;
mod challenge;
mod clock;
mod code;
mod code_digest;
#[cfg(feature = "contract")]
pub mod contract;
mod policy;
mod proof;
mod random;
mod store;
mod store_error;
mod verifier;

pub use attempt::{Attempt, Ticket};
pub use binding::{Binding, InvalidBinding};
pub use challenge::{CodeChallenge, CodeChallengeMethod, InvalidCodeChallenge, VerifyError};
pub use clock::{Clock, SystemClock, Timestamp};
pub use code::AuthorizationCode;
pub use code_digest::CodeDigest;
pub use policy::{InvalidPolicy, Policy};
pub use proof::Proof;
pub use random::RandomError;
pub use store::{ChallengeStore, Inserted, Redemption};
pub use store_error::{StoreError, StoreErrorKind};
pub use verifier::{CodeVerifier, InvalidCodeVerifier};
