//! Nothing that is secret is shown.

use std::error::Error as _;

use pkce_core::store::{ChallengeStore as _, Inserted, Redemption};
use pkce_sqlx::{PgStore, SqliteStore};
use pkce_test_servers::MariaDb;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::SqlitePoolOptions;

use crate::database::Database;
use crate::sample;

#[tokio::test]
async fn debug_shows_the_table_and_nothing_of_the_address() {
    let pool = PgPoolOptions::new().connect_lazy("postgres://alice:hunter2@db.example/auth").unwrap();
    let shown = format!("{:?}", PgStore::new(pool));
    assert_eq!(shown, r#"SqlxStore { database: "PostgreSQL", table: "pkce_codes", connections: 0, .. }"#);
    let pool = SqlitePoolOptions::new().connect_lazy("sqlite:///var/lib/auth/codes.db").unwrap();
    let shown = format!("{:?}", SqliteStore::with_table(pool, "auth.codes".parse().unwrap()));
    assert_eq!(shown, r#"SqlxStore { database: "SQLite", table: "auth.codes", connections: 0, .. }"#);
}

/// PostgreSQL quotes the row in the details of such an error, and sqlx shows them in its `Debug`.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_quotes_no_value() {
    let Some(database) = Database::postgres() else { return };
    let (store, pool) = (database.store().await, database.pool_of(1).await);
    pool.send(&format!("ALTER TABLE {} ADD CHECK (grant_record IS NULL)", database.table)).await;
    let code = sample::code();
    let error = store.insert(&code, &sample::binding_with(b"alice".to_vec())).await.unwrap_err();
    assert_eq!(
        format!("{error:?}"),
        r#"StoreError { kind: Unavailable, source: Some(Report("the database rejected a value: 23514")) }"#
    );
}

/// As a careless migration may have made the table: MariaDB quotes what is no text, and MySQL does so
/// under the code that it has for everything.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_quotes_no_value_of_a_column_of_another_type() {
    let Some(database) = Database::mariadb() else { return };
    let (store, pool) = (database.store().await, database.pool_of(1).await);
    pool.send(&format!("ALTER TABLE {} MODIFY grant_record VARCHAR(255) CHARACTER SET utf8mb4", database.table)).await;
    let binding = sample::binding_with(b"alice \xff".to_vec());
    let error = store.insert(&sample::code(), &binding).await.unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "the database rejected a value: 22007 (1366)");
}

/// What a trigger of the host's says may be about anybody.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_quotes_no_trigger() {
    for database in [Database::postgres(), Database::sqlite()].into_iter().flatten() {
        let (store, pool) = (database.store().await, database.pool_of(1).await);
        let table = &database.table;
        pool.send(&if database.name == "PostgreSQL" {
            format!(
                "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'alice'; END $$;
                 CREATE TRIGGER tell BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION tell()"
            )
        } else {
            format!("CREATE TRIGGER tell BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'alice'); END")
        })
        .await;
        let error = store.insert(&sample::code(), &sample::binding()).await.unwrap_err();
        assert!(!format!("{error:?}").contains("alice"), "{error:?}");
    }
}

/// Where statements are replicated as they are, the server warns of `@@autocommit` in its error log, and quotes all of it. In
/// the formats that the documentation asks for it does not.
#[tokio::test(flavor = "multi_thread")]
async fn the_error_log_of_mariadb_quotes_no_value_unless_statements_are_replicated_as_they_are() {
    let Some(server) = MariaDb::start_with(&["--log-bin=binary", "--server-id=1", "--log-warnings=2"]) else { return };
    let database = Database::at("MariaDB", server.url());
    for (format, quotes) in [("MIXED", false), ("ROW", false), ("STATEMENT", true)] {
        database.pool_of(1).await.send(&format!("SET GLOBAL binlog_format = '{format}'")).await;
        // Its connections are new ones, and have that format.
        let (store, code, attempt) = (database.store().await, sample::code(), sample::right());
        let binding = sample::binding_with(b"alice".to_vec());
        assert_eq!(store.insert(&code, &binding).await.unwrap(), Inserted::Recorded);
        assert_eq!(store.redeem(&code, &attempt).await.unwrap(), Redemption::First(binding));
        store.restore(&code, attempt.ticket()).await.unwrap();
        store.delete_expired().await.unwrap();
        assert_eq!(server.log().contains("alice"), quotes, "{format}: {}", server.log());
    }
}

/// Such words may come under any code.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_quotes_no_trigger_whatever_code_it_gives() {
    let codes = ["08000", "28000", "3D000", "40001", "42501", "54000", "55000", "57014", "58000"];
    for database in [Database::postgres(), Database::mariadb()].into_iter().flatten() {
        let (store, pool) = (database.store().await, database.pool_of(1).await);
        let table = &database.table;
        for code in codes {
            pool.send(&if database.name == "PostgreSQL" {
                format!(
                    "CREATE OR REPLACE FUNCTION {table}() RETURNS trigger LANGUAGE plpgsql AS
                     $$ BEGIN RAISE 'alice' USING ERRCODE = '{code}'; END $$;
                     CREATE OR REPLACE TRIGGER tell BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {table}()"
                )
            } else {
                format!(
                    "CREATE OR REPLACE TRIGGER tell BEFORE INSERT ON {table} FOR EACH ROW
                     SIGNAL SQLSTATE '{code}' SET MESSAGE_TEXT = 'alice'"
                )
            })
            .await;
            let error = store.insert(&sample::code(), &sample::binding()).await.unwrap_err();
            assert!(!format!("{error:?}").contains("alice"), "{error:?}");
            assert!(error.source().unwrap().to_string().contains(code), "{error:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_shows_no_password() {
    let Some(database) = Database::postgres() else { return };
    let address = database.address.replace("pkce@", "pkce:hunter2@").replace("/postgres?", "/elsewhere?");
    let pool = PgPoolOptions::new().connect_lazy(&address).unwrap();
    let error = PgStore::new(pool).redeem(&sample::code(), &sample::right()).await.unwrap_err();
    assert_eq!(
        error.source().unwrap().to_string(),
        r#"the database reported 3D000: database "elsewhere" does not exist"#
    );
    assert!(!format!("{error:?}").contains("hunter2"));
}
