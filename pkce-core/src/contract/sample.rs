//! Samples: fresh codes, proofs, tickets, times and bindings, so that a store can be checked while others use it.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::code_digest::CodeDigest;
use crate::contract::case::Step;
use crate::contract::report::Outcome;
use crate::method::CodeChallengeMethod;
use crate::proof::Proof;
use crate::random;
use crate::store::{Attempt, Binding, BindingParts, MAX_LIFETIME, Ticket};

/// The parts of a binding, for a case to change one of them.
#[derive(Clone)]
pub(super) struct Draft {
    /// `None` for a code that is bound to no challenge.
    pub(super) challenge: Option<(CodeChallengeMethod, Proof)>,
    pub(super) grant: Option<Vec<u8>>,
    pub(super) issued_at: Timestamp,
    pub(super) lifetime: Duration,
}

impl Draft {
    /// S256, a random proof and grant, issued a moment ago for a minute.
    pub(super) fn fresh() -> Step<Self> {
        let grant = [&b"grant "[..], &bytes::<10>()?].concat();
        Ok(Self {
            challenge: Some((CodeChallengeMethod::S256, proof()?)),
            grant: Some(grant),
            issued_at: odd(earlier(now(), 150)),
            lifetime: Duration::from_millis(60_123),
        })
    }

    /// The same, bound to no challenge.
    pub(super) fn without_challenge() -> Step<Self> {
        Ok(Self { challenge: None, ..Self::fresh()? })
    }

    pub(super) fn binding(self) -> Step<Binding> {
        let method = self.challenge.map_or(Binding::NO_CHALLENGE, |(method, _)| method.as_str());
        let proof = self.challenge.map(|(_, proof)| proof);
        let expires_at = self.issued_at.saturating_add(self.lifetime);
        let proof = proof.as_ref().map(|proof| &proof.as_bytes()[..]);
        Binding::from_parts(BindingParts {
            method,
            proof,
            grant: self.grant.map(Into::into),
            issued_at: self.issued_at,
            expires_at,
        })
        .map_err(|error| Outcome::inconclusive(&error))
    }

    /// Bindings that differ from this one in a single part, with its name.
    pub(super) fn rivals(&self) -> Step<Vec<(&'static str, Binding)>> {
        let draft = || self.clone();
        let grant = || self.grant.clone().unwrap_or_default();
        let millisecond = Duration::from_millis(1);
        let other_method = match self.challenge {
            Some((CodeChallengeMethod::S256, proof)) => Some((CodeChallengeMethod::Plain, proof)),
            Some((CodeChallengeMethod::Plain, proof)) => Some((CodeChallengeMethod::S256, proof)),
            None => Some((CodeChallengeMethod::S256, proof()?)),
        };
        let other_proof = self.challenge.map(|(method, _)| proof().map(|proof| (method, proof))).transpose()?;
        let mut rivals = vec![
            ("its grant, by a byte more", Self { grant: Some([&grant()[..], &[0]].concat()), ..draft() }),
            ("its grant, which is empty", Self { grant: Some(Vec::new()), ..draft() }),
            ("its grant, of which there is none", Self { grant: None, ..draft() }),
            (
                "its issued_at",
                Self {
                    issued_at: earlier(self.issued_at, 1),
                    lifetime: self.lifetime.saturating_add(millisecond),
                    ..draft()
                },
            ),
            (
                "its issued_at, by minutes",
                Self {
                    issued_at: earlier(self.issued_at, 500_000),
                    lifetime: self.lifetime.saturating_add(Duration::from_secs(500)),
                    ..draft()
                },
            ),
            ("its expires_at", Self { lifetime: self.lifetime.saturating_add(millisecond), ..draft() }),
            ("its expires_at, by minutes", Self { lifetime: MAX_LIFETIME, ..draft() }),
            ("its method", Self { challenge: other_method, ..draft() }),
        ];
        if self.challenge.is_some() {
            rivals.push(("its proof", Self { challenge: other_proof, ..draft() }));
            rivals.push(("its challenge, of which there is none", Self { challenge: None, ..draft() }));
        }
        rivals.into_iter().map(|(part, rival)| Ok((part, rival.binding()?))).collect()
    }
}

pub(super) fn bytes<const N: usize>() -> Step<[u8; N]> {
    random::bytes().map(|bytes| *bytes).map_err(|error| Outcome::inconclusive(&error))
}

pub(super) fn code() -> Step<CodeDigest> {
    bytes().map(CodeDigest::from_bytes)
}

pub(super) fn proof() -> Step<Proof> {
    bytes().map(Proof::from_bytes)
}

pub(super) fn ticket() -> Step<Ticket> {
    Ticket::generate().map_err(|error| Outcome::inconclusive(&error))
}

/// An attempt under a fresh ticket, made at one of the last hundred milliseconds: two attempts seldom share their time.
pub(super) fn attempt(proof: Option<Proof>) -> Step<Attempt> {
    let [spread] = bytes()?;
    Ok(Attempt::new(proof, ticket()?, odd(earlier(now(), u64::from(spread % 100)))))
}

/// An attempt with a proof that no code is bound to.
pub(super) fn wrong() -> Step<Attempt> {
    attempt(Some(proof()?))
}

pub(super) fn now() -> Timestamp {
    Timestamp::now()
}

pub(super) fn earlier(time: Timestamp, millis: u64) -> Timestamp {
    Timestamp::from_epoch_millis(time.as_epoch_millis().saturating_sub(millis))
}

/// A time that a store cannot round to tens of milliseconds or to seconds without being noticed.
pub(super) fn odd(time: Timestamp) -> Timestamp {
    if time.as_epoch_millis().is_multiple_of(10) { earlier(time, 3) } else { time }
}
