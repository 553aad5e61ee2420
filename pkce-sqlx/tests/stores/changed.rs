//! A table that was changed: under running servers, or before they start.

use std::error::Error as _;

use pkce_core::store::{Inserted, Redemption, StoreErrorKind};

use crate::database::{Database, on_every_database};
use crate::pool::{Pool, Store};
use crate::sample;

on_every_database! {
    a_table_that_is_changed_under_running_servers_costs_no_call
    a_check_finds_nothing_in_the_table_that_was_created
    a_check_names_the_table_that_is_not_there
    a_check_names_each_column_that_differs
    a_table_that_differs_is_not_taken_for_created
    an_index_that_is_missing_is_found
}

/// Several connections have every statement prepared for the table as it was.
async fn a_table_that_is_changed_under_running_servers_costs_no_call(database: Database) {
    let (pool, other) = (database.pool_of(4).await, database.pool_of(1).await);
    let store = pool.store(&database.table);
    store.create_table().await.unwrap();
    let table = &database.table;
    let alter = |what: &str| format!("ALTER TABLE {table} {what}");
    let changes = match database.name {
        "PostgreSQL" => [
            alter("ALTER code_challenge_method TYPE VARCHAR(5)"),
            alter("ADD note TEXT"),
            alter("ALTER code_challenge_method TYPE TEXT"),
        ],
        "MariaDB" => [
            alter("MODIFY code_challenge_method VARCHAR(50) CHARACTER SET utf8mb4 NOT NULL"),
            alter("ADD note TEXT"),
            alter("MODIFY proof LONGBLOB"),
        ],
        _ => [alter("ADD note TEXT"), alter("RENAME note TO remark"), alter("DROP remark")],
    };
    for change in changes {
        let codes = [(); 8].map(|()| sample::code());
        for code in &codes {
            assert_eq!(store.insert(code, &sample::binding()).await.unwrap(), Inserted::Recorded);
        }
        each_connection_prepares(&pool, &*store).await;
        other.send(&change).await;
        for code in &codes {
            let found = store.redeem(code, &sample::right()).await;
            assert!(matches!(found, Ok(Redemption::First(_))), "{change}: {found:?}");
        }
    }
}

/// Redeems on all four connections at once.
async fn each_connection_prepares(pool: &Pool, store: &dyn Store) {
    pool.open(4).await;
    for _ in 0..5 {
        let (code, attempt) = (sample::code(), sample::wrong());
        let found = futures_util::future::join_all((0..4).map(|_| store.redeem(&code, &attempt))).await;
        assert!(found.into_iter().all(|found| found.unwrap() == Redemption::Unknown));
    }
}

async fn a_check_finds_nothing_in_the_table_that_was_created(mut database: Database) {
    let schema = database.another_schema().await;
    for name in ["order".to_owned(), format!("{schema}.Codes"), format!("{schema}.codes_of_a_schema")] {
        database.table = name.parse().unwrap();
        let store = database.store().await;
        store.check_table().await.unwrap();
        // Once more, now that it is there; and with a column of the host's own.
        store.create_table().await.unwrap();
        let quoted = match database.name {
            "MariaDB" => format!("`{}`", name.replace('.', "`.`")),
            _ => format!("\"{}\"", name.replace('.', "\".\"")),
        };
        database.pool_of(1).await.send(&format!("ALTER TABLE {quoted} ADD note TEXT")).await;
        store.check_table().await.unwrap();
    }
}

async fn a_check_names_the_table_that_is_not_there(database: Database) {
    let store = database.pool().await.store(&database.table);
    let error = store.check_table().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let expected = format!("there is no table {} that this database role can see", database.table);
    assert_eq!(error.source().unwrap().to_string(), expected);
}

/// As an older version, a slip or another program may have left it.
const CARELESS: &str = "CREATE TABLE TABLE (code_digest BYTES, code_challenge_method TEXT, proof BYTES NOT NULL,
    grant_record TEXT, issued_at INTEGER, expires_at BIGINT, ticket BYTES, client_id BIGINT NOT NULL)";

async fn careless(database: &Database) {
    let (bytes, bigint) = match database.name {
        "PostgreSQL" => ("BYTEA", "BIGINT"),
        "MariaDB" => ("VARBINARY(16)", "BIGINT"),
        _ => ("BLOB", "INTEGER"),
    };
    let table = database.table.to_string();
    let create = CARELESS.replace("TABLE (", &format!("{table} (")).replace("BYTES", bytes).replace("BIGINT", bigint);
    database.pool_of(1).await.send(&create).await;
}

async fn a_check_names_each_column_that_differs(database: Database) {
    careless(&database).await;
    let error = database.pool().await.store(&database.table).check_table().await.unwrap_err();
    let differences = match database.name {
        "PostgreSQL" => {
            "the column proof cannot be NULL; the column grant_record is text, not bytea; \
            the column issued_at is integer, not bigint; the column redeemed_at is missing; \
            the column client_id needs a value that the store does not write; code_digest is not the primary key; \
            there is no index on expires_at"
        }
        "MariaDB" => {
            "the column code_digest is varbinary(16), not varbinary(32); \
            the column code_challenge_method is text, not varchar(5); \
            the column proof is varbinary(16), not varbinary(32); the column grant_record is text, not longblob; \
            the column issued_at is int(11), not bigint; the column redeemed_at is missing; \
            the column client_id needs a value that the store does not write; code_digest is not the primary key; \
            there is no index on expires_at"
        }
        _ => {
            "the column proof cannot be NULL; the column grant_record is text, not blob; \
            the column redeemed_at is missing; the column client_id needs a value that the store does not write; \
            code_digest is not the primary key; there is no index on expires_at"
        }
    };
    let expected = format!("the table {} is not as expected: {differences}", database.table);
    assert_eq!(error.source().unwrap().to_string(), expected);
}

async fn a_table_that_differs_is_not_taken_for_created(database: Database) {
    careless(&database).await;
    let error = database.pool().await.store(&database.table).create_table().await.unwrap_err();
    let source = error.source().unwrap().to_string();
    assert!(source.contains("the column redeemed_at is missing"), "{source}");
}

async fn an_index_that_is_missing_is_found(database: Database) {
    let (store, pool) = (database.store().await, database.pool_of(1).await);
    let index = format!("{}_expires_at", database.table);
    let drop = if database.name == "MariaDB" {
        format!("DROP INDEX {index} ON {}", database.table)
    } else {
        format!("DROP INDEX {index}")
    };
    pool.send(&drop).await;
    let error = store.check_table().await.unwrap_err();
    assert!(error.source().unwrap().to_string().ends_with("is not as expected: there is no index on expires_at"));
}

/// A row that is visible and cannot be changed looks like one that others change all the time.
#[tokio::test(flavor = "multi_thread")]
async fn row_level_security_without_a_policy_for_update_is_named() {
    let Some(mut database) = Database::postgres() else { return };
    let (store, pool, code) = (database.store().await, database.pool_of(1).await, sample::code());
    assert_eq!(store.insert(&code, &sample::binding()).await.unwrap(), Inserted::Recorded);
    let table = &database.table;
    pool.send(&format!(
        "CREATE ROLE guarded LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO guarded;
         ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; CREATE POLICY reads ON {table} FOR SELECT USING (true);
         CREATE POLICY inserts ON {table} FOR INSERT WITH CHECK (true)"
    ))
    .await;
    database.address = database.address.replace("pkce@", "guarded@");
    let guarded = database.pool_of(1).await.store(&database.table);
    let error = guarded.redeem(&code, &sample::right()).await.unwrap_err();
    let expected = "row level security hides the code from UPDATE: look at the table's policies";
    assert_eq!(error.source().unwrap().to_string(), expected);
    let error = guarded.check_table().await.unwrap_err();
    let expected = "is not as expected: row level security has no policy for UPDATE, DELETE";
    assert!(error.source().unwrap().to_string().ends_with(expected), "{error:?}");

    pool.send(&format!("CREATE POLICY writes ON {} USING (true)", database.table)).await;
    guarded.check_table().await.unwrap();
    assert!(matches!(guarded.redeem(&code, &sample::right()).await.unwrap(), Redemption::First(_)));
}

/// Another engine commits nothing in one step.
#[tokio::test(flavor = "multi_thread")]
async fn a_check_names_an_engine_without_transactions() {
    let Some(database) = Database::mariadb() else { return };
    let (store, pool) = (database.store().await, database.pool_of(1).await);
    pool.send(&format!("ALTER TABLE {} ENGINE = MyISAM", database.table)).await;
    let error = store.check_table().await.unwrap_err();
    assert!(error.source().unwrap().to_string().ends_with("is not as expected: its engine is MyISAM, not InnoDB"));
}
