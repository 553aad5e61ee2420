//! Nothing is forgotten before it expires, and nothing is revived or prolonged afterwards. These cases sleep, all at
//! the same time.

use std::time::Duration;

use tokio::time::sleep;

use super::bound::Bound;
use super::case::{Case, Step};
use super::expect;
use super::probe::Probe;
use super::report::Outcome;
use super::sample::{self, Draft};
use crate::clock::Timestamp;
use crate::store::{Inserted, Redemption};

pub(super) const CASES: &[Case] = &[
    Case::new("expiry", "a live code is not forgotten before it expires", |probe| Box::pin(live(probe))),
    Case::new("expiry", "a redeemed code is not forgotten before it expires", |probe| Box::pin(redeemed(probe))),
    Case::new("expiry", "a life that ends between two seconds is not cut", |probe| Box::pin(between(probe))),
    Case::new("expiry", "a restored code is not forgotten before it expires", |probe| Box::pin(restored(probe))),
    Case::new("expiry", "a restore does not prolong a life", |probe| Box::pin(prolonged(probe))),
    Case::new("expiry", "a restore revives nothing that has vanished", |probe| Box::pin(vanished(probe))),
    Case::new("expiry", "a restore of an expired code gives it no new life", |probe| Box::pin(revived(probe))),
    Case::new("expiry", "a code bound anew after it expired is a new code", |probe| Box::pin(anew(probe))),
];

/// Not a whole number of seconds: rounded down, it is noticed half a second before the end.
const LIFE: Duration = Duration::from_millis(1_900);
/// How long before the end a record must still be there.
const BEFORE: u64 = 500;
/// How long before the end it is looked at again. Such a look says something only if machine and store are quick, so
/// one that comes too late is none.
const SHORTLY_BEFORE: [u64; 2] = [350, 200];
/// How long after the end it is certainly over, whosever clock is asked.
const AFTER: Duration = Duration::from_millis(250);
/// How far the clocks may be apart, and a call take, before an answer says nothing of the store.
const SLACK: Duration = Duration::from_millis(150);
/// A life to be outlived.
const SHORT: Duration = Duration::from_secs(1);

impl Bound {
    async fn living(probe: &Probe, lifetime: Duration) -> Step<Self> {
        let issued_at = sample::odd(sample::now());
        Self::new(probe, Draft { issued_at, lifetime, ..Draft::fresh()? }.binding()?).await
    }

    async fn before_the_end(&self, millis: u64) {
        until(sample::earlier(self.binding.expires_at(), millis)).await;
    }

    async fn after_the_end(&self) {
        until(self.binding.expires_at().saturating_add(AFTER)).await;
    }

    /// A fault that was seen too near to the end, because the machine or the connection is slow, is no fault.
    pub(super) fn in_time<T>(&self, step: Step<T>) -> Step<T> {
        match step {
            Err(Outcome::Failed { .. }) if self.is_late() => {
                Err(Outcome::inconclusive(&"the call came too late: the machine or the store is too slow"))
            }
            step => step,
        }
    }

    /// The same for a look that may be left out.
    pub(super) fn unless_late(&self, step: Step) -> Step {
        match step {
            Err(Outcome::Failed { .. }) if self.is_late() => Ok(()),
            step => step,
        }
    }

    fn is_late(&self) -> bool {
        sample::now().saturating_add(SLACK) >= self.binding.expires_at()
    }

    async fn truthful(&self, step: &str) -> Step {
        for attempt in [sample::wrong()?, self.right()?] {
            expect::truthful(step, &self.binding, &self.redeem(&attempt).await?)?;
        }
        Ok(())
    }
}

/// By the wall clock, which is the one that stores go by.
async fn until(moment: Timestamp) {
    loop {
        let left = moment.saturating_since(sample::now());
        if left.is_zero() {
            return;
        }
        sleep(left).await;
    }
}

async fn live(probe: Probe) -> Step {
    let (bound, other) = (Bound::living(&probe, LIFE).await?, Bound::living(&probe, LIFE).await?);
    bound.before_the_end(BEFORE).await;
    bound.in_time(bound.refused("a wrong proof, half a second before the end", &sample::wrong()?).await)?;
    bound.in_time(bound.live("the right proof, half a second before the end").await)?;
    for millis in SHORTLY_BEFORE {
        other.before_the_end(millis).await;
        let step = format!("a wrong proof, {millis} ms before the end");
        other.unless_late(other.refused(&step, &sample::wrong()?).await)?;
    }
    other.unless_late(other.live("the right proof, shortly before the end").await.map(drop))?;
    for bound in [bound, other] {
        bound.after_the_end().await;
        bound.truthful("redeem after the end").await?;
    }
    Ok(())
}

async fn redeemed(probe: Probe) -> Step {
    let bound = Bound::living(&probe, LIFE).await?;
    let winner = bound.in_time(bound.live("the right proof").await)?;
    bound.before_the_end(BEFORE).await;
    bound.in_time(bound.held_by("a replay, half a second before the end", &winner).await)?;
    bound.in_time(bound.first("the first attempt sent again, half a second before the end", &winner).await)?;
    for millis in SHORTLY_BEFORE {
        bound.before_the_end(millis).await;
        bound.unless_late(bound.held_by(&format!("a replay, {millis} ms before the end"), &winner).await)?;
    }
    Ok(())
}

/// Expires just before a full second, so that an end that was rounded down to seconds has passed when it is asked for.
async fn between(probe: Probe) -> Step {
    let life = LIFE.saturating_sub(Duration::from_millis(400));
    let past = sample::odd(sample::now()).saturating_add(life).as_epoch_millis() % 1_000;
    let bound = Bound::living(&probe, life.saturating_add(Duration::from_millis(967_u64.saturating_sub(past)))).await?;
    bound.before_the_end(BEFORE).await;
    bound.in_time(bound.live("the right proof, half a second before the end").await.map(drop))
}

async fn restored(probe: Probe) -> Step {
    let bound = Bound::living(&probe, LIFE).await?;
    let winner = bound.in_time(bound.live("the right proof").await)?;
    bound.restore(winner.ticket()).await?;
    bound.before_the_end(BEFORE).await;
    bound.in_time(bound.live("the right proof after a restore, half a second before the end").await.map(drop))
}

async fn prolonged(probe: Probe) -> Step {
    let bound = Bound::living(&probe, SHORT).await?;
    let winner = bound.in_time(bound.live("the right proof").await)?;
    bound.before_the_end(BEFORE).await;
    bound.restore(winner.ticket()).await?;
    bound.in_time(bound.refused("a wrong proof after the restore", &sample::wrong()?).await)?;
    bound.after_the_end().await;
    bound.truthful("redeem after the end of a restored code").await
}

async fn vanished(probe: Probe) -> Step {
    let bound = Bound::living(&probe, SHORT).await?;
    let winner = bound.in_time(bound.live("the right proof").await)?;
    bound.after_the_end().await;
    let late = bound.redeem(&bound.right()?).await?;
    expect::truthful("redeem after the end", &bound.binding, &late)?;
    bound.restore(winner.ticket()).await?;
    if late == Redemption::Unknown {
        for attempt in [sample::wrong()?, bound.right()?] {
            let seen = bound.redeem(&attempt).await?;
            expect::redemption("redeem after the restore of a vanished record", &Redemption::Unknown, &seen)?;
        }
    }
    bound.truthful("redeem after the restore of an expired record").await
}

async fn revived(probe: Probe) -> Step {
    let bound = Bound::living(&probe, SHORT).await?;
    let winner = bound.in_time(bound.live("the right proof").await)?;
    bound.after_the_end().await;
    bound.restore(winner.ticket()).await?;
    bound.truthful("redeem after the restore of an expired record").await
}

/// Whether a store takes the new binding or not, it says so and does what it says.
async fn anew(probe: Probe) -> Step {
    let old = Bound::living(&probe, SHORT).await?;
    old.in_time(old.live("the right proof").await)?;
    old.after_the_end().await;
    let new = Bound { binding: Draft::fresh()?.binding()?, ..old.clone() };
    match new.insert(&new.binding).await? {
        Inserted::Recorded => {
            new.refused("a wrong proof for the new binding", &sample::wrong()?).await?;
            let winner = new.live("the right proof for the new binding").await?;
            new.held_by("a replay of the new binding", &winner).await
        }
        Inserted::Occupied => {
            let seen = new.redeem(&new.right()?).await?;
            expect::truthful("redeem after the new binding was turned away", &old.binding, &seen)
        }
    }
}
