//! The statements of `docs/writing-a-store.md`, taken from the guide and run on real databases: PostgreSQL by
//! tokio-postgres, MariaDB and SQLite by sqlx 0.8. Each must keep the whole contract.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

mod mariadb;
mod postgres;
mod row;
mod sqlite;
mod statements;

use std::time::Duration;

use pkce_core::Timestamp;
use pkce_core::contract::Contract;
use pkce_core::store::{
    Attempt, Binding, BindingParts, ChallengeStore, CodeDigest, Inserted, Redemption, Ticket, async_trait,
};

/// A store of the guide, and its sweep.
#[async_trait]
trait GuideStore: ChallengeStore {
    /// Returns how many rows it deleted.
    async fn sweep(&self, before: Timestamp) -> u64;
}

async fn keeps_the_contract(one: impl ChallengeStore, other: impl ChallengeStore) {
    Contract::new(one).also_through(other).contested_rounds(10).check().await.assert_passed();
}

/// Of three codes, of which one has expired, the sweep deletes this one.
async fn sweeps_what_has_expired(store: impl GuideStore) {
    let (now, minute) = (Timestamp::now(), Duration::from_mins(1));
    let [expired, live, redeemed] = [&b"expired"[..], b"live", b"redeemed"].map(CodeDigest::of);
    for (code, expires_at) in
        [(expired, now), (live, now.saturating_add(minute)), (redeemed, now.saturating_add(minute))]
    {
        let issued_at = Timestamp::from_epoch_millis(expires_at.as_epoch_millis() - 60_000);
        let binding =
            Binding::from_parts(BindingParts { method: "none", proof: None, grant: None, issued_at, expires_at })
                .unwrap();
        assert_eq!(store.insert(&code, &binding).await.unwrap(), Inserted::Recorded);
    }
    let attempt = || Attempt::new(None, Ticket::generate().unwrap(), now);
    assert!(matches!(store.redeem(&redeemed, &attempt()).await.unwrap(), Redemption::First(_)));

    let later = now.saturating_add(Duration::from_millis(1));
    assert_eq!((store.sweep(later).await, store.sweep(later).await), (1, 0));
    assert_eq!(store.redeem(&expired, &attempt()).await.unwrap(), Redemption::Unknown);
    assert!(matches!(store.redeem(&live, &attempt()).await.unwrap(), Redemption::First(_)));
    assert!(matches!(store.redeem(&redeemed, &attempt()).await.unwrap(), Redemption::Again { .. }));
}
