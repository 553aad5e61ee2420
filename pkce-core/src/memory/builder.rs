//! The limits and the clock of a memory store.

use std::fmt;

use crate::clock::{Now, Timestamp};
use crate::memory::MemoryStore;
use crate::memory::room::Weight;

/// The limits and the clock of a [`MemoryStore`].
///
/// | setting | default | why |
/// | --- | --- | --- |
/// | capacity | 1 048 576 codes | 17 000 logins a second at a life of one minute: more than one process can serve; 128 MiB if it comes to that |
/// | grant capacity | 64 MiB | a grant of 1 KiB for every code of a thousand logins a second; a host that binds far more should bind a key to it |
/// | clock | [`Timestamp::now`] | |
///
/// ```
/// use pkce_core::MemoryStore;
///
/// let store = MemoryStore::builder().capacity(10_000).grant_capacity(1 << 20).build();
/// assert!(store.is_empty());
/// ```
#[must_use = "it does nothing until it is built"]
pub struct MemoryStoreBuilder {
    limit: Weight,
    now: Now,
}

impl MemoryStoreBuilder {
    pub(super) fn new() -> Self {
        Self { limit: Weight { codes: 1 << 20, grant_octets: 64 << 20 }, now: Box::new(Timestamp::now) }
    }

    /// How many codes it may hold, redeemed ones included until they expire. Zero refuses every code.
    ///
    /// Nothing is allocated ahead.
    pub const fn capacity(mut self, codes: usize) -> Self {
        self.limit.codes = codes;
        self
    }

    /// How many octets the grants of all codes may have together. Zero refuses every grant but the empty one.
    pub const fn grant_capacity(mut self, octets: usize) -> Self {
        self.limit.grant_octets = octets;
        self
    }

    /// Where the time comes from. It must be the clock of the [`Pkce`](crate::Pkce) that uses the store: by a clock that is
    /// ahead of it codes expire too soon.
    pub fn clock(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.now = Box::new(clock);
        self
    }

    /// The store.
    pub fn build(self) -> MemoryStore {
        MemoryStore::with(self.limit, self.now)
    }
}

impl fmt::Debug for MemoryStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStoreBuilder")
            .field("capacity", &self.limit.codes)
            .field("grant_capacity", &self.limit.grant_octets)
            .finish_non_exhaustive()
    }
}
