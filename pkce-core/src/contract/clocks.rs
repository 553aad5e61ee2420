//! The clocks of two servers differ by up to five seconds, and a code may be old when it is bound: only its end says
//! when it is over.

use std::time::Duration;

use super::bound::Bound;
use super::case::{Case, Step};
use super::probe::Probe;
use super::sample::{self, Draft};
use crate::store::{Attempt, MAX_LIFETIME};

pub(super) const CASES: &[Case] = &[
    Case::new("clocks", "a code issued by a clock that is 4.9 seconds ahead is live", |probe| Box::pin(ahead(probe))),
    Case::new("clocks", "a code issued nine minutes ago is live until its end", |probe| Box::pin(old(probe))),
    Case::new("clocks", "an attempt 4.9 seconds before the issue redeems the code", |probe| Box::pin(behind(probe))),
    Case::new("clocks", "an attempt one millisecond before the end redeems the code", |probe| Box::pin(last(probe))),
    Case::new("clocks", "a replay is one at any time before the end", |probe| Box::pin(replays(probe))),
];

/// How far two clocks are apart: less than the five seconds that the core tolerates.
const APART: Duration = Duration::from_millis(4_900);
/// How long ago an old code was issued.
const AGO: Duration = Duration::from_secs(9 * 60);

async fn ahead(probe: Probe) -> Step {
    for lifetime in [Draft::fresh()?.lifetime, MAX_LIFETIME] {
        let issued_at = sample::odd(sample::now().saturating_add(APART));
        lives(&probe, "issued 4.9 seconds ahead", Draft { issued_at, lifetime, ..Draft::fresh()? }).await?;
    }
    Ok(())
}

async fn old(probe: Probe) -> Step {
    let issued_at = sample::odd(sample::earlier(sample::now(), millis(AGO)));
    lives(&probe, "issued nine minutes ago", Draft { issued_at, lifetime: MAX_LIFETIME, ..Draft::fresh()? }).await
}

/// Expects that all of a life goes as it should, by a clock that is right.
async fn lives(probe: &Probe, what: &str, draft: Draft) -> Step {
    let bound = Bound::new(probe, draft.binding()?).await?;
    bound.refused(&format!("a wrong proof for a code {what}"), &sample::wrong()?).await?;
    let winner = bound.live(&format!("the right proof for a code {what}")).await?;
    bound.held_by(&format!("a replay of a code {what}"), &winner).await?;
    bound.occupied(&format!("insert over a code {what}"), &Draft::fresh()?.binding()?).await?;
    bound.restore(winner.ticket()).await?;
    bound.live(&format!("the right proof after a restore of a code {what}")).await.map(drop)
}

async fn behind(probe: Probe) -> Step {
    for draft in drafts()? {
        let bound = Bound::new(&probe, draft.binding()?).await?;
        let at = sample::earlier(bound.binding.issued_at(), millis(APART));
        redeems(&bound, "4.9 seconds before the issue", &bound.right_at(at)?).await?;
    }
    Ok(())
}

async fn last(probe: Probe) -> Step {
    for draft in drafts()? {
        let bound = Bound::new(&probe, draft.binding()?).await?;
        let at = sample::earlier(bound.binding.expires_at(), 1);
        redeems(&bound, "one millisecond before the end", &bound.right_at(at)?).await?;
    }
    Ok(())
}

/// A short and a long life, with a challenge and without.
fn drafts() -> Step<[Draft; 3]> {
    let long = Draft { lifetime: MAX_LIFETIME, ..Draft::fresh()? };
    Ok([Draft::fresh()?, Draft::without_challenge()?, long])
}

/// Expects that an attempt at an odd time is the same as any other, and that its time is kept.
async fn redeems(bound: &Bound, when: &str, attempt: &Attempt) -> Step {
    let wrong = Attempt::new(Some(sample::proof()?), sample::ticket()?, attempt.at());
    bound.refused(&format!("a wrong proof, {when}"), &wrong).await?;
    bound.first(&format!("the right proof, {when}"), attempt).await?;
    bound.first(&format!("the right proof, {when}, sent again"), attempt).await?;
    bound.held_by(&format!("a replay of a code redeemed {when}"), attempt).await?;
    bound.restore(attempt.ticket()).await?;
    bound.live(&format!("the right proof after a restore of a code redeemed {when}")).await.map(drop)
}

/// The replay's own time says nothing: it may be made by a clock that is behind or ahead of the winner's.
async fn replays(probe: Probe) -> Step {
    for draft in drafts()? {
        let bound = Bound::new(&probe, draft.binding()?).await?;
        let winner = bound.live("the right proof").await?;
        let (at, end) = (winner.at(), bound.binding.expires_at());
        let later = |millis| at.saturating_add(Duration::from_millis(millis)).min(sample::earlier(end, 1));
        for (when, at) in [
            ("four seconds before the winner", sample::earlier(at, 4_000)),
            ("one millisecond before the winner", sample::earlier(at, 1)),
            ("at the winner's time", at),
            ("one millisecond after the winner", later(1)),
            ("two seconds after the winner", later(2_000)),
            ("ten seconds after the winner", later(10_000)),
            ("half a minute after the winner", later(30_000)),
            ("a minute after the winner", later(60_000)),
            ("five minutes after the winner", later(300_000)),
            ("one millisecond before the end", sample::earlier(end, 1)),
        ] {
            bound.again(&format!("a replay {when}"), &bound.right_at(at)?, &winner).await?;
            let wrong = Attempt::new(Some(sample::proof()?), sample::ticket()?, at);
            bound.again(&format!("a replay with a wrong proof {when}"), &wrong, &winner).await?;
        }
        bound.first("the winner sent again", &winner).await?;
        bound.held_by("a replay after all the others", &winner).await?;
    }
    Ok(())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
