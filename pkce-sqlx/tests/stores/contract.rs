//! The contract of `pkce-core`, through the pools of two servers.

use pkce_core::contract::Contract;

use crate::database::{Database, on_every_database};

on_every_database! {
    it_keeps_the_contract
}

/// SQLite's transactions always are.
mod serializable {
    use super::it_keeps_the_contract_where_every_transaction_is_serializable;

    crate::database::on_every_server! {
        it_keeps_the_contract_where_every_transaction_is_serializable
    }
}

async fn it_keeps_the_contract(database: Database) {
    let (one, other) = (database.store().await, database.pool().await.store(&database.table));
    let report = Contract::new(one).also_through(other).live_codes(10_000).large_grant(64 * 1024).check().await;
    println!("{}\n{report}", database.name);
    report.assert_passed();
}

async fn it_keeps_the_contract_where_every_transaction_is_serializable(mut database: Database) {
    if database.name == "PostgreSQL" {
        database.address += "&options[default_transaction_isolation]=serializable";
    } else {
        database.on_connect = Some("SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE");
    }
    let (one, other) = (database.store().await, database.pool().await.store(&database.table));
    let report = Contract::new(one).also_through(other).large_grant(1024 * 1024).without_real_time().check().await;
    println!("{}\n{report}", database.name);
    report.assert_passed();
}
