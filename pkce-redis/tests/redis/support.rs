//! The domain's verbs, and a view of the commands.

use std::error::Error as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use pkce_core::Timestamp;
use pkce_core::store::{
    Attempt, Binding, BindingParts, ChallengeStore, CodeDigest, Inserted, Proof, Redemption, StoreError,
    StoreErrorKind, Ticket,
};
use pkce_redis::{ReconnectingConnection, RedisStore};
use pkce_test_servers::{Redis, RedisCluster};
use redis::AsyncConnectionConfig;
use redis::aio::{ConnectionManager, ConnectionManagerConfig, MultiplexedConnection};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;

pub(crate) const PROOF: Proof = Proof::from_bytes([0xfb; 32]);
pub(crate) const WRONG: Proof = Proof::from_bytes([8; 32]);

pub(crate) type Store = RedisStore<ReconnectingConnection<MultiplexedConnection>>;

/// As the crate's page recommends, with a longer response time-out than the default: the machine may be busy.
pub(crate) fn store(port: u16) -> Store {
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}")).unwrap();
    RedisStore::new(ReconnectingConnection::new(move || {
        let client = client.clone();
        let patient = AsyncConnectionConfig::new().set_response_timeout(Some(Duration::from_secs(1)));
        async move { client.get_multiplexed_async_connection_with_config(&patient).await }
    }))
}

/// The connection that the crate's page warns of.
pub(crate) async fn managed_store(port: u16) -> RedisStore<ConnectionManager> {
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}")).unwrap();
    // It reconnects soon after the server is back.
    let config = ConnectionManagerConfig::new()
        .set_max_delay(Duration::from_millis(100))
        .set_response_timeout(Some(Duration::from_secs(1)));
    RedisStore::new(client.get_connection_manager_with_config(config).await.unwrap())
}

pub(crate) type ClusterStore = RedisStore<ReconnectingConnection<ClusterConnection>>;

/// As the crate's page recommends: this client has no response time-out by default, and can stop for good if it loses
/// its connections.
pub(crate) fn cluster_store(cluster: &RedisCluster) -> ClusterStore {
    let client = ClusterClient::builder(cluster.urls()).response_timeout(Duration::from_secs(1)).build().unwrap();
    RedisStore::new(ReconnectingConnection::new(move || {
        let client = client.clone();
        async move { client.get_async_connection().await }
    }))
}

pub(crate) fn ticket() -> Ticket {
    Ticket::generate().unwrap()
}

pub(crate) fn code() -> CodeDigest {
    CodeDigest::of(ticket().as_bytes())
}

/// The key of a code under the default prefix.
pub(crate) fn key(code: &CodeDigest) -> String {
    let digits = code.as_bytes().map(|byte| format!("{byte:02x}"));
    format!("pkce:{}", digits.concat())
}

/// S256, with the grant `alice`, for a minute.
pub(crate) fn binding() -> Binding {
    living(Duration::from_secs(60))
}

pub(crate) fn living(lifetime: Duration) -> Binding {
    let now = Timestamp::now();
    let proof = Some(&PROOF.as_bytes()[..]);
    Binding::from_parts(BindingParts {
        method: "S256",
        proof,
        grant: Some(b"alice"[..].into()),
        issued_at: now,
        expires_at: now.saturating_add(lifetime),
    })
    .unwrap()
}

pub(crate) async fn bind(store: &impl ChallengeStore) -> CodeDigest {
    let code = code();
    assert_eq!(store.insert(&code, &binding()).await.unwrap(), Inserted::Recorded);
    code
}

/// An attempt with the right proof and a new ticket.
pub(crate) fn attempt() -> Attempt {
    Attempt::new(Some(PROOF), ticket(), Timestamp::now())
}

/// The result of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    First,
    Refused,
    Again,
    Unknown,
    Fault(StoreErrorKind),
}

pub(crate) async fn redeem(store: &impl ChallengeStore, code: &CodeDigest, attempt: &Attempt) -> Found {
    match store.redeem(code, attempt).await {
        Ok(Redemption::First(_)) => Found::First,
        Ok(Redemption::Refused(_)) => Found::Refused,
        Ok(Redemption::Again { .. }) => Found::Again,
        Ok(Redemption::Unknown) => Found::Unknown,
        Err(error) => Found::Fault(error.kind()),
    }
}

/// An error and its source, as an operator reads them.
pub(crate) fn words(error: &StoreError) -> String {
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

/// Tries until the store works again.
pub(crate) async fn recovered(store: &impl ChallengeStore) {
    for _ in 0..600 {
        let (code, attempt) = (code(), attempt());
        if store.insert(&code, &binding()).await.is_ok() && redeem(store, &code, &attempt).await == Found::First {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the store does not recover");
}

/// Waits until `holds` returns true, for at most half a minute.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..600 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("waited in vain until {what}");
}

/// Every command that clients send, as `MONITOR` sees it, without those that scripts call.
pub(crate) struct Monitor(BufReader<TcpStream>);

impl Monitor {
    pub(crate) fn of(redis: &Redis) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", redis.port())).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(b"MONITOR\r\n").unwrap();
        let mut monitor = Self(BufReader::new(stream));
        assert_eq!(monitor.line(), "+OK");
        monitor
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The names of the commands since the last call.
    pub(crate) fn commands(&mut self, redis: &Redis) -> Vec<String> {
        redis.ask(&["ECHO", "so far"]).unwrap();
        let mut commands = Vec::new();
        loop {
            let line = self.line();
            if line.ends_with("\"so far\"") {
                return commands;
            }
            if !line.contains(" lua] ") {
                commands.push(line.split('"').nth(1).unwrap_or_default().to_ascii_uppercase());
            }
        }
    }
}
