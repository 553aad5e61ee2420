//! A model of the protocol between the core, the store and the clients, for an exhaustive search of small cases.
//!
//! [`protocol`] says what can happen, [`properties`] what is promised, and [`planted`] which faults the search must find. The
//! tests beside it also carry out traces of the model with `pkce-core` and real stores.
#![expect(
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a model for the tests beside it: small numbers, and every state is known"
)]

pub mod planted;
pub mod properties;
pub mod protocol;

pub use planted::Planted;
pub use protocol::{Bound, Caller, Clock, Protocol, Store};
