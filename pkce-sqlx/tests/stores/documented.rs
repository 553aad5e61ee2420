//! What the crate's documentation says of rights and of reading the table.

use pkce_core::store::{Inserted, Redemption};

use crate::database::{Database, hex, on_every_database, on_every_server};
use crate::sample;

on_every_database! {
    the_table_can_be_read_as_documented
}

mod rights {
    use super::*;

    on_every_server! {
        the_documented_rights_are_enough
    }
}

async fn the_table_can_be_read_as_documented(database: Database) {
    let (store, code) = (database.store().await, sample::code());
    assert_eq!(store.insert(&code, &sample::binding()).await.unwrap(), Inserted::Recorded);
    assert!(matches!(store.redeem(&code, &sample::right()).await.unwrap(), Redemption::First(_)));

    let documentation = include_str!("../../src/lib.rs").replace("//!", "");
    let nth = ["PostgreSQL", "MariaDB", "SQLite"].iter().position(|name| *name == database.name).unwrap();
    let select = documentation.split("```sql").nth(nth + 1).unwrap().split("```").next().unwrap();
    let select = select.replace("pkce_codes", &database.table.to_string());
    // The proof is 32 times 7.
    let challenge = match database.name {
        "SQLite" => "07".repeat(32),
        _ => "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc".to_owned(),
    };
    let hex = hex(code.as_bytes());
    let just_now = match database.name {
        "PostgreSQL" => "redeemed_at > now() - interval '1 minute' AND expires_at > now()",
        "MariaDB" => "redeemed_at > NOW() - INTERVAL 1 MINUTE AND expires_at > NOW()",
        _ => "redeemed_at > datetime('now', '-1 minute') AND expires_at > datetime('now')",
    };
    let shown = format!(
        "SELECT COUNT(*) FROM ({select}) AS shown WHERE code_digest = '{hex}' AND code_challenge_method = 'S256'
         AND code_challenge = '{challenge}' AND grant_bytes = 7 AND LENGTH(ticket) = 32 AND {just_now}"
    );
    assert_eq!(database.pool_of(1).await.number(&shown).await, 1, "{shown}");
}

async fn the_documented_rights_are_enough(mut database: Database) {
    // In a schema of its own: in MariaDB's schema `test` everybody may do everything.
    let schema = database.another_schema().await;
    let table = format!("{schema}.codes");
    database.table = table.parse().unwrap();
    let (clerk, pool) = (format!("clerk_of_{schema}"), database.pool_of(1).await);
    database.store().await;
    let rights = format!("GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {clerk}");
    pool.send(&if database.name == "PostgreSQL" {
        format!("CREATE ROLE {clerk} LOGIN; GRANT USAGE ON SCHEMA {schema} TO {clerk}; {rights}")
    } else {
        format!("CREATE USER {clerk}; {rights}")
    })
    .await;
    let (before, after) = database.address.split_once('@').unwrap();
    let (protocol, _) = before.split_once("://").unwrap();
    database.address = format!("{protocol}://{clerk}@{after}");

    let (store, code, attempt) = (database.pool().await.store(&database.table), sample::code(), sample::right());
    assert_eq!(store.insert(&sample::code(), &sample::expired(100)).await.unwrap(), Inserted::Recorded);
    assert_eq!(store.insert(&code, &sample::binding()).await.unwrap(), Inserted::Recorded);
    assert!(matches!(store.redeem(&code, &attempt).await.unwrap(), Redemption::First(_)));
    store.restore(&code, attempt.ticket()).await.unwrap();
    assert!(matches!(store.redeem(&code, &sample::right()).await.unwrap(), Redemption::First(_)));
    assert_eq!(store.delete_expired().await.unwrap(), 1);
    store.create_table().await.unwrap();
    store.check_table().await.unwrap();
    assert!(database.pool_of(1).await.try_send(&format!("DROP TABLE {table}")).await.is_err());
}
