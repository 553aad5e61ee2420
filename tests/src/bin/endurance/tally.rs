//! What was counted.

use std::fmt;

/// The sums over all codes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    /// Codes that were bound.
    pub(crate) codes: u64,
    /// Codes that could not be bound at the first attempt. Each was replaced by another code.
    pub(crate) unbound: u64,
    /// Token requests that were sent.
    pub(crate) requests: u64,
    /// Responses that say that the store is not available, 503.
    pub(crate) unavailable: u64,
    /// Connections that ended without a response.
    pub(crate) broken: u64,
    /// Codes that gave tokens.
    pub(crate) served: u64,
    /// Codes that gave tokens twice or more.
    pub(crate) twice: u64,
    /// Requests without the verifier, with a wrong one, or of another client.
    pub(crate) hostile: u64,
    /// Those of them that got tokens.
    pub(crate) hostile_served: u64,
    /// Clients alone with their code that were served.
    pub(crate) honest_served: u64,
    /// Clients alone with their code that were rejected after a request of theirs had got a 503 or no response.
    pub(crate) honest_rejected_after_a_fault: u64,
    /// Clients alone with their code that were rejected at their first response.
    pub(crate) honest_rejected: u64,
    /// Clients alone with their code that were rejected because the store had lost it.
    pub(crate) honest_lost: u64,
    /// Clients that the host had refused before, and that were served then.
    pub(crate) refused_then_served: u64,
    /// Clients that the host had refused before, and that were rejected then: their code was not restored.
    pub(crate) refused_then_rejected: u64,
    /// Clients that gave up after half a minute without a final response.
    pub(crate) gave_up: u64,
    /// Served codes that were presented again later.
    pub(crate) replays: u64,
}

impl Tally {
    pub(crate) const fn is_sound(&self) -> bool {
        self.twice == 0 && self.hostile_served == 0
    }

    pub(crate) fn line(&self) -> String {
        let Self { codes, served, twice, hostile_served, unavailable, broken, honest_rejected, .. } = self;
        format!(
            "{codes} codes, {served} served, {twice} twice, {hostile_served} wrong, {honest_rejected} hindered, \
             {unavailable} times 503, {broken} broken"
        )
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, number) in [
            ("codes bound", self.codes),
            ("codes that could not be bound, and were replaced", self.unbound),
            ("codes that gave tokens", self.served),
            ("codes that gave tokens twice", self.twice),
            ("requests without the right verifier or of another client", self.hostile),
            ("of those, served", self.hostile_served),
            ("served codes presented again later", self.replays),
            ("clients alone with their code: served", self.honest_served),
            (
                "clients alone with their code: rejected after a 503 or a broken connection",
                self.honest_rejected_after_a_fault,
            ),
            ("clients alone with their code: rejected without one", self.honest_rejected),
            ("clients alone with their code: rejected because the store lost it", self.honest_lost),
            ("clients that the host refused once: served then", self.refused_then_served),
            ("clients that the host refused once: rejected then", self.refused_then_rejected),
            ("clients that gave up", self.gave_up),
            ("token requests", self.requests),
            ("responses 503", self.unavailable),
            ("connections that broke", self.broken),
        ] {
            writeln!(f, "{number:>9}  {what}")?;
        }
        Ok(())
    }
}
