//! Servers whose clocks differ.

use std::sync::Arc;

use pkce_core::store::ChallengeStore;
use pkce_core::{AuthorizationCode, CodeVerifier, MemoryStore, Pkce, Reason, Timestamp};

use crate::database::{Database, on_every_database};
use crate::sample;

on_every_database! {
    servers_tolerate_clocks_that_differ_by_four_seconds
}

async fn servers_tolerate_clocks_that_differ_by_four_seconds(database: Database) {
    four_seconds_are_tolerated(database.pool().await.store(&database.table), database.store().await).await;
}

#[tokio::test]
async fn servers_tolerate_clocks_that_differ_by_four_seconds_in_memory() {
    let store = Arc::new(MemoryStore::new());
    four_seconds_are_tolerated(Arc::clone(&store), store).await;
}

/// What one server binds the other one redeems, once, whichever clock is ahead.
async fn four_seconds_are_tolerated(ahead: impl ChallengeStore, behind: impl ChallengeStore) {
    let (ahead, behind) = (Pkce::new(ahead), Pkce::builder(behind).clock(four_seconds_ago).build());
    for (one, other) in [(&ahead, &behind), (&behind, &ahead)] {
        let (code, verifier) = (AuthorizationCode::generate().unwrap(), CodeVerifier::generate().unwrap());
        one.bind(&code, verifier.challenge()).await.unwrap();
        assert!(other.redeem(code.as_str(), Some(verifier.as_str())).await.is_ok());
        for server in [one, other] {
            let rejection = server.redeem(code.as_str(), Some(verifier.as_str())).await.unwrap_err();
            assert_eq!(rejection.reason(), Reason::CodeReplayed);
        }
    }
}

fn four_seconds_ago() -> Timestamp {
    Timestamp::from_epoch_millis(sample::now().as_epoch_millis() - 4000)
}
