//! Rows that somebody changed: an error, never a pass.

use pkce_core::store::{Inserted, Redemption, StoreErrorKind};

use crate::database::{Database, on_every_database};
use crate::sample;

on_every_database! {
    a_row_that_was_changed_is_an_error_and_serves_nobody
    a_row_that_no_binding_has_cannot_be_written_by_mistake
}

/// What a slip, a failed migration or an attacker may do to the row of a code, live or redeemed.
const LIVE: [&str; 15] = [
    "code_challenge_method = NULL",
    "code_challenge_method = ''",
    "code_challenge_method = 's256'",
    "code_challenge_method = 'S512'",
    "code_challenge_method = 'none'",
    "proof = NULL",
    "proof = BYTE",
    "redeemed_at = 1",
    "ticket = BYTE",
    "issued_at = NULL",
    "issued_at = -1",
    "issued_at = 0",
    "expires_at = -1",
    "expires_at = issued_at",
    "expires_at = issued_at + 600001",
];
const REDEEMED: [&str; 5] =
    ["ticket = NULL", "redeemed_at = NULL", "redeemed_at = -1", "ticket = BYTE", "ticket = NOTHING"];

/// In a table that accepts everything, as a careless migration may have left it.
async fn a_row_that_was_changed_is_an_error_and_serves_nobody(database: Database) {
    let pool = database.pool().await;
    let [bytes, text, number] = match database.name {
        "PostgreSQL" => ["BYTEA", "TEXT", "BIGINT"],
        "MariaDB" => ["VARBINARY(255)", "VARCHAR(255)", "BIGINT"],
        _ => ["BLOB", "TEXT", "INTEGER"],
    };
    pool.send(&format!(
        "CREATE TABLE {} (code_digest {bytes} PRIMARY KEY, code_challenge_method {text}, proof {bytes},
         grant_record {bytes}, issued_at {number}, expires_at {number}, ticket {bytes}, redeemed_at {number})",
        database.table
    ))
    .await;
    let store = pool.store(&database.table);
    let slips = LIVE.iter().map(|slip| (slip, false)).chain(REDEEMED.iter().map(|slip| (slip, true)));
    for (slip, redeemed) in slips {
        let code = sample::code();
        assert_eq!(store.insert(&code, &sample::binding()).await.unwrap(), Inserted::Recorded);
        if redeemed {
            assert!(matches!(store.redeem(&code, &sample::right()).await.unwrap(), Redemption::First(_)));
        }
        assert_eq!(database.change(&pool, &code, slip).await.unwrap(), 1, "{slip}");
        for attempt in [sample::without_proof(), sample::wrong(), sample::right(), sample::without_proof()] {
            let error = store.redeem(&code, &attempt).await.expect_err(slip);
            assert_eq!(error.kind(), StoreErrorKind::InvalidRecord, "{slip}: {error:?}");
        }
    }
}

/// The table itself rejects what it can.
async fn a_row_that_no_binding_has_cannot_be_written_by_mistake(database: Database) {
    let (store, pool) = (database.store().await, database.pool_of(1).await);
    for (slip, redeemed) in [
        ("code_challenge_method = 'S512'", false),
        ("code_challenge_method = 'none'", false),
        ("code_challenge_method = NULL", false),
        ("proof = NULL", false),
        ("proof = BYTE", false),
        ("issued_at = -1", false),
        ("expires_at = issued_at", false),
        ("redeemed_at = 1", false),
        ("ticket = NULL", true),
    ] {
        let code = sample::code();
        assert_eq!(store.insert(&code, &sample::binding()).await.unwrap(), Inserted::Recorded);
        if redeemed {
            assert!(matches!(store.redeem(&code, &sample::right()).await.unwrap(), Redemption::First(_)));
        }
        assert!(database.change(&pool, &code, slip).await.is_err(), "{slip}");
    }
}
