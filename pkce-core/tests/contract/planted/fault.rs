//! The faults.

use super::mangle::Mangle;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Not a fault: a record may stay after it expired.
    NeverForgets,
    /// Not a fault: a call may take its time.
    TakesTime,

    InsertOverwrites,
    InsertOverwritesRedeemed,
    InsertIsNotAtomic,
    InsertIsInTwoParts,
    InsertOverExpiredKeepsTheMark,
    /// Takes the code first and writes its binding later: dropped in between, the code is neither free nor bound.
    InsertDroppedHalfWay,

    RedeemWaitsBetweenReadAndWrite,
    RedeemUnlocksBetweenReadAndWrite,
    WrongProofMarks,
    WrongProofMarksInACrowd,
    WrongProofIsFirst,
    MissingProofIsFirst,
    SuperfluousProofIsFirst,
    NoProofIsKeptAsZeros,
    NoProofNeverEqualsNone,
    EveryRightProofIsFirst,
    ResendIsNotRecognised,
    ResendIsRecognisedUntilAReplay,
    ReplayTakesOver,
    ReplayWithWrongProofIsRefused,
    RedeemedIsForgotten,
    RedeemedIsForgottenAfterTwentyReplays,
    BusyIsUnknown,
    BusyIsAnError,
    BurnsAfterFortyWrongProofs,
    /// Takes the record out, waits, and puts it back marked.
    RedeemDroppedHalfWay,
    /// Marks, waits, compares, and takes the mark back.
    WrongProofDroppedHalfWay,
    /// Callers draw numbers, and are served one after the other. Whoever leaves the queue is waited for.
    DroppedWaiterKeepsItsTurn,

    RestoreDoesNothing,
    RestoreIgnoresTheTicket,
    RestoreTakesAnyTicketOnce,
    RestoreIsNotAtomic,
    RestoreCreates,
    RestoreRevives,
    RestoreProlongs,
    RestoreForgetsTheEnd,
    /// Takes the record out, waits, and puts it back without the mark.
    RestoreDroppedHalfWay,
    RestoresEightTimes,

    LosesMethod,
    LosesProof,
    LosesGrant,
    LosesEmptyGrant,
    LosesNoGrant,
    LosesOddOctets,
    LosesEndOfLargeGrant,
    CutsGrantAt64Kib,
    LosesBlanksAtTheEnd,
    LosesIssuedAt,
    LosesExpiresAt,
    LosesTicket,
    LosesAt,
    CutsTimesToSeconds,
    CutsAtToSeconds,

    SharesOneKey,
    ForgetsTheOldestOfMany,
    HandleHasItsOwnRecords,

    ForgetsEarly,
    CutsLifeToSeconds,
    CutsEndToSeconds,
    RedeemedIsForgottenEarly,
    RedeemedIsForgottenAfterThreeSeconds,
    ForgetsFourTenthsEarly,
    CapsLifeAtSevenSeconds,
    KeepsAnOctetOfTheSeconds,
    KeepsSixteenBitsOfTheMilliseconds,
    EndsAMinuteAfterIssue,
    RefusesTheFuture,

    /// A pool whose connection is gone for ever with a call that is dropped.
    DroppedInsertKeepsItsConnection,
    DroppedRedeemKeepsItsConnection,

    SwallowsErrors,
    Panics,
    Hangs,

    /// Compares something else than the bytes, in one place.
    Proof(Mangle),
    ResentTicket(Mangle),
    RestoredTicket(Mangle),
    Key(Mangle),

    /// Takes a binding that differs in one part for the binding that is there.
    InsertIgnores(Part),
    InsertOverwritesAfterThreeSeconds,
    InsertOverwritesRedeemedAfterThreeSeconds,
    InsertOverwritesInTheLastSecond,
    InsertOverwritesRestored,
    /// Keeps the codes of each minute apart.
    InsertOverwritesAnotherMinute,
    /// Not a fault: an insert of the same binding, not redeemed, may be `Recorded`.
    InsertTakesTheSame,
    /// Keeps an absence in mind for a second.
    RemembersTheUnknown,

    UniqueProof,
    UniqueGrant,
    UniqueIssuedAt,
    UniqueExpiresAt,
    UniqueRedeemedAt,
    UniqueTicket,
    OneCodePerGrant,
    RedeemsByProofAlone,
    ResendByTicketAlone,

    BurnedIsNotRedeemed,
    BurnedIsRestoredByAnyTicket,
    BurnedIsAlwaysAReplay,
    BurnedIsForgottenAfterThreeSeconds,

    RefusesAttemptsBeforeTheIssue,
    RefusesAttemptsFromTheFuture,
    ForgetsOneSecondEarlyByTheAttempt,
    ReplayBeforeTheWinnerIsFirst,
    ReplayWithinASecondIsFirst,
    ReplayAfterTwentySecondsIsFirst,
    ReplayAfterFourMinutesIsUnknown,
    ReplayMovesTheTime,
    ReplayMovesTheTimeBack,
    MarkAgesOut,
    ResendAgesOut,
    WrongProofsOverflowAByte,
    ReplaysOverflowAByte,

    RestoreDeletes,
    /// A ticket that was restored never redeems again.
    RestoreSpendsTheTicket,
    RestoreCountsInAByte,
    RestoreTakesTheTicketOfAWrongReplay,
    RestoreTakesTheTicketOfAWrongProof,
    RestoreByTicketAlone,
    RestoreByAnybodyAfterThreeSeconds,
    RestoreAgesOut,
    RestoreOfNothingIsAnError,
    RestoreCountsResends,
    RestoreFailsAfterAReplay,
    RestoreKeepsTheTime,
    RestoreKeepsTheFirstTicket,
    RestoredIsForgottenAfterThreeSeconds,

    AgainLosesGrant,
    AgainLosesMethod,
    RefusedLosesGrant,
    ResentLosesGrant,
    AtIsTheServersTime,
    AtIsNeverBeforeTheIssue,
    AtIsNeverInTheFuture,
    KeepsAtIn16BitsAfterTheIssue,

    CutsGrantAt(usize),
    KeepsAnOctetOfTheGrantsLength,
    KeepsSixteenBitsOfTheGrantsLength,
    DropsWholeBlocks,
    ReformatsJson,
    UnifiesLineBreaks,
    DropsTheByteOrderMark,
    ReadsFalseAsNothing,
    KeepsTimesInDays,
    KeepsTimesInSecondsAsFloat,
    IssuedAtIsTheServersTime,

    RoundsEndToSeconds,
    RefusesShortLives,
    KeepsThirtyTwoBitsOfTheNanoseconds,
    KeepsAByteOfTheTenths,
    WrongProofShortensTheLife,
    ReplayShortensTheLife,
    NoChallengeIsForgottenAfterThreeSeconds,
    /// The end of the old binding deletes the new one.
    OldEndDeletesTheNew,
}

/// A part of a binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Method,
    Proof,
    Grant,
    IssuedAt,
    ExpiresAt,
}
