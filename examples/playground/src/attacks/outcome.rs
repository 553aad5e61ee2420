//! How an attack ended.

use std::collections::BTreeMap;

use crate::user::{Flow, Result};
use crate::wire::{Said, Wire};

/// How an attack ended, and whether that is right.
pub(crate) struct Outcome {
    pub(crate) said: String,
    pub(crate) right: bool,
}

impl Outcome {
    /// Refused with this error.
    pub(super) fn refused(said: &Said, error: &str) -> Self {
        Self::of(said, said.status != 200 && said.error().as_deref() == Some(error))
    }

    /// An answer that is right or not.
    pub(super) fn of(said: &Said, right: bool) -> Self {
        Self { said: summary(said), right }
    }

    /// Many answers, of which this many are served.
    pub(super) fn of_many(said: &[Said], served: usize) -> Self {
        Self { said: count(said), right: said.iter().filter(|said| said.status == 200).count() == served }
    }

    /// And what came after.
    pub(super) fn then(self, who: &str, said: &Said, status: u16) -> Self {
        Self {
            said: format!("{}, then {who}: {}", self.said, summary(said)),
            right: self.right && said.status == status,
        }
    }

    /// And the client redeems its code.
    pub(super) async fn and_the_client_is_served(self, wire: Wire, flow: &Flow) -> Result<Self> {
        Ok(self.then("the client", &flow.redeem(wire).await?, 200))
    }
}

fn count(said: &[Said]) -> String {
    let mut counts = BTreeMap::<String, usize>::new();
    for said in said {
        *counts.entry(summary(said)).or_default() += 1;
    }
    let counts: Vec<String> = counts.into_iter().map(|(said, times)| format!("{times} × {said}")).collect();
    counts.join(", ")
}

pub(super) fn summary(said: &Said) -> String {
    match said.error() {
        Some(error) => format!("{} {error}", said.status),
        None => said.status.to_string(),
    }
}
