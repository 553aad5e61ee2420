//! The honest flows and the attacks, against a server that runs: what the playground plays and the tests drive; and a
//! page on which to play them.

mod attacks;
mod honest;
mod page;
mod same_address;
mod table;
mod user;
mod wire;

pub use attacks::{Attack, GROUPS, Group, LIMITS};
pub use honest::exchange;
pub use page::serve;
pub use same_address::app;
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

/// Plays every attack that PKCE refuses.
///
/// # Errors
///
/// When an honest step of an attack fails.
pub async fn attacks(wire: Wire) -> Result<Vec<Row>> {
    play(&GROUPS, wire).await
}

/// Plays what PKCE lets pass, by PKCE alone and with the defence that stops it. The server has the routes of [`app`] too.
///
/// # Errors
///
/// When an honest step fails.
pub async fn limits(wire: Wire) -> Result<Vec<Row>> {
    Ok(play(std::slice::from_ref(&LIMITS), wire).await?.into_iter().map(Row::of_limit).collect())
}

async fn play(groups: &[Group], wire: Wire) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for attack in groups.iter().flat_map(|group| group.attacks) {
        rows.push(attack.play(wire).await?);
    }
    Ok(rows)
}
