//! The limits and the clock of a memory store.

use std::fmt;

use crate::clock::{Now, Timestamp};
use crate::memory::MemoryStore;
use crate::memory::room::Weight;

/// The limits and the clock of a [`MemoryStore`].
///
/// | setting | default | why |
/// | --- | --- | --- |
/// | capacity | 1 048 576 codes | 17 000 logins a second at a lifetime of one minute: more than one process can serve. A full store takes 128 MiB without grants |
/// | grant capacity | 64 MiB | a grant of 1 KiB for every code of a thousand logins a second. A host with larger grants should bind a key to them |
/// | clock | [`Timestamp::now`] | |
///
/// ```
/// use pkce_core::MemoryStore;
///
/// let store = MemoryStore::builder().capacity(10_000).grant_capacity(1 << 20).build();
/// assert!(store.is_empty());
/// ```
#[must_use = "a builder does nothing until it is built"]
pub struct MemoryStoreBuilder {
    limit: Weight,
    now: Now,
}

impl MemoryStoreBuilder {
    pub(super) fn new() -> Self {
        Self { limit: Weight { codes: 1 << 20, grant_bytes: 64 << 20 }, now: Box::new(Timestamp::now) }
    }

    /// Sets how many codes the store may hold, redeemed ones included until they expire. With 0 every insert fails.
    ///
    /// Nothing is allocated in advance.
    pub const fn capacity(mut self, codes: usize) -> Self {
        self.limit.codes = codes;
        self
    }

    /// Sets how many bytes the grants of all codes may have together. With 0 only empty grants are accepted.
    pub const fn grant_capacity(mut self, bytes: usize) -> Self {
        self.limit.grant_bytes = bytes;
        self
    }

    /// Sets the clock. It must be that of the [`Pkce`](crate::Pkce) that uses the store: by a clock that is ahead, codes
    /// expire too soon.
    pub fn clock(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.now = Box::new(clock);
        self
    }

    /// Builds the store.
    pub fn build(self) -> MemoryStore {
        MemoryStore::with(self.limit, self.now)
    }
}

impl fmt::Debug for MemoryStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStoreBuilder")
            .field("capacity", &self.limit.codes)
            .field("grant_capacity", &self.limit.grant_bytes)
            .finish_non_exhaustive()
    }
}
