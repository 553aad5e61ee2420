//! For authors of a store: the [`ChallengeStore`] trait, what its three methods take, and what they return.
//!
//! `docs/writing-a-store.md` in the repository is the guide: the statements for common databases, what each method owes,
//! and a complete store to start from. The `contract` suite (feature `contract`) checks a store.

mod attempt;
mod binding;
mod challenge_store;
mod error;

pub use async_trait::async_trait;

pub use self::attempt::{Attempt, Ticket};
pub(crate) use self::binding::MAX_LIFETIME;
pub use self::binding::{Binding, BindingParts, InvalidBinding};
pub use self::challenge_store::{ChallengeStore, Inserted, Redemption};
pub use self::error::{StoreError, StoreErrorKind};
pub use crate::code_digest::CodeDigest;
pub use crate::proof::Proof;
