//! A request: where it is, what it waits for, and what became of it.

use super::{Clock, Reply, Ticket, Verb};

/// A request and what happened to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Request {
    /// Where it is.
    pub phase: Phase,
    /// When it began, by the clock of its server.
    pub at: Clock,
    /// Whether a fault hit it.
    pub had_a_fault: bool,
    /// Whether it vanished, or a command that restores was lost or got no reply.
    pub is_unsure: bool,
    /// Whether a redemption of its own, for whose reply nobody waited any more, has marked the code, and no command that
    /// restores was carried out since.
    pub was_redeemed_late: bool,
}

/// Where a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// It has not begun.
    Idle,
    /// The authorization endpoint binds the code.
    Binding(Option<Reply>),
    /// It waits for the reply to a redemption.
    Redeeming(Verb, Option<Reply>),
    /// A redemption failed, and the core tries to take it back.
    TakingBack(Ticket, Option<Reply>),
    /// It is rejected, but the code is marked: the core restores it first.
    Restoring(Ticket, Reason, Option<Reply>),
    /// The core burns the code.
    Burning(Verb, Option<Reply>),
    /// The host runs.
    AtHost(Ticket),
    /// The host refused, and the code is restored.
    Settling(Ticket, Option<Reply>),
    /// It is over.
    Over(End),
}

impl Phase {
    /// The reply that waits for its server.
    pub const fn reply(self) -> Option<Reply> {
        match self {
            Self::Binding(reply)
            | Self::Redeeming(_, reply)
            | Self::TakingBack(_, reply)
            | Self::Restoring(_, _, reply)
            | Self::Burning(_, reply)
            | Self::Settling(_, reply) => reply,
            Self::Idle | Self::AtHost(_) | Self::Over(_) => None,
        }
    }

    /// The command that its server waits for.
    pub const fn verb(self) -> Option<Verb> {
        match self {
            Self::Binding(_) => Some(Verb::Insert),
            Self::Redeeming(verb, _) | Self::Burning(verb, _) => Some(verb),
            Self::TakingBack(ticket, _) | Self::Restoring(ticket, _, _) | Self::Settling(ticket, _) => {
                Some(Verb::Restore(ticket))
            }
            Self::Idle | Self::AtHost(_) | Self::Over(_) => None,
        }
    }

    fn replied(self, reply: Option<Reply>) -> Self {
        match self {
            Self::Binding(_) => Self::Binding(reply),
            Self::Redeeming(verb, _) => Self::Redeeming(verb, reply),
            Self::TakingBack(ticket, _) => Self::TakingBack(ticket, reply),
            Self::Restoring(ticket, reason, _) => Self::Restoring(ticket, reason, reply),
            Self::Burning(verb, _) => Self::Burning(verb, reply),
            Self::Settling(ticket, _) => Self::Settling(ticket, reply),
            Self::Idle | Self::AtHost(_) | Self::Over(_) => self,
        }
    }

    pub(super) fn with_reply(self, reply: Reply) -> Self {
        self.replied(Some(reply))
    }

    pub(super) fn without_reply(self) -> Self {
        self.replied(None)
    }
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum End {
    /// The code is bound, and leaves.
    Bound,
    /// The code is not known to be bound, and does not leave.
    NotBound,
    /// The host issued tokens, or responded with anything else that keeps the code redeemed.
    Served,
    /// The host clearly refused, after the core had let the request pass.
    RefusedByHost,
    /// It was rejected.
    Rejected(Reason),
    /// The client hung up, or the server crashed, before the host ran.
    Vanished,
    /// The same while the host ran: nobody knows what it has done.
    VanishedAtHost,
}

/// Why a request was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// `CodeUnknown`
    Unknown,
    /// `CodeExpired`
    Expired,
    /// `VerifierMismatch`
    Mismatch,
    /// `VerifierWithheld`
    Withheld,
    /// `VerifierUnexpected`
    Unexpected,
    /// `ClientMismatch`
    OtherClient,
    /// `CodeReplayed`: the host was told.
    Replayed,
    /// `CodeRedeemed`
    Redeemed,
    /// `CodeBurned`
    Burned,
    /// `StoreUnavailable`
    Unavailable,
    /// `StoreContractBroken`
    ContractBroken,
}
