//! Faults that only callers who race each other see, or that they see as well.

use crate::planted::Fault;
use crate::{assert_caught, racing, until_caught};

faults! {
    until caught by racing:
    an_insert_that_looks_first_and_writes_later_is_caught: InsertIsNotAtomic [
        "race: of many inserts for one code exactly one is recorded"
    ]
    an_insert_in_two_parts_is_caught: InsertIsInTwoParts [
        "race: a redeem beside the insert sees all of the binding or none"
    ]
    a_redeem_that_waits_between_read_and_write_is_caught: RedeemWaitsBetweenReadAndWrite [
        "race: of many right proofs exactly one is the first",
        "race: of many proofs for no challenge exactly one is the first",
        "race: wrong proofs in the crowd change nothing"
    ]
    a_redeem_that_unlocks_between_read_and_write_is_caught: RedeemUnlocksBetweenReadAndWrite [
        "race: of many right proofs exactly one is the first",
        "race: of many proofs for no challenge exactly one is the first"
    ]
    a_redeem_that_marks_on_a_wrong_proof_is_caught_in_a_race: WrongProofMarks [
        "race: wrong proofs in the crowd change nothing",
        "race: a crowd of wrong proofs leaves the code live"
    ]
    a_redeem_that_marks_on_a_wrong_proof_in_a_crowd_is_caught: WrongProofMarksInACrowd [
        "race: a crowd of wrong proofs leaves the code live"
    ]
    a_resend_that_is_not_recognized_is_caught_in_a_race: ResendIsNotRecognised [
        "race: a resend beside its twin is the same redemption"
    ]
    a_busy_store_that_says_unknown_is_caught: BusyIsUnknown ["race: of many right proofs exactly one is the first"]
    a_busy_store_that_gives_up_is_caught: BusyIsAnError ["race: of many right proofs exactly one is the first"]
    a_restore_that_ignores_the_ticket_is_caught_in_a_race: RestoreIgnoresTheTicket [
        "race: restores by losers leave the winner alone"
    ]
    a_restore_that_looks_first_and_writes_later_is_caught: RestoreIsNotAtomic [
        "race: a restored code is the first for one rival at most"
    ]
}
