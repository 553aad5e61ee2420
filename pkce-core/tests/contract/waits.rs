//! Faults that show with time.

use crate::planted::Fault;
use crate::{assert_caught, until_caught, waiting, watching};

faults! {
    until caught by waiting:
    a_code_forgotten_early_is_caught: ForgetsEarly [
        "expiry: a live code is not forgotten before it expires",
        "expiry: a redeemed code is not forgotten before it expires"
    ]
    a_redeemed_code_forgotten_early_is_caught: RedeemedIsForgottenEarly [
        "expiry: a redeemed code is not forgotten before it expires"
    ]
    a_life_cut_to_whole_seconds_is_caught: CutsLifeToSeconds [
        "expiry: a live code is not forgotten before it expires"
    ]
    an_end_cut_to_whole_seconds_is_caught: CutsEndToSeconds [
        "expiry: an end that is no whole second is not rounded down"
    ]
    a_restored_code_forgotten_early_is_caught: RestoreForgetsTheEnd [
        "expiry: a restored code is not forgotten before it expires"
    ]
    a_restore_that_prolongs_a_life_is_caught: RestoreProlongs [
        "expiry: a restore does not prolong a life",
        "expiry: a restore of an expired code gives it no new life"
    ]
    a_restore_that_revives_a_vanished_record_is_caught: RestoreRevives [
        "expiry: a restore revives nothing that has vanished"
    ]
    a_new_binding_with_an_old_mark_is_caught: InsertOverExpiredKeepsTheMark [
        "expiry: a code bound anew after it expired is a new code"
    ]
    a_life_that_ends_four_tenths_of_a_second_early_is_caught: ForgetsFourTenthsEarly [
        "expiry: a live code is not forgotten before it expires",
        "expiry: a redeemed code is not forgotten before it expires"
    ]
    an_end_rounded_to_whole_seconds_is_caught: RoundsEndToSeconds [
        "expiry: an end that is no whole second is not rounded down"
    ]
    a_life_below_a_second_refused_is_caught: RefusesShortLives [
        "expiry: a life shorter than a second is a life"
    ]
    a_life_below_a_second_taken_for_none_is_caught: CutsLifeToSeconds [
        "expiry: a life shorter than a second is a life"
    ]
    an_insert_over_a_code_in_its_last_second_is_caught: InsertOverwritesInTheLastSecond [
        "expiry: a code is occupied until it expires"
    ]
    an_old_end_that_deletes_the_new_binding_is_caught: OldEndDeletesTheNew [
        "expiry: a code bound anew after it expired is a new code"
    ]
}

faults! {
    all at once, in what_shows_after_some_seconds_is_caught, until caught by watching:
    a_redeemed_code_forgotten_after_three_seconds_is_caught: RedeemedIsForgottenAfterThreeSeconds [
        "expiry: a redeemed code with a long life is still there at the end of the suite"
    ]
    a_life_of_an_octet_of_seconds_is_caught: KeepsAnOctetOfTheSeconds [
        "expiry: a code with a long life is still there at the end of the suite",
        "expiry: a redeemed code with a long life is still there at the end of the suite"
    ]
    a_life_of_sixteen_bits_of_milliseconds_is_caught: KeepsSixteenBitsOfTheMilliseconds [
        "expiry: a code with a long life is still there at the end of the suite"
    ]
    a_life_of_32_bits_of_nanoseconds_is_caught: KeepsThirtyTwoBitsOfTheNanoseconds [
        "expiry: a code with a long life is still there at the end of the suite",
        "expiry: a redeemed code with a long life is still there at the end of the suite"
    ]
    a_life_of_a_byte_of_tenths_is_caught: KeepsAByteOfTheTenths [
        "expiry: a code with a long life is still there at the end of the suite",
        "expiry: a redeemed code with a long life is still there at the end of the suite"
    ]
    a_wrong_proof_that_shortens_the_life_is_caught: WrongProofShortensTheLife [
        "expiry: a code with a long life is still there at the end of the suite"
    ]
    a_replay_that_shortens_the_life_is_caught: ReplayShortensTheLife [
        "expiry: a redeemed code with a long life is still there at the end of the suite"
    ]
    a_code_without_a_challenge_forgotten_early_is_caught: NoChallengeIsForgottenAfterThreeSeconds [
        "expiry: a code with a long life is still there at the end of the suite",
        "expiry: a redeemed code with a long life is still there at the end of the suite",
        "expiry: a restored code with a long life is still there at the end of the suite"
    ]
    a_burned_code_forgotten_early_is_caught: BurnedIsForgottenAfterThreeSeconds [
        "expiry: a burned code with a long life is still there at the end of the suite"
    ]
    a_restored_code_forgotten_after_three_seconds_is_caught: RestoredIsForgottenAfterThreeSeconds [
        "expiry: a restored code with a long life is still there at the end of the suite"
    ]
    a_mark_that_ages_out_is_caught: MarkAgesOut [
        "expiry: a redeemed code with a long life is still there at the end of the suite",
        "expiry: a burned code with a long life is still there at the end of the suite"
    ]
    a_resend_that_ages_out_is_caught: ResendAgesOut [
        "expiry: a redeemed code with a long life is still there at the end of the suite",
        "expiry: a burned code with a long life is still there at the end of the suite"
    ]
    an_insert_over_an_old_code_is_caught: InsertOverwritesAfterThreeSeconds [
        "expiry: a code with a long life is still there at the end of the suite",
        "expiry: a restored code with a long life is still there at the end of the suite"
    ]
    an_insert_over_a_code_redeemed_long_ago_is_caught: InsertOverwritesRedeemedAfterThreeSeconds [
        "expiry: a redeemed code with a long life is still there at the end of the suite"
    ]
    a_restore_by_anybody_after_a_while_is_caught: RestoreByAnybodyAfterThreeSeconds [
        "expiry: a redeemed code with a long life is still there at the end of the suite",
        "expiry: a burned code with a long life is still there at the end of the suite"
    ]
    a_restore_that_comes_too_late_is_caught: RestoreAgesOut [
        "expiry: a redeemed code with a long life is still there at the end of the suite",
        "expiry: a burned code with a long life is still there at the end of the suite"
    ]
}
