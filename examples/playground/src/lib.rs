//! The honest flows and the attacks, against a server that runs: what the playground plays and the tests drive; and a
//! page on which to play them.

mod attacks;
mod honest;
mod page;
mod table;
mod user;
mod wire;

pub use attacks::{Attack, GROUPS, Group};
pub use honest::exchange;
pub use page::serve;
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
/// When an honest step of an attack fails.
pub async fn attacks(wire: Wire) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for attack in GROUPS.iter().flat_map(|group| group.attacks) {
        rows.push(attack.play(wire).await?);
    }
    Ok(rows)
}
