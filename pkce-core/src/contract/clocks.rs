//! Servers' clocks differ by up to five seconds, and a code may be old when it is bound: its end alone says when it is
//! over.

use std::time::Duration;

use super::bound::Bound;
use super::case::{Case, Step};
use super::expect;
use super::probe::Probe;
use super::sample::{self, Draft};
use crate::store::{Inserted, MAX_LIFETIME};

pub(super) const CASES: &[Case] = &[
    Case::new("clocks", "a code issued by a clock that is four seconds ahead is live", |probe| Box::pin(ahead(probe))),
    Case::new("clocks", "a code issued nine minutes ago is live until its end", |probe| Box::pin(old(probe))),
];

/// How far the server that binds is ahead: less than the five seconds that the core bears with.
const AHEAD: Duration = Duration::from_secs(4);
/// How long ago an old code was issued.
const AGO: Duration = Duration::from_secs(9 * 60);

async fn ahead(probe: Probe) -> Step {
    for lifetime in [Draft::fresh()?.lifetime, MAX_LIFETIME] {
        let issued_at = sample::odd(sample::now().saturating_add(AHEAD));
        lives(&probe, "issued four seconds ahead", Draft { issued_at, lifetime, ..Draft::fresh()? }).await?;
    }
    Ok(())
}

async fn old(probe: Probe) -> Step {
    let ago = u64::try_from(AGO.as_millis()).unwrap_or(u64::MAX);
    let issued_at = sample::odd(sample::earlier(sample::now(), ago));
    lives(&probe, "issued nine minutes ago", Draft { issued_at, lifetime: MAX_LIFETIME, ..Draft::fresh()? }).await
}

/// That all of a life goes as it should, to a server whose clock is right.
async fn lives(probe: &Probe, what: &str, draft: Draft) -> Step {
    let bound = Bound::new(probe, draft.binding()?).await?;
    bound.refused(&format!("a wrong proof for a code {what}"), &sample::wrong()?).await?;
    let winner = bound.live(&format!("the right proof for a code {what}")).await?;
    bound.held_by(&format!("a replay of a code {what}"), &winner).await?;
    let rival = Draft::fresh()?.binding()?;
    let inserted = bound.insert(&rival).await?;
    expect::same(&format!("insert over a code {what}"), &Inserted::Occupied, &inserted)?;
    bound.restore(winner.ticket()).await?;
    bound.live(&format!("the right proof after a restore of a code {what}")).await.map(drop)
}
