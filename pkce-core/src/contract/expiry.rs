//! Nothing is forgotten before it expires, and nothing is revived or prolonged afterwards. These cases sleep, all at
//! the same time.

use std::time::Duration;

use tokio::time::sleep;

use super::bound::Bound;
use super::callers::share;
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
    Case::new("expiry", "a code is occupied until it expires", |probe| Box::pin(occupied(probe))),
    Case::new("expiry", "an end that is no whole second is not rounded down", |probe| Box::pin(between(probe))),
    Case::new("expiry", "a life shorter than a second is a life", |probe| Box::pin(below_a_second(probe))),
    Case::new("expiry", "a restored code is not forgotten before it expires", |probe| Box::pin(restored(probe))),
    Case::new("expiry", "a restore does not prolong a life", |probe| Box::pin(prolonged(probe))),
    Case::new("expiry", "a restore revives nothing that has vanished", |probe| Box::pin(vanished(probe))),
    Case::new("expiry", "a restore of an expired code gives it no new life", |probe| Box::pin(revived(probe))),
    Case::new("expiry", "a code bound anew after it expired is a new code", |probe| Box::pin(anew(probe))),
];

/// Not a whole number of seconds: if it is rounded down, the code is gone half a second before the end.
const LIFE: Duration = Duration::from_millis(1_900);
/// How long before the end a record must still be there.
const BEFORE: u64 = 500;
/// How long before the end it is looked at again. Such a look says something only if machine and store are quick, so
/// one that comes too late does not count.
const SHORTLY_BEFORE: [u64; 2] = [350, 200];
/// How long after the end the life is over by any clock.
const AFTER: Duration = Duration::from_millis(250);
/// How far clocks may be apart, and how long a call may take, before an answer says nothing about the store.
const SLACK: Duration = Duration::from_millis(150);
/// A life to be outlived.
const SHORT: Duration = Duration::from_secs(1);
/// How long a store may take to delete what has expired, and with it what is none of its concern.
const SWEEP: Duration = Duration::from_millis(1_500);

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

async fn occupied(probe: Probe) -> Step {
    let (live, redeemed) = (Bound::living(&probe, LIFE).await?, Bound::living(&probe, LIFE).await?);
    let winner = redeemed.in_time(redeemed.live("the right proof").await)?;
    let rival = Draft::fresh()?.binding()?;
    live.before_the_end(BEFORE).await;
    live.in_time(live.occupied("insert over a live record, half a second before the end", &rival).await)?;
    redeemed.in_time(redeemed.occupied("insert over a redeemed record, half a second before the end", &rival).await)?;
    live.before_the_end(SHORTLY_BEFORE[1]).await;
    live.unless_late(live.occupied("insert over a live record, shortly before the end", &rival).await)?;
    live.unless_late(live.refused("a wrong proof, shortly before the end", &sample::wrong()?).await)?;
    redeemed.unless_late(redeemed.held_by("a replay, shortly before the end", &winner).await)
}

/// Ends shortly before a whole second, at one, and a little before its half, so that neither an end that is rounded down
/// nor one that is rounded to the nearest second is noticed too late.
async fn between(probe: Probe) -> Step {
    share(vec![967, 0, 467], move |millis| {
        let probe = probe.clone();
        async move { ends_at(probe, millis).await }
    })
    .await
    .map(drop)
}

async fn ends_at(probe: Probe, millis: u64) -> Step {
    let least = LIFE.saturating_sub(Duration::from_millis(400));
    let past = sample::odd(sample::now()).saturating_add(least).as_epoch_millis() % 1_000;
    let life = least.saturating_add(Duration::from_millis((1_000 + millis - past) % 1_000));
    let bound = Bound::living(&probe, life).await?;
    for before in [BEFORE, SHORTLY_BEFORE[0], SHORTLY_BEFORE[1]] {
        bound.before_the_end(before).await;
        let step = format!("a wrong proof, {before} ms before an end at {millis} ms after a whole second");
        let seen = bound.refused(&step, &sample::wrong()?).await;
        if before == BEFORE { bound.in_time(seen) } else { bound.unless_late(seen) }?;
    }
    bound.unless_late(bound.live("the right proof, shortly before the end").await.map(drop))
}

/// In whole seconds these lives are zero.
async fn below_a_second(probe: Probe) -> Step {
    for millis in [999, 501, 301] {
        let bound = Bound::living(&probe, Duration::from_millis(millis)).await?;
        let step = format!("a wrong proof for a code with a life of {millis} ms");
        bound.unless_late(bound.refused(&step, &sample::wrong()?).await)?;
        let step = format!("the right proof for a code with a life of {millis} ms");
        bound.unless_late(bound.live(&step).await.map(drop))?;
    }
    Ok(())
}

async fn restored(probe: Probe) -> Step {
    let bound = Bound::living(&probe, LIFE).await?;
    let winner = bound.in_time(bound.live("the right proof").await)?;
    bound.restore(winner.ticket()).await?;
    bound.before_the_end(BEFORE).await;
    bound.in_time(
        bound.refused("a wrong proof after a restore, half a second before the end", &sample::wrong()?).await,
    )?;
    let winner = bound.in_time(bound.live("the right proof after a restore, half a second before the end").await)?;
    bound.restore(winner.ticket()).await?;
    let step = "the right proof after a restore half a second before the end";
    bound.unless_late(bound.live(step).await.map(drop))
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

/// The store may take the new binding or not; either way its answer is true, and stays true when what is left of the old
/// one is deleted.
async fn anew(probe: Probe) -> Step {
    let (one, other) = (Bound::living(&probe, SHORT).await?, Bound::living(&probe, SHORT).await?);
    one.in_time(one.live("the right proof").await)?;
    one.after_the_end().await;
    other.after_the_end().await;
    let new = bind_anew(&one).await?;
    let unredeemed = bind_anew(&other).await?;
    let winner = match &new {
        Some(new) => Some(new.live("the right proof for the new binding").await?),
        None => None,
    };
    sleep(SWEEP).await;
    if let (Some(new), Some(winner)) = (new, winner) {
        new.held_by("a replay of the new binding", &winner).await?;
        new.occupied("insert over the new binding", &Draft::fresh()?.binding()?).await?;
    }
    if let Some(new) = unredeemed {
        new.refused("a wrong proof for the new binding of a code that was never redeemed", &sample::wrong()?).await?;
        new.live("the right proof for the new binding of a code that was never redeemed").await?;
    }
    Ok(())
}

/// `None` if the store did not take it.
async fn bind_anew(old: &Bound) -> Step<Option<Bound>> {
    let binding = Draft { grant: None, ..Draft::without_challenge()? }.binding()?;
    let new = Bound { binding, ..old.clone() };
    match new.insert(&new.binding).await? {
        Inserted::Recorded => {
            new.refused("a wrong proof for the new binding", &sample::wrong()?).await?;
            Ok(Some(new))
        }
        Inserted::Occupied => {
            let seen = new.redeem(&new.right()?).await?;
            expect::truthful("redeem after the new binding was turned away", &old.binding, &seen)?;
            Ok(None)
        }
    }
}
