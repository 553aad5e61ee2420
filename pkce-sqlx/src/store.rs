//! The store: three verbs, the table, and the removal of expired rows.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use pkce_core::Timestamp;
use pkce_core::store::{Attempt, Binding, ChallengeStore, CodeDigest, Inserted, Redemption, StoreError, Ticket};
use sqlx::{Database, Pool};

use crate::close_limit::CloseLimits;
use crate::dialect::Dialect;
use crate::fault::{Failure, Fault};
use crate::lease::Lease;
use crate::probe::Probe;
use crate::sql::{Value, millis};
use crate::statements::Statements;
use crate::table_name::TableName;

/// How often a statement is sent at most, besides once for each connection that the pool had and that was broken or
/// stale. A request that was overtaken by another redemption of the same code sees its outcome the second time; under
/// `SERIALIZABLE` a few more are lost to neighbours.
const ATTEMPTS: usize = 10;

/// How many rows one statement of [`SqlxStore::delete_expired`] deletes at most: a few milliseconds of work, even with
/// large grants.
const BATCH: u16 = 500;

/// How long [`SqlxStore::delete_expired`] pauses after a batch, in multiples of the time that the batch took: the
/// database has at least four fifths of its time for the verbs.
const PAUSE: u32 = 4;

/// The shortest pause. In SQLite a verb that waits for the lock looks at it every 1 to 100 ms.
const SHORTEST_PAUSE: Duration = Duration::from_millis(25);

/// How long after its end a record is deleted. A server whose clock is up to a minute ahead deletes nothing that lives by
/// another server's clock, and a replay is recognised until the end.
const MARGIN_MILLIS: i64 = 60_000;

/// The challenge store in a table, in the pool that the host already has: `PgStore`, `MySqlStore`, `SqliteStore`.
///
/// * Every verb is one atomic conditional statement, in autocommit. Nothing is read first and written then.
/// * What is read back is parsed. A row that was changed is an error, never a pass.
/// * A statement that lost a race, a deadlock or its connection is sent again at once: up to nine times, and once more
///   for each connection of the pool. The ticket makes that safe: a redemption that is sent twice is one redemption.
/// * A connection that leads to a server that became read-only is closed, and the statement is sent again. So the store
///   follows a fail-over without a restart.
/// * An expired row is never redeemed. It stays until [`SqlxStore::delete_expired`].
/// * Neither this crate nor sqlx logs or reports the values of a statement. The database's own statement log may show
///   them, and MySQL's error log where `binlog_format` is `STATEMENT`: digests, proofs and grants, no code and no verifier.
///
/// A clone is another handle to the same pool.
pub struct SqlxStore<DB: Database> {
    pool: Pool<DB>,
    shared: Arc<Shared>,
}

struct Shared {
    table: TableName,
    statements: Statements,
    limits: CloseLimits,
    probe: Probe,
}

impl<DB: Dialect> SqlxStore<DB> {
    /// Creates a store in the table `pkce_codes`, in this pool. The table must exist: see
    /// [`create_table`](Self::create_table).
    pub fn new(pool: Pool<DB>) -> Self {
        Self::with_table(pool, TableName::default())
    }

    /// Creates a store in another table.
    pub fn with_table(pool: Pool<DB>, table: TableName) -> Self {
        let (statements, limits, probe) = (Statements::of::<DB>(&table), CloseLimits::default(), Probe::default());
        Self { pool, shared: Arc::new(Shared { table, statements, limits, probe }) }
    }

    /// Returns the table that the store keeps its records in.
    pub fn table(&self) -> &TableName {
        &self.shared.table
    }

    /// Returns the statements that create a table and its index unless they exist, for your own migrations.
    pub fn ddl(table: &TableName) -> String {
        DB::ddl(table)
    }

    /// Creates the table and its index unless they exist, and checks them as [`check_table`](Self::check_table) does. Any
    /// number of servers may call it at once.
    ///
    /// If the table is there as expected, this only reads: the database role then needs no right to create anything.
    /// A table that differs is left as it is.
    ///
    /// # Errors
    ///
    /// When the table could not be created, or is not as expected.
    pub async fn create_table(&self) -> Result<(), StoreError> {
        let found = self.differences().await;
        if found.as_ref().is_ok_and(Option::is_none) {
            return Ok(());
        }
        let created = self.retry(DB::ddl_fault, |_| async {
            let mut connection = self.lease().await?;
            let done = DB::execute_ddl(&mut connection, self.shared.statements.create_table).await;
            connection.end(done).await
        });
        match (created.await, found) {
            (Ok(()), _) => self.check_table().await,
            // The table is there, without something that this role may not add.
            (Err(_), Ok(Some(Differences { sentence, table_exists: true }))) => Err(not_as_expected(sentence)),
            (Err(failure), _) => Err(failure.into_store_error(DB::ddl_fault)),
        }
    }

    /// Checks that the table has the columns, the types and the indexes that this version of the crate expects.
    ///
    /// Call it when the server starts: a table that another version left behind, or a migration changed, is then an error
    /// at the start, and not one of every request. It only reads, and needs no right but those of the verbs.
    ///
    /// # Errors
    ///
    /// When the table differs. The [`source`](std::error::Error::source) of the error says what differs, in one sentence.
    pub async fn check_table(&self) -> Result<(), StoreError> {
        match self.differences().await {
            Ok(None) => Ok(()),
            Ok(Some(differences)) => Err(not_as_expected(differences.sentence)),
            Err(failure) => Err(failure.into_store_error(DB::fault)),
        }
    }

    async fn differences(&self) -> Result<Option<Differences>, Failure> {
        let table = &self.shared.table;
        let found = self.retry(DB::fault, |_| async {
            let mut connection = self.lease().await?;
            let found = DB::describe(&mut connection, table).await;
            connection.end(found).await
        });
        Ok(match found.await? {
            None => Some(Differences {
                sentence: format!("there is no table {table} that this database role can see"),
                table_exists: false,
            }),
            Some(found) => {
                found.differences(table, DB::TYPES).map(|sentence| Differences { sentence, table_exists: true })
            }
        })
    }

    /// Deletes the rows that expired more than a minute ago, and returns how many there were.
    ///
    /// Call it once a minute, from one server or from all: none deletes what another one is deleting. It goes by this
    /// server's clock, and the minute covers the difference between your servers' clocks.
    ///
    /// It deletes batches of at most 500 rows, each in a transaction of its own, until no expired row is left. After each
    /// batch it pauses for four times as long as the batch took, at least 25 ms, so that codes are bound and redeemed
    /// meanwhile. (It pauses in a runtime of tokio, and in no other.) If the call is dropped, the batches that are done
    /// stay done.
    ///
    /// # Errors
    ///
    /// When a batch could not be deleted.
    pub async fn delete_expired(&self) -> Result<u64, StoreError> {
        let before =
            i64::try_from(Timestamp::now().as_epoch_millis()).unwrap_or(i64::MAX).saturating_sub(MARGIN_MILLIS);
        let values = [Value::Number(before), Value::Number(BATCH.into())];
        let mut deleted = 0;
        loop {
            let began = Instant::now();
            let batch = self.retry(DB::fault, |_| self.execute(self.shared.statements.delete_expired, &values));
            let batch = batch.await.map_err(|failure| failure.into_store_error(DB::fault))?;
            deleted += batch;
            if batch < BATCH.into() {
                return Ok(deleted);
            }
            pause(SHORTEST_PAUSE.max(began.elapsed() * PAUSE)).await;
        }
    }

    /// Takes a connection for one attempt.
    async fn lease(&self) -> Result<Lease<'_, DB>, Failure> {
        match Lease::of(&self.pool, &self.shared.limits).await {
            Ok(lease) => Ok(lease),
            Err(sqlx::Error::PoolTimedOut) => Err(Failure::NoConnection(self.shared.probe.reason(&self.pool).await)),
            Err(error) => Err(Failure::Connect(error)),
        }
    }

    /// Runs `send` until it succeeds, fails permanently, or runs out of attempts. Its argument tells whether an earlier
    /// attempt may have taken effect.
    ///
    /// It sends again at once: whoever lost to another transaction finds that one done, and a broken connection is not
    /// taken from the pool again. A pause would need a runtime, and the policy's time-out ends the call anyway.
    async fn retry<T, F>(
        &self,
        fault_of_database: fn(&sqlx::Error) -> Fault,
        send: impl Fn(bool) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        // Each connection that is open now may turn out to be closed by the server, to lead to a demoted one, or to have
        // prepared statements of no use.
        let mut connections = self.pool.size();
        let (mut attempts, mut again) = (ATTEMPTS, false);
        loop {
            let failure = match send(again).await {
                Ok(done) => return Ok(done),
                Err(failure) => failure,
            };
            let fault = failure.fault(fault_of_database);
            match fault {
                Fault::Disconnected | Fault::Demoted | Fault::Unprepared if connections > 0 => connections -= 1,
                Fault::Disconnected | Fault::Transient if attempts > 1 => attempts -= 1,
                _ => return Err(failure),
            }
            again |= fault == Fault::Disconnected;
        }
    }

    async fn execute(&self, sql: &'static str, values: &[Value<'_>]) -> Result<u64, Failure> {
        let mut connection = self.lease().await?;
        let affected = DB::execute(&mut connection, sql, values).await;
        connection.end(affected).await
    }

    /// Tells a row that others keep changing from one that row level security hides from UPDATE alone.
    async fn explained(&self, failure: Failure) -> Failure {
        if !matches!(failure, Failure::Contended) {
            return failure;
        }
        let Ok(mut connection) = self.lease().await else { return failure };
        let has_row_security = DB::has_row_security(&mut connection, &self.shared.table).await;
        match connection.end(has_row_security).await {
            Ok(true) => Failure::RowSecurity,
            _ => failure,
        }
    }
}

/// What differs from the expected table.
struct Differences {
    sentence: String,
    table_exists: bool,
}

fn not_as_expected(sentence: String) -> StoreError {
    StoreError::unavailable(sentence)
}

/// Waits, in a runtime of tokio. sqlx needs the timer of the runtime itself, so it is there.
async fn pause(duration: Duration) {
    if tokio::runtime::Handle::try_current().is_ok() {
        tokio::time::sleep(duration).await;
    }
}

#[async_trait]
impl<DB: Dialect> ChallengeStore for SqlxStore<DB> {
    async fn insert(&self, code: &CodeDigest, binding: &Binding) -> Result<Inserted, StoreError> {
        let inserted = self.retry(DB::fault, |again| async move {
            let values = [
                Value::Bytes(Some(code.as_bytes())),
                Value::Text(Some(binding.method_str())),
                Value::Bytes(binding.proof().map(|proof| proof.as_bytes().as_slice())),
                Value::Bytes(binding.grant().map(|grant| &**grant)),
                Value::Number(millis(binding.issued_at())?),
                Value::Number(millis(binding.expires_at())?),
            ];
            let mut connection = self.lease().await?;
            let inserted = DB::insert(&mut connection, &self.shared.statements, &values, again).await;
            connection.end(inserted).await
        });
        inserted.await.map_err(|failure| failure.into_store_error(DB::fault))
    }

    async fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Result<Redemption, StoreError> {
        let redeemed = self.retry(DB::fault, |_| async {
            let mut connection = self.lease().await?;
            let found = DB::redeem(&mut connection, &self.shared.statements, code, attempt).await;
            match connection.end(found).await? {
                None => Ok(Redemption::Unknown),
                Some(columns) => columns.redemption(attempt)?.ok_or(Failure::Contended),
            }
        });
        match redeemed.await {
            Ok(redemption) => Ok(redemption),
            Err(failure) => Err(self.explained(failure).await.into_store_error(DB::fault)),
        }
    }

    async fn restore(&self, code: &CodeDigest, ticket: Ticket) -> Result<(), StoreError> {
        let values = [Value::Bytes(Some(code.as_bytes())), Value::Bytes(Some(ticket.as_bytes()))];
        let restored = self.retry(DB::fault, |_| self.execute(self.shared.statements.restore, &values));
        restored.await.map(drop).map_err(|failure| failure.into_store_error(DB::fault))
    }
}

impl<DB: Database> Clone for SqlxStore<DB> {
    fn clone(&self) -> Self {
        Self { pool: self.pool.clone(), shared: Arc::clone(&self.shared) }
    }
}

/// Shows the table and how many connections the pool has, and nothing of where they lead.
impl<DB: Database> fmt::Debug for SqlxStore<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlxStore")
            .field("database", &DB::NAME)
            .field("table", &self.shared.table.to_string())
            .field("connections", &self.pool.size())
            .finish_non_exhaustive()
    }
}
