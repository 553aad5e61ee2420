//! The store contract, on the store in memory.

use std::sync::Arc;
use std::time::Duration;

use pkce_core::MemoryStore;
use pkce_core::contract::Contract;
use pkce_core::store::ChallengeStore;

/// In one test, so that the two do not take the cores from each other; the rest of the suite takes enough of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_memory_store_keeps_the_contract_through_one_handle_and_through_two() {
    let store = Arc::new(MemoryStore::new());
    suite(MemoryStore::new()).check().await.assert_passed();
    suite(Arc::clone(&store)).also_through(store).live_codes(10_000).check().await.assert_passed();
}

fn suite(store: impl ChallengeStore) -> Contract {
    Contract::new(store).contested_rounds(10).race_time(Duration::from_mins(2))
}
