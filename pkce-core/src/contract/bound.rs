//! A code that is bound in the store, and what a case expects of it.

use crate::clock::Timestamp;
use crate::code_digest::CodeDigest;
use crate::contract::case::Step;
use crate::contract::probe::Probe;
use crate::contract::{expect, sample};
use crate::store::{Attempt, Binding, Inserted, Redemption, Ticket};

/// A fresh code and the binding that the store was given for it.
#[derive(Clone)]
pub(super) struct Bound {
    pub(super) probe: Probe,
    pub(super) code: CodeDigest,
    pub(super) binding: Binding,
}

impl Bound {
    pub(super) async fn new(probe: &Probe, binding: Binding) -> Step<Self> {
        Self::under(probe, sample::code()?, binding).await
    }

    pub(super) async fn under(probe: &Probe, code: CodeDigest, binding: Binding) -> Step<Self> {
        let bound = Self { probe: probe.clone(), code, binding };
        let inserted = bound.insert(&bound.binding).await?;
        expect::same("insert of a new code", &Inserted::Recorded, &inserted)?;
        Ok(bound)
    }

    pub(super) async fn insert(&self, binding: &Binding) -> Step<Inserted> {
        self.probe.insert(&self.code, binding).await
    }

    pub(super) async fn redeem(&self, attempt: &Attempt) -> Step<Redemption> {
        self.probe.redeem(&self.code, attempt).await
    }

    pub(super) async fn restore(&self, ticket: Ticket) -> Step {
        self.probe.restore(&self.code, ticket).await
    }

    /// An attempt with the right proof, under a fresh ticket.
    pub(super) fn right(&self) -> Step<Attempt> {
        sample::attempt(self.binding.proof().copied())
    }

    /// An attempt with the right proof, under a fresh ticket, by a clock that shows `at`.
    pub(super) fn right_at(&self, at: Timestamp) -> Step<Attempt> {
        Ok(Attempt::new(self.binding.proof().copied(), sample::ticket()?, at))
    }

    pub(super) async fn occupied(&self, step: &str, rival: &Binding) -> Step {
        expect::same(step, &Inserted::Occupied, &self.insert(rival).await?)
    }

    pub(super) async fn first(&self, step: &str, attempt: &Attempt) -> Step {
        expect::redemption(step, &Redemption::First(self.binding.clone()), &self.redeem(attempt).await?)
    }

    pub(super) async fn refused(&self, step: &str, attempt: &Attempt) -> Step {
        expect::redemption(step, &Redemption::Refused(self.binding.clone()), &self.redeem(attempt).await?)
    }

    pub(super) async fn again(&self, step: &str, attempt: &Attempt, winner: &Attempt) -> Step {
        expect::redemption(step, &self.redeemed_by(winner), &self.redeem(attempt).await?)
    }

    /// Expects that a fresh attempt with the right proof is the first: the code is live.
    pub(super) async fn live(&self, step: &str) -> Step<Attempt> {
        let attempt = self.right()?;
        self.first(step, &attempt).await?;
        Ok(attempt)
    }

    /// Expects that a fresh attempt with the right proof learns of the winner, whole.
    pub(super) async fn held_by(&self, step: &str, winner: &Attempt) -> Step {
        self.again(step, &self.right()?, winner).await
    }

    pub(super) fn redeemed_by(&self, winner: &Attempt) -> Redemption {
        Redemption::Again { binding: self.binding.clone(), ticket: winner.ticket(), at: winner.at() }
    }
}
