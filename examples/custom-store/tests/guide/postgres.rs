//! PostgreSQL, by tokio-postgres.

use std::sync::atomic::{AtomicUsize, Ordering};

use pkce_core::Timestamp;
use pkce_core::store::{
    Attempt, Binding, ChallengeStore, CodeDigest, Inserted, Redemption, StoreError, Ticket, async_trait,
};
use pkce_test_servers::Postgres;
use tokio_postgres::{Client, NoTls};

use crate::row::{Row, bytes, millis};
use crate::statements::Statements;
use crate::{GuideStore, keeps_the_contract, sweeps_what_has_expired};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_statements_for_postgresql_keep_the_contract() {
    let Some(server) = Postgres::start() else { return };
    let store = Store::connect(&server).await;
    store.client().batch_execute(store.sql.named("table")).await.unwrap();
    keeps_the_contract(store, Store::connect(&server).await).await;
}

#[tokio::test]
async fn the_sweep_for_postgresql_deletes_what_has_expired() {
    let Some(server) = Postgres::start() else { return };
    let store = Store::connect(&server).await;
    store.client().batch_execute(store.sql.named("table")).await.unwrap();
    sweeps_what_has_expired(store).await;
}

/// A few connections in turn: the smallest pool.
struct Store {
    clients: Vec<Client>,
    turn: AtomicUsize,
    sql: Statements,
}

impl Store {
    async fn connect(server: &Postgres) -> Self {
        let mut clients = Vec::new();
        for _ in 0..4 {
            let (client, connection) = tokio_postgres::connect(&server.url(), NoTls).await.unwrap();
            tokio::spawn(connection);
            clients.push(client);
        }
        Self { clients, turn: AtomicUsize::new(0), sql: Statements::of("PostgreSQL") }
    }

    fn client(&self) -> &Client {
        &self.clients[self.turn.fetch_add(1, Ordering::Relaxed) % self.clients.len()]
    }
}

#[async_trait]
impl ChallengeStore for Store {
    async fn insert(&self, code: &CodeDigest, binding: &Binding) -> Result<Inserted, StoreError> {
        let (code, method, proof) = (&code.as_bytes()[..], binding.method_str(), bytes(binding.proof()));
        let grant = binding.grant().map(|grant| &grant[..]);
        let (issued_at, expires_at) = (millis(binding.issued_at()), millis(binding.expires_at()));
        let inserted = self
            .client()
            .execute(self.sql.named("insert"), &[&code, &method, &proof, &grant, &issued_at, &expires_at])
            .await
            .map_err(StoreError::unavailable)?;
        Ok(if inserted == 1 { Inserted::Recorded } else { Inserted::Occupied })
    }

    async fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Result<Redemption, StoreError> {
        let (code, proof, ticket) = (&code.as_bytes()[..], bytes(attempt.proof()), attempt.ticket());
        let (ticket, at) = (&ticket.as_bytes()[..], millis(attempt.at()));
        let rows = self
            .client()
            .query(self.sql.named("redeem"), &[&code, &proof, &ticket, &at])
            .await
            .map_err(StoreError::unavailable)?;
        let Some(row) = rows.first() else { return Ok(Redemption::Unknown) };
        let row = Row {
            method: row.get(0),
            proof: row.get(1),
            grant_record: row.get(2),
            issued_at: row.get(3),
            expires_at: row.get(4),
            redeemed_by: row.get(5),
            redeemed_at: row.get(6),
        };
        row.redemption(attempt)
    }

    async fn restore(&self, code: &CodeDigest, ticket: Ticket) -> Result<(), StoreError> {
        let (code, ticket) = (&code.as_bytes()[..], &ticket.as_bytes()[..]);
        let restored = self.client().execute(self.sql.named("restore"), &[&code, &ticket]).await;
        restored.map(drop).map_err(StoreError::unavailable)
    }
}

#[async_trait]
impl GuideStore for Store {
    async fn sweep(&self, before: Timestamp) -> u64 {
        self.client().execute(self.sql.named("sweep"), &[&millis(before)]).await.unwrap()
    }
}
