//! `SQLite`, in a file with a write-ahead log.

use std::path::Path;

use pkce_sqlx::SqliteStore;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use sqlx::{Row as _, SqlitePool};

use super::{LIFETIME_MILLIS, METHOD, Ours, PROOF, Side, TICKET, digest, now, number};

/// The same statements by hand, in a pool of its own and a table like the store's.
#[derive(Debug)]
pub struct ByHand(SqlitePool);

/// The store and the statements by hand, each with a pool of so many connections.
pub async fn sides(file: &Path, connections: u32) -> (Ours<SqliteStore>, ByHand) {
    let pool = async || {
        let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
        let options = options.journal_mode(SqliteJournalMode::Wal);
        SqlitePoolOptions::new().max_connections(connections).connect_with(options).await.unwrap()
    };
    let store = SqliteStore::new(pool().await);
    store.create_table().await.unwrap();
    let by_hand = SqliteStore::with_table(pool().await, "by_hand".parse().unwrap());
    by_hand.create_table().await.unwrap();
    (Ours(store), ByHand(pool().await))
}

impl Side for ByHand {
    async fn insert(&self, nth: u64) {
        let now = now();
        let done = sqlx::query(
            "INSERT INTO by_hand (code_digest, code_challenge_method, proof, grant_record, issued_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (code_digest) DO NOTHING",
        );
        let done = done.bind(digest(nth).to_vec()).bind(METHOD).bind(&PROOF[..]).bind(None::<&[u8]>);
        let done = done.bind(number(now)).bind(number(now + LIFETIME_MILLIS)).execute(&self.0).await.unwrap();
        assert_eq!(done.rows_affected(), 1);
    }

    async fn redeem(&self, nth: u64) {
        let found = sqlx::query(
            "UPDATE by_hand SET
                ticket = CASE WHEN ticket IS NULL AND redeemed_at IS NULL AND expires_at > ?4
                    AND proof IS ?2 AND (proof IS NULL) = (code_challenge_method = 'none') THEN ?3 ELSE ticket END,
                redeemed_at = CASE WHEN ticket IS NULL AND redeemed_at IS NULL AND expires_at > ?4
                    AND proof IS ?2 AND (proof IS NULL) = (code_challenge_method = 'none') THEN ?4 ELSE redeemed_at END
             WHERE code_digest = ?1
             RETURNING code_challenge_method, proof, grant_record, issued_at, expires_at, ticket, redeemed_at",
        );
        let found = found.bind(digest(nth).to_vec()).bind(&PROOF[..]).bind(&TICKET[..]).bind(number(now()));
        let rows = found.fetch_all(&self.0).await.unwrap();
        assert_eq!(rows.first().unwrap().get::<&[u8], _>(5), TICKET);
    }
}
