//! The heap that `MemoryStore` takes.
//!
//! By itself, because the allocator that counts slows whatever allocates.
#![expect(clippy::unwrap_used, reason = "the records are known to be right")]

use std::time::Duration;

use pkce_benches::ready;
use pkce_benches::report::{self, Target};
use pkce_benches::requests::octets;
use pkce_core::store::{Binding, BindingParts, ChallengeStore as _, CodeDigest, Inserted};
use pkce_core::{MemoryStore, Timestamp};

const MILLION: u32 = 1_000_000;

fn main() {
    if !report::is_measuring() {
        return;
    }
    let now = Timestamp::now();
    let until = now.saturating_add(Duration::from_mins(10));
    let binding = Binding::from_parts(BindingParts {
        method: "S256",
        proof: Some(&[7; 32]),
        grant: None,
        issued_at: now,
        expires_at: until,
    })
    .unwrap();
    let mut store = None;
    let allocations = allocation_counter::measure(|| {
        let store = store.insert(MemoryStore::new());
        for number in 0..MILLION {
            let code = CodeDigest::from_bytes(octets(number.into()));
            assert_eq!(ready(store.insert(&code, &binding)).unwrap(), Inserted::Recorded);
        }
    });
    let octets = f64::from(u32::try_from(allocations.bytes_current).unwrap()) / f64::from(MILLION);
    report::target("octets of heap for each of a million live codes", octets, Target::AtMost(128.0));
}
