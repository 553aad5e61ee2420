//! The faults that the design avoids.

/// A fault of the store or of the core, planted into the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Planted {
    /// The store restores by any ticket.
    RestoreByAnyTicket,
    /// The store restores by every ticket that has redeemed the code at some time.
    RestoreByALateTicket,
    /// To restore a code that is forgotten, the store records it anew, with a new lifetime.
    RestoreRevives,
    /// The store's insert overwrites.
    InsertOverwrites,
    /// The store marks the code whatever proof is presented. The core compares again, and restores.
    MarksOnAWrongProof,
    /// The store looks whether the code can be redeemed, and marks it in a second step.
    ChecksThenMarks,
    /// The store does not recognise a redemption that is sent again.
    RedeemForgetsItsTicket,
    /// The core leaves a redemption that failed as it is.
    TakesNothingBack,
    /// The core restores the code of a request that vanished while the host ran.
    RestoresAfterAHangUp,
    /// The core redeems the code first, and then compares the client.
    ComparesTheClientAfterTheMark,
    /// The core tells the host of a replay whatever verifier is presented.
    ReplaysOnAnyProof,
    /// The core takes a burned code for a redeemed one.
    ReplaysABurnedCode,
    /// The core leaves expiry to the store.
    IgnoresExpiry,
}
