//! MySQL's protocol, spoken with `MariaDB`.

use pkce_sqlx::MySqlStore;
use pkce_test_servers::MariaDb;
use sqlx::mysql::MySqlPoolOptions;
use sqlx::{MySqlPool, Row as _};

use super::{LIFETIME_MILLIS, METHOD, Ours, PROOF, Side, TICKET, digest, now, number};

/// The same statements by hand, in a pool of its own and a table like the store's.
#[derive(Debug)]
pub struct ByHand(MySqlPool);

/// The store and the statements by hand, each with a pool of so many connections.
pub async fn sides(server: &MariaDb, connections: u32) -> (Ours<MySqlStore>, ByHand) {
    let pool = async || MySqlPoolOptions::new().max_connections(connections).connect(&server.url()).await.unwrap();
    let store = MySqlStore::new(pool().await);
    store.create_table().await.unwrap();
    let by_hand = MySqlStore::with_table(pool().await, "by_hand".parse().unwrap());
    by_hand.create_table().await.unwrap();
    (Ours(store), ByHand(pool().await))
}

impl Side for ByHand {
    async fn insert(&self, nth: u64) {
        let now = now();
        let done = sqlx::query(
            "INSERT INTO by_hand (code_digest, code_challenge_method, proof, grant_record, issued_at, expires_at)
             VALUES (?, ?, ?, ?, ?, ?)",
        );
        let done = done.bind(digest(nth).to_vec()).bind(METHOD).bind(&PROOF[..]).bind(None::<&[u8]>);
        let done = done.bind(number(now)).bind(number(now + LIFETIME_MILLIS)).execute(&self.0).await.unwrap();
        assert_eq!(done.rows_affected(), 1);
    }

    async fn redeem(&self, nth: u64) {
        let (code, now) = (digest(nth), number(now()));
        let mut connection = self.0.acquire().await.unwrap();
        let done = sqlx::query(
            "UPDATE by_hand SET ticket = ?, redeemed_at = ?
             WHERE code_digest = ? AND ticket IS NULL AND redeemed_at IS NULL AND expires_at > ?
                AND proof <=> ? AND (proof IS NULL) = (code_challenge_method = 'none')",
        );
        let done = done.bind(&TICKET[..]).bind(now).bind(&code[..]).bind(now).bind(&PROOF[..]);
        done.execute(&mut *connection).await.unwrap();
        let found = sqlx::query(
            "SELECT code_challenge_method, proof, grant_record, issued_at, expires_at, ticket, redeemed_at, @@autocommit
             FROM by_hand WHERE code_digest = ?",
        );
        let rows = found.bind(&code[..]).fetch_all(&mut *connection).await.unwrap();
        assert_eq!(rows.first().unwrap().get::<&[u8], _>(5), TICKET);
    }
}
