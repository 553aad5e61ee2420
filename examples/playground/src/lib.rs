//! The honest flows and the attacks, against a server that runs: what the playground plays and the tests drive.

mod attacks;
mod honest;
mod table;
mod user;
mod wire;

pub use honest::exchange;
pub use table::Row;
pub use user::{CALLBACK, CLIENT, Flow, Result, S256, authorize, challenge, form, sign_in};
pub use wire::{FORM, JSON, Said, Wire};

/// Plays the honest flows, with the `oauth2` crate as the client.
///
/// # Errors
///
/// When the server does not answer as an authorization server would.
pub async fn honest_clients(wire: Wire) -> Result<Vec<Row>> {
    honest::play(wire).await
}

/// Plays every attack.
///
/// # Errors
///
/// When an honest step between the attacks fails.
pub async fn attacks(wire: Wire) -> Result<Vec<Row>> {
    attacks::play(wire).await
}
