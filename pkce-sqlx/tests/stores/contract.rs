//! The contract of `pkce-core`, through the pools of two servers.

use pkce_core::contract::Contract;

use crate::database::{Database, on_every_database};

on_every_database! {
    it_keeps_the_contract
}

/// SQLite has one level alone.
mod isolation {
    use super::it_keeps_the_contract_at_other_levels_of_isolation;

    crate::database::on_every_server! {
        it_keeps_the_contract_at_other_levels_of_isolation
    }
}

async fn it_keeps_the_contract(database: Database) {
    let (one, other) = (database.store().await, database.pool().await.store(&database.table));
    let report = Contract::new(one).also_through(other).live_codes(10_000).check().await;
    println!("{}\n{report}", database.name);
    report.assert_passed();
}

async fn it_keeps_the_contract_at_other_levels_of_isolation(mut database: Database) {
    for (postgres, mariadb) in [
        (
            "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ",
            "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        ),
        (
            "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE",
            "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        ),
    ] {
        database.on_connect = Some(if database.name == "PostgreSQL" { postgres } else { mariadb });
        let (one, other) = (database.store().await, database.pool().await.store(&database.table));
        let report = Contract::new(one).also_through(other).large_grant(1024 * 1024).without_real_time().check().await;
        println!("{}, {postgres} or {mariadb}\n{report}", database.name);
        report.assert_passed();
    }
}
