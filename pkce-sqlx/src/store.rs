//! The store: three verbs, a table, and a broom.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use pkce_core::Timestamp;
use pkce_core::store::{Attempt, Binding, ChallengeStore, CodeDigest, Inserted, Redemption, StoreError, Ticket};
use sqlx::{Database, Pool, SqlStr};

use crate::dialect::Dialect;
use crate::failure::{Failure, Fault};
use crate::lease::{Closings, Lease};
use crate::sql::{Statements, Value, millis, safe};
use crate::table_name::TableName;

/// How often a statement is sent before it is given up, not counting one for each connection that the pool had and that was
/// closed by the server. Whoever is overtaken by another redemption of the same code sees its outcome the second time; under
/// `SERIALIZABLE` a few more are lost to neighbours.
const ATTEMPTS: usize = 10;

/// How many rows one statement of [`SqlxStore::delete_expired`] deletes at most: some milliseconds' work, also with
/// large grants.
const BATCH: u16 = 500;

/// How long after its end a record is deleted. A server whose clock is so far ahead deletes nothing that lives by
/// another's, and a replay is recognised until the end.
const MARGIN_MILLIS: i64 = 60_000;

/// The challenge store in a table, in the pool that the host already has: `PgStore`, `MySqlStore`, `SqliteStore`.
///
/// * Every verb is one atomic conditional statement, in autocommit: nothing is read first to be written then.
/// * What is read back is parsed. A row that was changed is an error, never a pass.
/// * A statement that lost a race, a deadlock or its connection is sent again, at once: up to nine times, and once more for
///   each connection that the pool has. The ticket makes that safe: a redemption that is sent twice is one redemption.
/// * An expired row is never redeemed. It stays until [`SqlxStore::delete_expired`].
/// * Nothing that is bound to a statement is logged or reported, neither here nor by sqlx. The database's own
///   statement log may show it, and MySQL's error log where `binlog_format` is `STATEMENT`: digests, proofs and grants,
///   no code and no verifier.
///
/// A clone is another handle to the same pool.
pub struct SqlxStore<DB: Database> {
    pool: Pool<DB>,
    table: Arc<TableName>,
    statements: Arc<Statements>,
    closings: Arc<Closings>,
}

impl<DB: Dialect> SqlxStore<DB> {
    /// The store in the table `pkce_codes`, in this pool.
    pub fn new(pool: Pool<DB>) -> Self {
        Self::with_table(pool, TableName::default())
    }

    /// The store in another table.
    pub fn with_table(pool: Pool<DB>, table: TableName) -> Self {
        let statements = Arc::new(Statements::of::<DB>(&table));
        Self { pool, table: Arc::new(table), statements, closings: Arc::default() }
    }

    /// The table that it keeps its records in.
    pub fn table(&self) -> &TableName {
        &self.table
    }

    /// The statements that create a table and its index, unless they exist: for your own migrations.
    pub fn ddl(table: &TableName) -> String {
        DB::ddl(table)
    }

    /// Creates the table and its index, unless they exist. Any number of servers may do it at once.
    ///
    /// The database role needs the right to create tables, also if the table exists. A table of that name with other
    /// columns is left as it is, and the first verb fails.
    ///
    /// # Errors
    ///
    /// When the table could not be created.
    pub async fn create_table(&self) -> Result<(), StoreError> {
        let ddl = safe(DB::ddl(&self.table));
        self.persist(DB::ddl_fault, |_| async {
            let mut connection = self.lease().await?;
            let done = DB::execute_ddl(&mut connection, ddl.clone()).await;
            connection.end();
            Ok(done?)
        })
        .await
    }

    /// Deletes what expired more than a minute ago, and says how many rows that were.
    ///
    /// Call it now and then, once a minute say, from one server or from all: none deletes what another is at. It goes
    /// by this server's clock, and the minute covers the difference between your servers' clocks. Rows are deleted
    /// in batches of at most 500, each a transaction of its own, until none is left; if the call is dropped, the
    /// batches that are done stay done.
    ///
    /// # Errors
    ///
    /// When a batch could not be deleted.
    pub async fn delete_expired(&self) -> Result<u64, StoreError> {
        let before =
            i64::try_from(Timestamp::now().as_epoch_millis()).unwrap_or(i64::MAX).saturating_sub(MARGIN_MILLIS);
        let mut deleted = 0;
        loop {
            let values = [Value::Number(before), Value::Number(BATCH.into())];
            let batch = self.persist(DB::fault, |_| self.execute(&self.statements.delete_expired, &values)).await?;
            deleted += batch;
            if batch < BATCH.into() {
                return Ok(deleted);
            }
        }
    }

    /// A connection for one attempt.
    async fn lease(&self) -> Result<Lease<'_, DB>, sqlx::Error> {
        Lease::of(&self.pool, &self.closings).await
    }

    /// Sends, and says whether it may have been done already, until it is done, or the fault is a lasting one, or it was sent often enough.
    ///
    /// At once: whoever lost to another finds them done, and a broken connection is not taken from the pool again. A
    /// pause would need a runtime, and the policy's time-out bounds the call.
    async fn persist<T, F>(
        &self,
        fault_of_database: fn(&sqlx::Error) -> Fault,
        send: impl Fn(bool) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        // So many are open by now, and each may turn out to be closed over there.
        let mut connections = self.pool.size();
        let (mut attempts, mut again) = (ATTEMPTS, false);
        loop {
            let failure = match send(again).await {
                Ok(done) => return Ok(done),
                Err(failure) => failure,
            };
            let fault = failure.fault(fault_of_database);
            match fault {
                Fault::Broken if connections > 0 => connections -= 1,
                Fault::Broken | Fault::Passing if attempts > 1 => attempts -= 1,
                _ => return Err(failure.into_store_error(fault)),
            }
            again |= fault == Fault::Broken;
        }
    }

    async fn execute(&self, sql: &SqlStr, values: &[Value<'_>]) -> Result<u64, Failure> {
        let mut connection = self.lease().await?;
        let affected = DB::execute(&mut connection, sql, values).await;
        connection.end();
        affected
    }
}

#[async_trait]
impl<DB: Dialect> ChallengeStore for SqlxStore<DB> {
    async fn insert(&self, code: &CodeDigest, binding: &Binding) -> Result<Inserted, StoreError> {
        self.persist(DB::fault, |again| async move {
            let values = [
                Value::Octets(Some(code.as_bytes())),
                Value::Text(binding.method_str()),
                Value::Octets(binding.proof().map(|proof| proof.as_bytes().as_slice())),
                Value::Octets(binding.grant().map(|grant| &**grant)),
                Value::Number(millis(binding.issued_at())?),
                Value::Number(millis(binding.expires_at())?),
            ];
            let mut connection = self.lease().await?;
            let inserted = DB::insert(&mut connection, &self.statements, &values, again).await;
            connection.end();
            inserted
        })
        .await
    }

    async fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Result<Redemption, StoreError> {
        self.persist(DB::fault, |_| async {
            let mut connection = self.lease().await?;
            let found = DB::redeem(&mut connection, &self.statements, code, attempt).await;
            connection.end();
            match found? {
                None => Ok(Redemption::Unknown),
                Some(columns) => columns.answer(attempt)?.ok_or(Failure::Contended),
            }
        })
        .await
    }

    async fn restore(&self, code: &CodeDigest, ticket: Ticket) -> Result<(), StoreError> {
        let values = [Value::Octets(Some(code.as_bytes())), Value::Octets(Some(ticket.as_bytes()))];
        self.persist(DB::fault, |_| async { self.execute(&self.statements.restore, &values).await.map(drop) }).await
    }
}

impl<DB: Database> Clone for SqlxStore<DB> {
    fn clone(&self) -> Self {
        Self {
            pool: self.pool.clone(),
            table: Arc::clone(&self.table),
            statements: Arc::clone(&self.statements),
            closings: Arc::clone(&self.closings),
        }
    }
}

/// Shows the table and how many connections the pool has, and nothing of where they lead.
impl<DB: Database> fmt::Debug for SqlxStore<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlxStore")
            .field("database", &DB::NAME)
            .field("table", &self.table.to_string())
            .field("connections", &self.pool.size())
            .finish_non_exhaustive()
    }
}
