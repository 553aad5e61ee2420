//! The locks and counters of `MemoryStore`.
//!
//! In the test package `tests/interleavings`, which sets `pkce_shuttle`, they are those of `shuttle`: it decides at each of them
//! which thread goes on.

#[cfg(pkce_shuttle)]
pub(crate) use shuttle::sync::{Mutex, MutexGuard, atomic::AtomicUsize};
#[cfg(not(pkce_shuttle))]
pub(crate) use std::sync::{Mutex, MutexGuard, atomic::AtomicUsize};
