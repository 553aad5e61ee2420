//! Codes with a long life, bound before all else and looked at when the rest is over.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::bound::Bound;
use super::case::{Step, guarded};
use super::probe::Probe;
use super::report::{Finding, Outcome};
use super::sample::{self, Draft};
use crate::store::{Attempt, MAX_LIFETIME};

const LIVE: &str = "a code with a long life is still there at the end of the suite";
const REDEEMED: &str = "a redeemed code with a long life is still there at the end of the suite";

/// The longest life, and some that are two seconds if only an octet of their seconds is kept, or 16 bits of their
/// milliseconds.
const LIVES: [Duration; 4] =
    [MAX_LIFETIME, Duration::from_secs(256 + 2), Duration::from_secs(512 + 2), Duration::from_millis(65_536 + 2_000)];

/// What was bound, and when.
pub(super) struct LongLives {
    probe: Probe,
    since: Instant,
    live: Step<Vec<Bound>>,
    redeemed: Step<Vec<(Bound, Attempt)>>,
}

impl LongLives {
    pub(super) async fn begin(probe: Probe) -> Self {
        let live = guarded(&probe, bind(probe.clone())).await;
        let redeemed = guarded(&probe, redeem(probe.clone())).await;
        Self { probe, since: Instant::now(), live, redeemed }
    }

    /// Looks at them, not before so much time has passed.
    pub(super) async fn end(self, long_life: Duration) -> [Finding; 2] {
        let Self { probe, since, live, redeemed } = self;
        sleep(long_life.saturating_sub(since.elapsed())).await;
        let live = match live {
            Ok(codes) => guarded(&probe, look_at_live(codes)).await,
            Err(outcome) => Err(outcome),
        };
        let redeemed = match redeemed {
            Ok(codes) => guarded(&probe, look_at_redeemed(codes)).await,
            Err(outcome) => Err(outcome),
        };
        [Finding::new("expiry", LIVE, Outcome::of(live)), Finding::new("expiry", REDEEMED, Outcome::of(redeemed))]
    }
}

async fn bind(probe: Probe) -> Step<Vec<Bound>> {
    let mut codes = Vec::new();
    for lifetime in LIVES {
        codes.push(Bound::new(&probe, Draft { lifetime, ..Draft::fresh()? }.binding()?).await?);
    }
    Ok(codes)
}

async fn redeem(probe: Probe) -> Step<Vec<(Bound, Attempt)>> {
    let mut codes = Vec::new();
    for bound in bind(probe).await? {
        let winner = bound.live("the right proof").await?;
        codes.push((bound, winner));
    }
    Ok(codes)
}

async fn look_at_live(codes: Vec<Bound>) -> Step {
    for bound in codes {
        let life = bound.binding.lifetime();
        let step = format!("a wrong proof for a code with a life of {life:?}");
        bound.long_lived(bound.refused(&step, &sample::wrong()?).await)?;
        let step = format!("the right proof for a code with a life of {life:?}");
        bound.long_lived(bound.live(&step).await.map(drop))?;
    }
    Ok(())
}

async fn look_at_redeemed(codes: Vec<(Bound, Attempt)>) -> Step {
    for (bound, winner) in codes {
        let step = format!("a replay of a code with a life of {:?}", bound.binding.lifetime());
        bound.long_lived(bound.held_by(&step, &winner).await)?;
        bound.long_lived(bound.first("the first attempt sent again", &winner).await)?;
    }
    Ok(())
}

impl Bound {
    /// Races on a busy machine may outlast all lives but the longest.
    fn long_lived(&self, step: Step) -> Step {
        if self.binding.lifetime() == MAX_LIFETIME { self.in_time(step) } else { self.unless_late(step) }
    }
}
