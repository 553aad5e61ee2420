//! What the playground plays on the axum example it plays on the Actix example too.

use pkce_tests::{Result, Server, on_both_servers};
use playground::Row;

on_both_servers! {
    honest_clients_are_served,
    every_attack_is_refused,
}

async fn honest_clients_are_served(server: &Server) -> Result<()> {
    all_right(&::playground::honest_clients(server.wire).await?, 3);
    Ok(())
}

async fn every_attack_is_refused(server: &Server) -> Result<()> {
    all_right(&::playground::attacks(server.wire).await?, 30);
    Ok(())
}

fn all_right(rows: &[Row], at_least: usize) {
    assert!(rows.len() >= at_least, "only {} rows", rows.len());
    let wrong: Vec<String> = rows.iter().filter(|row| !row.is_right()).map(ToString::to_string).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
