//! The store on the host's table: the whole contract, rows that somebody changed, and the whole flow.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use custom_store::{AuthorizationCodes, MIGRATION, host};
use pkce_core::Timestamp;
use pkce_core::contract::Contract;
use pkce_core::store::{
    Attempt, Binding, BindingParts, ChallengeStore, CodeDigest, Inserted, Proof, Redemption, StoreError,
    StoreErrorKind, Ticket, async_trait,
};
use pkce_tower::CodeVerifier;
use sqlx::SqlitePool;
use tokio::net::TcpListener;
use url::{Url, form_urlencoded};

/// A database in a file of its own, removed when it is dropped.
struct Database(PathBuf);

impl Database {
    async fn new(name: &str) -> (Self, SqlitePool) {
        let directory = std::env::temp_dir().join(format!("custom-store-test-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let database = Self(directory);
        let pool = database.connect().await;
        sqlx::raw_sql(host::TABLE).execute(&pool).await.unwrap();
        sqlx::raw_sql(MIGRATION).execute(&pool).await.unwrap();
        (database, pool)
    }

    /// Patient: on a busy machine the suite's writers overtake each other for longer than a server would wait.
    async fn connect(&self) -> SqlitePool {
        host::connect(&self.0.join("server.sqlite"), Duration::from_secs(20)).await.unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(Path::new(&self.0));
    }
}

/// The store after the host: before each *insert* comes the row that the host inserts when consent is given.
struct AfterTheHost {
    pool: SqlitePool,
    store: AuthorizationCodes,
}

impl AfterTheHost {
    fn new(pool: SqlitePool) -> Self {
        Self { store: AuthorizationCodes::new(pool.clone()), pool }
    }
}

/// Inserts the host's row, if it is not there yet. The code need not be a real one.
async fn insert_row(pool: &SqlitePool, code: &CodeDigest) -> sqlx::Result<()> {
    let insert = format!("{} ", host::INSERT.replace("RETURNING id", "ON CONFLICT DO NOTHING"));
    let now = i64::try_from(Timestamp::now().as_epoch_millis() / 1000).unwrap();
    sqlx::query(&insert)
        .bind(code.as_bytes().map(|byte| format!("{byte:02x}")).concat())
        .bind(host::CLIENT_ID)
        .bind("alice")
        .bind(host::REDIRECT_URI)
        .bind("photos")
        .bind(now)
        .bind(now + host::LIFETIME)
        .bind(&code.as_bytes()[..])
        .execute(pool)
        .await
        .map(drop)
}

#[async_trait]
impl ChallengeStore for AfterTheHost {
    async fn insert(&self, code: &CodeDigest, binding: &Binding) -> Result<Inserted, StoreError> {
        insert_row(&self.pool, code).await.map_err(StoreError::unavailable)?;
        self.store.insert(code, binding).await
    }

    async fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Result<Redemption, StoreError> {
        self.store.redeem(code, attempt).await
    }

    async fn restore(&self, code: &CodeDigest, ticket: Ticket) -> Result<(), StoreError> {
        self.store.restore(code, ticket).await
    }
}

const PROOF: [u8; 32] = [7; 32];

fn right() -> Attempt {
    Attempt::new(Some(Proof::from_bytes(PROOF)), Ticket::generate().unwrap(), Timestamp::now())
}

fn none() -> Attempt {
    Attempt::new(None, Ticket::generate().unwrap(), Timestamp::now())
}

fn binding() -> Binding {
    let now = Timestamp::now();
    let until = now.saturating_add(Duration::from_mins(1));
    Binding::from_parts(BindingParts {
        method: "S256",
        proof: Some(&PROOF),
        grant: Some(b"17"[..].into()),
        issued_at: now,
        expires_at: until,
    })
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_keeps_the_contract_through_two_pools_on_one_file() {
    let (database, pool) = Database::new("contract").await;
    let other = database.connect().await;
    let suite = Contract::new(AfterTheHost::new(pool)).also_through(AfterTheHost::new(other));
    suite.contested_rounds(10).check().await.assert_passed();
}

#[tokio::test]
async fn a_row_that_the_host_inserted_and_nobody_bound_is_not_redeemable() {
    let (_database, pool) = Database::new("unbound").await;
    let (store, code) = (AuthorizationCodes::new(pool.clone()), CodeDigest::of(b"a code"));
    insert_row(&pool, &code).await.unwrap();
    for attempt in [none(), right()] {
        assert_eq!(store.redeem(&code, &attempt).await.unwrap(), Redemption::Unknown);
        store.restore(&code, attempt.ticket()).await.unwrap();
    }
    assert_eq!(store.insert(&code, &binding()).await.unwrap(), Inserted::Recorded);
    assert!(matches!(store.redeem(&code, &right()).await.unwrap(), Redemption::First(_)));
}

#[tokio::test]
async fn a_binding_without_the_hosts_row_is_an_error_and_leaves_nothing() {
    let (_database, pool) = Database::new("no-row").await;
    let (store, code) = (AuthorizationCodes::new(pool), CodeDigest::of(b"a code"));
    let error = store.insert(&code, &binding()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), "the host has not inserted its row for this code");
    assert_eq!(store.redeem(&code, &right()).await.unwrap(), Redemption::Unknown);
}

#[tokio::test]
async fn a_row_from_before_the_migration_is_unknown() {
    let (_database, pool) = Database::new("old-row").await;
    let (store, code) = (AuthorizationCodes::new(pool.clone()), CodeDigest::of(b"a code"));
    insert_row(&pool, &code).await.unwrap();
    sqlx::raw_sql("UPDATE authorization_codes SET code = 'a code', code_digest = NULL").execute(&pool).await.unwrap();
    assert_eq!(store.redeem(&code, &none()).await.unwrap(), Redemption::Unknown);
}

#[tokio::test]
async fn a_row_that_somebody_changed_is_an_error_and_never_a_pass() {
    let (_database, pool) = Database::new("tampered").await;
    let store = AuthorizationCodes::new(pool.clone());
    for (nth, change) in [
        "pkce_method = NULL",
        "pkce_method = ''",
        "pkce_method = 's256'",
        "pkce_method = 'none'",
        "pkce_method = x'53323536ff'",
        "pkce_proof = NULL",
        "pkce_proof = x''",
        "pkce_proof = substr(pkce_proof, 1, 31)",
        "pkce_proof = pkce_proof || x'00'",
        "pkce_proof = 7",
        "pkce_grant = 17",
        "pkce_issued_at = NULL",
        "pkce_issued_at = 'yesterday'",
        "pkce_issued_at = -1",
        "pkce_issued_at = 0.5",
        "pkce_expires_at = NULL",
        "pkce_expires_at = pkce_issued_at",
        "pkce_expires_at = pkce_expires_at + 3600000",
        "pkce_method = NULL, pkce_proof = NULL, pkce_grant = NULL, pkce_issued_at = NULL",
        "redeemed_by = x'00'",
        "redeemed_by = zeroblob(15), redeemed_at = 1",
        "redeemed_by = zeroblob(16)",
        "redeemed_by = zeroblob(16), redeemed_at = 'yesterday'",
        "redeemed_by = zeroblob(16), redeemed_at = -1",
        "redeemed_at = 1",
    ]
    .into_iter()
    .enumerate()
    {
        let code = CodeDigest::of(&nth.to_be_bytes());
        insert_row(&pool, &code).await.unwrap();
        assert_eq!(store.insert(&code, &binding()).await.unwrap(), Inserted::Recorded);
        let update = format!("UPDATE authorization_codes SET {change} WHERE code_digest = ?1");
        let changed = sqlx::query(&update).bind(&code.as_bytes()[..]).execute(&pool).await.unwrap();
        assert_eq!(changed.rows_affected(), 1);
        for attempt in [none(), right()] {
            let found = store.redeem(&code, &attempt).await;
            let kind = found.as_ref().map_err(StoreError::kind);
            assert_eq!(kind.err(), Some(StoreErrorKind::InvalidRecord), "{change}: {found:?}");
        }
        // Nor is it bound anew.
        assert_eq!(store.insert(&code, &binding()).await.unwrap(), Inserted::Occupied, "{change}");
    }
}

/// The row comes before the commit, and the commit may fail, as it does on a full disk. Such a row serves nobody.
#[tokio::test]
async fn a_redemption_whose_commit_fails_is_an_error() {
    let (_database, pool) = Database::new("commit").await;
    let (store, code, binding) = (AuthorizationCodes::new(pool.clone()), CodeDigest::of(b"a code"), binding());
    insert_row(&pool, &code).await.unwrap();
    assert_eq!(store.insert(&code, &binding).await.unwrap(), Inserted::Recorded);
    sqlx::raw_sql(DENY).execute(&pool).await.unwrap();
    for _ in 0..3 {
        let error = store.redeem(&code, &right()).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
    }
    sqlx::raw_sql("DROP TRIGGER deny").execute(&pool).await.unwrap();
    assert_eq!(store.redeem(&code, &right()).await.unwrap(), Redemption::First(binding));
}

/// The same for the host's own statement: no tokens for a row that was not marked as used.
#[tokio::test]
async fn no_tokens_are_issued_when_the_commit_of_the_hosts_own_statement_fails() {
    let (_database, pool) = Database::new("used").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let serving = tokio::spawn(axum::serve(listener, host::app(pool.clone())).into_future());
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let verifier = CodeVerifier::generate().unwrap();
    let mut request = server.join("/authorize").unwrap();
    request
        .query_pairs_mut()
        .extend_pairs([("response_type", "code"), ("scope", "photos")])
        .extend_pairs([("client_id", host::CLIENT_ID), ("redirect_uri", host::REDIRECT_URI)])
        .extend_pairs(verifier.challenge().authorization_parameters());
    let answer = client.get(request).send().await.unwrap();
    let location = Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    let code = location.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();

    sqlx::raw_sql(&DENY.replace("AFTER UPDATE", "AFTER UPDATE OF used")).execute(&pool).await.unwrap();
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("grant_type", "authorization_code"), ("code", &code), ("code_verifier", verifier.as_str())])
        .extend_pairs([("client_id", host::CLIENT_ID), ("redirect_uri", host::REDIRECT_URI)])
        .finish();
    let request = client.post(server.join("/token").unwrap()).body(form);
    let answer = request.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
    assert_eq!(answer.status(), 503, "{}", answer.text().await.unwrap());
    serving.abort();
}

/// Makes the commit fail: a reference that is checked only then leads nowhere.
const DENY: &str = "
    CREATE TABLE parent (id INTEGER PRIMARY KEY);
    CREATE TABLE child (id INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
    CREATE TRIGGER deny AFTER UPDATE ON authorization_codes BEGIN INSERT INTO child VALUES (1); END";

#[tokio::test]
async fn the_clean_up_leaves_a_row_until_both_of_its_lives_are_over() {
    let (_database, pool) = Database::new("clean-up").await;
    let (store, code) = (AuthorizationCodes::new(pool.clone()), CodeDigest::of(b"a code"));
    insert_row(&pool, &code).await.unwrap();
    assert_eq!(store.insert(&code, &binding()).await.unwrap(), Inserted::Recorded);
    assert!(matches!(store.redeem(&code, &right()).await.unwrap(), Redemption::First(_)));
    let now = i64::try_from(Timestamp::now().as_epoch_millis() / 1000).unwrap();
    sqlx::raw_sql("UPDATE authorization_codes SET expires_at = 0").execute(&pool).await.unwrap();
    for (at, deleted) in [(now, 0), (now + 58, 0), (now + 62, 1)] {
        let gone = sqlx::query(host::DELETE_EXPIRED).bind(at).execute(&pool).await.unwrap();
        assert_eq!(gone.rows_affected(), deleted, "{} seconds later", at - now);
    }
}

/// A trigger's message may be about a user, and the source of an error is logged.
#[tokio::test]
async fn an_error_quotes_nothing_that_the_database_said() {
    let (_database, pool) = Database::new("trigger").await;
    let (store, code) = (AuthorizationCodes::new(pool.clone()), CodeDigest::of(b"a code"));
    insert_row(&pool, &code).await.unwrap();
    let tell = "CREATE TRIGGER tell BEFORE UPDATE ON authorization_codes BEGIN SELECT RAISE(ABORT, 'alice'); END";
    sqlx::raw_sql(tell).execute(&pool).await.unwrap();
    let error = store.insert(&code, &binding()).await.unwrap_err();
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the database reported 1811");
    assert!(!format!("{error:?}").contains("alice"), "{error:?}");
}

#[test]
fn the_demonstration_ends_well_and_prints_no_secret() {
    let played = Command::new(env!("CARGO_BIN_EXE_custom-store")).output().unwrap();
    let said = String::from_utf8(played.stdout).unwrap();
    assert!(played.status.success(), "{said}\n{}", String::from_utf8_lossy(&played.stderr));
    let answers: Vec<&str> = said.lines().filter(|line| line.starts_with("POST")).collect();
    let [wrong, another, tokens, replay] = answers[..] else { panic!("{said}") };
    assert!(
        wrong.contains("400") && another.contains("400") && tokens.contains("200") && replay.contains("400"),
        "{said}"
    );
    // A code or a verifier is 43 characters long.
    let longest = said.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').map(str::len).max();
    assert!(longest.is_some_and(|longest| longest < 43), "{said}");
}
