//! PostgreSQL.

use pkce_sqlx::PgStore;
use pkce_test_servers::Postgres;
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgPool, Row as _};

use super::{LIFETIME_MILLIS, METHOD, Ours, PROOF, Side, TICKET, digest, now, number};

/// The same statements by hand, in a pool of its own and a table like the store's.
#[derive(Debug)]
pub struct ByHand(PgPool);

/// The store and the statements by hand, each with a pool of so many connections.
pub async fn sides(server: &Postgres, connections: u32) -> (Ours<PgStore>, ByHand) {
    let pool = async || PgPoolOptions::new().max_connections(connections).connect(&server.url()).await.unwrap();
    let store = PgStore::new(pool().await);
    store.create_table().await.unwrap();
    let by_hand = PgStore::with_table(pool().await, "by_hand".parse().unwrap());
    by_hand.create_table().await.unwrap();
    (Ours(store), ByHand(pool().await))
}

impl Side for ByHand {
    async fn insert(&self, nth: u64) {
        let now = now();
        let done = sqlx::query(
            "INSERT INTO by_hand (code_digest, code_challenge_method, proof, grant_record, issued_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (code_digest) DO NOTHING",
        );
        let done = done.bind(digest(nth).to_vec()).bind(METHOD).bind(&PROOF[..]).bind(None::<&[u8]>);
        let done = done.bind(number(now)).bind(number(now + LIFETIME_MILLIS)).execute(&self.0).await.unwrap();
        assert_eq!(done.rows_affected(), 1);
    }

    async fn redeem(&self, nth: u64) {
        let found = sqlx::query(
            "WITH marked AS (
                UPDATE by_hand SET ticket = $3, redeemed_at = $4
                WHERE code_digest = $1 AND ticket IS NULL AND redeemed_at IS NULL AND expires_at > $4
                    AND proof IS NOT DISTINCT FROM $2 AND (proof IS NULL) = (code_challenge_method = 'none')
                RETURNING code_challenge_method, proof, grant_record, issued_at, expires_at, ticket, redeemed_at,
                    CASE current_setting('synchronous_commit')
                        WHEN 'off' THEN set_config('synchronous_commit', 'local', true)
                    END
            )
            SELECT code_challenge_method, proof, grant_record, issued_at, expires_at, ticket, redeemed_at FROM marked
            UNION ALL
            SELECT code_challenge_method, proof, grant_record, issued_at, expires_at, ticket, redeemed_at
            FROM by_hand WHERE code_digest = $1 AND NOT EXISTS (SELECT FROM marked)",
        );
        let found = found.bind(digest(nth).to_vec()).bind(&PROOF[..]).bind(&TICKET[..]).bind(number(now()));
        let rows = found.fetch_all(&self.0).await.unwrap();
        assert_eq!(rows.first().unwrap().get::<&[u8], _>(5), TICKET);
    }
}
