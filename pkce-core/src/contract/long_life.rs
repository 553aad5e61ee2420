//! Codes with a long life: prepared before all other cases, and looked at when those are over.

use std::pin::Pin;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::bound::Bound;
use super::case::guarded;
use super::probe::Probe;
use super::report::{Finding, Outcome, Step};
use super::sample::{self, Draft};
use crate::store::{Attempt, MAX_LIFETIME, Ticket};

/// The steps for one code: at first, and at the end of the suite with the attempt that the first ones made.
struct LongLife {
    name: &'static str,
    begin: fn(Bound) -> Steps<Option<Attempt>>,
    end: fn(Bound, Option<Attempt>) -> Steps<()>,
}

type Steps<T> = Pin<Box<dyn Future<Output = Step<T>> + Send>>;

/// A code, with the attempt that the first steps made.
type Begun = (Bound, Option<Attempt>);

const CASES: [LongLife; 4] = [
    LongLife {
        name: "a code with a long life is still there at the end of the suite",
        begin: |bound| Box::pin(refuse(bound)),
        end: |bound, _| Box::pin(still_live(bound)),
    },
    LongLife {
        name: "a redeemed code with a long life is still there at the end of the suite",
        begin: |bound| Box::pin(redeem(bound)),
        end: |bound, winner| Box::pin(still_redeemed(bound, winner)),
    },
    LongLife {
        name: "a burned code with a long life is still there at the end of the suite",
        begin: |bound| Box::pin(burn(bound)),
        end: |bound, winner| Box::pin(still_redeemed(bound, winner)),
    },
    LongLife {
        name: "a restored code with a long life is still there at the end of the suite",
        begin: |bound| Box::pin(restore(bound)),
        end: |bound, _| Box::pin(still_live(bound)),
    },
];

/// The longest life, and some that are two seconds if only a byte of their seconds is kept, or 16 bits of their
/// milliseconds.
const LIVES: [Duration; 4] =
    [MAX_LIFETIME, Duration::from_secs(256 + 2), Duration::from_secs(512 + 2), Duration::from_millis(65_536 + 2_000)];

/// What was prepared, and when.
pub(super) struct LongLives {
    probe: Probe,
    since: Instant,
    begun: Vec<(LongLife, Step<Vec<Begun>>)>,
}

impl LongLives {
    pub(super) async fn begin(probe: Probe) -> Self {
        let mut begun = Vec::new();
        for case in CASES {
            let codes = guarded(&probe, prepare(probe.clone(), case.begin)).await;
            begun.push((case, codes));
        }
        Self { probe, since: Instant::now(), begun }
    }

    /// Looks at the codes once `long_life` has passed since they were prepared.
    pub(super) async fn end(self, long_life: Duration) -> Vec<Finding> {
        let Self { probe, since, begun } = self;
        sleep(long_life.saturating_sub(since.elapsed())).await;
        let mut findings = Vec::new();
        for (case, codes) in begun {
            let looked_at = match codes {
                Ok(codes) => guarded(&probe, look_at(codes, case.end)).await,
                Err(outcome) => Err(outcome),
            };
            findings.push(Finding::new("expiry", case.name, Outcome::of(looked_at)));
        }
        findings
    }
}

async fn prepare(probe: Probe, begin: fn(Bound) -> Steps<Option<Attempt>>) -> Step<Vec<Begun>> {
    let mut drafts = vec![Draft { lifetime: MAX_LIFETIME, ..Draft::without_challenge()? }];
    for lifetime in LIVES {
        drafts.push(Draft { lifetime, ..Draft::fresh()? });
    }
    let mut codes = Vec::new();
    for draft in drafts {
        let bound = Bound::new(&probe, draft.binding()?).await?;
        codes.push((bound.clone(), begin(bound).await?));
    }
    Ok(codes)
}

/// Races on a busy machine may outlast all lives but the longest.
async fn look_at(codes: Vec<Begun>, end: fn(Bound, Option<Attempt>) -> Steps<()>) -> Step {
    for (bound, attempt) in codes {
        let looked_at = end(bound.clone(), attempt).await;
        if bound.binding.lifetime() == MAX_LIFETIME {
            bound.in_time(looked_at)?;
        } else {
            bound.unless_late(looked_at)?;
        }
    }
    Ok(())
}

async fn refuse(bound: Bound) -> Step<Option<Attempt>> {
    bound.refused("a wrong proof", &sample::wrong()?).await?;
    Ok(None)
}

async fn redeem(bound: Bound) -> Step<Option<Attempt>> {
    let winner = bound.live("the right proof").await?;
    bound.held_by("a replay", &winner).await?;
    bound.again("a replay with a wrong proof", &sample::wrong()?, &winner).await?;
    Ok(Some(winner))
}

async fn burn(bound: Bound) -> Step<Option<Attempt>> {
    let right = bound.right()?;
    let burned = Attempt::new(right.proof().copied(), Ticket::BURNED, right.at());
    bound.first("the right proof under the burned ticket", &burned).await?;
    Ok(Some(burned))
}

async fn restore(bound: Bound) -> Step<Option<Attempt>> {
    let winner = bound.live("the right proof").await?;
    bound.restore(winner.ticket()).await?;
    Ok(None)
}

async fn still_live(bound: Bound) -> Step {
    let life = bound.binding.lifetime();
    bound.occupied(&format!("insert over a code with a life of {life:?}"), &Draft::fresh()?.binding()?).await?;
    for ticket in [sample::ticket()?, Ticket::BURNED] {
        bound.restore(ticket).await?;
    }
    bound.refused(&format!("a wrong proof for a code with a life of {life:?}"), &sample::wrong()?).await?;
    let winner = bound.live(&format!("the right proof for a code with a life of {life:?}")).await?;
    bound.held_by(&format!("a replay of a code with a life of {life:?}"), &winner).await
}

/// Neither another ticket nor the passing of time undoes the redemption. Only the ticket that redeemed the code
/// restores it.
async fn still_redeemed(bound: Bound, winner: Option<Attempt>) -> Step {
    let Some(winner) = winner else { return Ok(()) };
    let life = bound.binding.lifetime();
    bound
        .occupied(&format!("insert over a redeemed code with a life of {life:?}"), &Draft::fresh()?.binding()?)
        .await?;
    let stranger = bound.right()?;
    bound.again(&format!("a replay of a code with a life of {life:?}"), &stranger, &winner).await?;
    for ticket in [stranger.ticket(), sample::ticket()?, Ticket::BURNED] {
        if ticket != winner.ticket() {
            bound.restore(ticket).await?;
            bound
                .held_by(&format!("a replay of a code with a life of {life:?} after a foreign restore"), &winner)
                .await?;
        }
    }
    bound.first("the first attempt sent again", &winner).await?;
    bound.restore(winner.ticket()).await?;
    bound.live(&format!("the right proof after a late restore of a code with a life of {life:?}")).await.map(drop)
}
