//! Faults that a single caller sees at once.

use crate::planted::{Fault, Part};
use crate::{assert_caught, steady};

faults! {
    steady:
    an_overwriting_insert_is_caught: InsertOverwrites [
        "insert: a live code is occupied and keeps its first binding",
        "insert: a code bound to no challenge is occupied too"
    ]
    an_insert_over_a_redeemed_code_is_caught: InsertOverwritesRedeemed [
        "insert: a redeemed code is occupied and stays redeemed",
        "insert: the same binding inserted twice is one record"
    ]
    an_insert_that_swallows_its_failure_is_caught: SwallowsErrors [
        "insert: a live code is occupied and keeps its first binding"
    ]
    a_redeem_that_marks_on_a_wrong_proof_is_caught: WrongProofMarks [
        "redeem: a wrong proof is refused and changes nothing"
    ]
    a_redeem_that_ignores_the_proof_is_caught: WrongProofIsFirst [
        "redeem: a wrong proof is refused and changes nothing",
        "redeem: a proof that differs in one bit is refused"
    ]
    a_missing_proof_let_through_is_caught: MissingProofIsFirst ["redeem: no proof is refused where one is bound"]
    a_proof_ignored_where_none_is_bound_is_caught: SuperfluousProofIsFirst [
        "redeem: a proof is refused where none is bound"
    ]
    an_absent_proof_kept_as_zeros_is_caught: NoProofIsKeptAsZeros [
        "redeem: a proof of zeros is a proof, not its absence"
    ]
    a_code_that_is_never_redeemed_is_caught: EveryRightProofIsFirst [
        "replay: the right proof is told who redeemed the code, and when"
    ]
    a_resend_that_is_not_recognized_is_caught: ResendIsNotRecognised ["replay: a redeem sent twice is one redemption"]
    a_resend_that_is_forgotten_after_a_replay_is_caught: ResendIsRecognisedUntilAReplay [
        "replay: a resend is recognized after others have failed"
    ]
    a_replay_that_takes_over_is_caught: ReplayTakesOver [
        "replay: three hundred replays change nothing",
        "restore: a foreign ticket restores nothing"
    ]
    a_replay_that_is_judged_by_its_proof_is_caught: ReplayWithWrongProofIsRefused [
        "replay: a wrong or missing proof is told the same"
    ]
    a_redeemed_code_that_is_deleted_is_caught: RedeemedIsForgotten [
        "replay: the right proof is told who redeemed the code, and when",
        "insert: a redeemed code is occupied and stays redeemed"
    ]
    a_restore_that_does_nothing_is_caught: RestoreDoesNothing ["restore: the ticket that redeemed a code restores it"]
    a_restore_that_ignores_the_ticket_is_caught: RestoreIgnoresTheTicket [
        "restore: a foreign ticket restores nothing",
        "restore: an old ticket restores nothing once another has redeemed",
        "replay: a ticket that differs in one bit is another ticket"
    ]
    a_restore_that_takes_a_losers_ticket_is_caught: RestoreTakesAnyTicketOnce [
        "restore: a foreign ticket restores nothing"
    ]
    a_redemption_forgotten_after_twenty_replays_is_caught: RedeemedIsForgottenAfterTwentyReplays [
        "replay: three hundred replays change nothing"
    ]
    a_code_that_can_be_restored_eight_times_only_is_caught: RestoresEightTimes [
        "restore: a code can be restored many times"
    ]
    a_restore_that_creates_a_record_is_caught: RestoreCreates ["restore: an unknown code stays unknown"]
    a_lost_method_is_caught: LosesMethod ["fidelity: the method survives"]
    a_lost_proof_is_caught: LosesProof ["fidelity: the proof survives, whatever its bytes"]
    a_lost_grant_is_caught: LosesGrant ["fidelity: a grant of any bytes survives"]
    an_empty_grant_read_as_none_is_caught: LosesEmptyGrant ["fidelity: an empty grant stays an empty grant"]
    no_grant_read_as_an_empty_one_is_caught: LosesNoGrant ["fidelity: no grant stays no grant"]
    a_grant_kept_as_text_is_caught: LosesOddOctets ["fidelity: a grant of any bytes survives"]
    a_large_grant_cut_short_is_caught: LosesEndOfLargeGrant ["fidelity: a large grant survives"]
    a_trimmed_grant_is_caught: LosesBlanksAtTheEnd ["fidelity: a grant of any bytes survives"]
    a_lost_issued_at_is_caught: LosesIssuedAt ["fidelity: the times survive to the millisecond"]
    a_lost_expires_at_is_caught: LosesExpiresAt ["fidelity: the times survive to the millisecond"]
    times_cut_to_seconds_are_caught: CutsTimesToSeconds ["fidelity: the times survive to the millisecond"]
    a_lost_ticket_is_caught: LosesTicket ["fidelity: the ticket survives, whatever its bytes"]
    a_lost_time_of_redemption_is_caught: LosesAt ["fidelity: the time of the redemption survives to the millisecond"]
    a_time_of_redemption_cut_to_seconds_is_caught: CutsAtToSeconds [
        "fidelity: the time of the redemption survives to the millisecond"
    ]
    a_key_shared_by_all_codes_is_caught: SharesOneKey [
        "isolation: codes that differ in one bit are different codes",
        "isolation: very many live codes keep their own bindings"
    ]
    a_grant_cut_at_64_kib_is_caught: CutsGrantAt64Kib ["fidelity: a large grant survives"]
    a_code_burned_after_forty_wrong_proofs_is_caught: BurnsAfterFortyWrongProofs [
        "redeem: three hundred wrong proofs change nothing"
    ]
    a_code_from_a_clock_that_is_ahead_refused_is_caught: RefusesTheFuture [
        "clocks: a code issued by a clock that is 4.9 seconds ahead is live"
    ]
    an_end_reckoned_from_the_issue_is_caught: EndsAMinuteAfterIssue [
        "clocks: a code issued nine minutes ago is live until its end"
    ]
    room_made_at_the_cost_of_a_live_code_is_caught: ForgetsTheOldestOfMany [
        "isolation: very many live codes keep their own bindings"
    ]
    handles_that_do_not_share_their_records_are_caught: HandleHasItsOwnRecords [
        "insert: a new code is recorded and can be redeemed"
    ]
    an_insert_that_ignores_the_method_is_caught: InsertIgnores(Part::Method) [
        "insert: a binding that differs in one part is another binding"
    ]
    an_insert_that_ignores_the_proof_is_caught: InsertIgnores(Part::Proof) [
        "insert: a binding that differs in one part is another binding"
    ]
    an_insert_that_ignores_the_grant_is_caught: InsertIgnores(Part::Grant) [
        "insert: a binding that differs in one part is another binding"
    ]
    an_insert_that_ignores_the_issue_is_caught: InsertIgnores(Part::IssuedAt) [
        "insert: a binding that differs in one part is another binding"
    ]
    an_insert_that_ignores_the_end_is_caught: InsertIgnores(Part::ExpiresAt) [
        "insert: a binding that differs in one part is another binding"
    ]
    an_insert_over_a_restored_code_is_caught: InsertOverwritesRestored [
        "insert: a restored code is occupied and stays live",
        "insert: a binding that differs in one part is another binding"
    ]
    an_absence_that_is_cached_is_caught: RemembersTheUnknown [
        "redeem: an unknown code is unknown, and stays free"
    ]
    a_unique_index_on_proofs_is_caught: UniqueProof [
        "isolation: codes with the same binding are different codes"
    ]
    a_unique_index_on_grants_is_caught: UniqueGrant [
        "isolation: codes with the same binding are different codes"
    ]
    a_unique_index_on_issues_is_caught: UniqueIssuedAt [
        "isolation: codes with the same binding are different codes"
    ]
    a_unique_index_on_ends_is_caught: UniqueExpiresAt [
        "isolation: codes with the same binding are different codes"
    ]
    a_unique_index_on_times_of_redemption_is_caught: UniqueRedeemedAt [
        "isolation: codes with the same binding are different codes"
    ]
    a_unique_index_on_tickets_is_caught: UniqueTicket [
        "restore: two burned codes are two redemptions"
    ]
    a_code_that_ends_another_of_the_same_grant_is_caught: OneCodePerGrant [
        "isolation: codes with the same binding are different codes"
    ]
    a_redeem_by_proof_alone_is_caught: RedeemsByProofAlone [
        "isolation: codes with the same binding are different codes"
    ]
    a_resend_told_by_its_ticket_alone_is_caught: ResendByTicketAlone [
        "restore: two burned codes are two redemptions"
    ]
    a_burned_code_taken_for_a_live_one_is_caught: BurnedIsNotRedeemed [
        "redeem: the burned ticket redeems like any other"
    ]
    a_burned_code_restored_by_any_ticket_is_caught: BurnedIsRestoredByAnyTicket [
        "redeem: the burned ticket redeems like any other"
    ]
    a_burned_ticket_that_is_always_a_replay_is_caught: BurnedIsAlwaysAReplay [
        "redeem: the burned ticket redeems like any other",
        "restore: two burned codes are two redemptions"
    ]
    an_attempt_before_the_issue_refused_is_caught: RefusesAttemptsBeforeTheIssue [
        "clocks: an attempt 4.9 seconds before the issue redeems the code",
        "clocks: a code issued by a clock that is 4.9 seconds ahead is live"
    ]
    an_attempt_from_the_future_refused_is_caught: RefusesAttemptsFromTheFuture [
        "clocks: an attempt one millisecond before the end redeems the code",
        "clocks: a replay is one at any time before the end"
    ]
    a_code_that_ends_a_second_early_by_the_attempts_clock_is_caught: ForgetsOneSecondEarlyByTheAttempt [
        "clocks: an attempt one millisecond before the end redeems the code"
    ]
    a_replay_before_the_winner_served_is_caught: ReplayBeforeTheWinnerIsFirst [
        "clocks: a replay is one at any time before the end"
    ]
    a_replay_within_a_second_served_is_caught: ReplayWithinASecondIsFirst [
        "clocks: a replay is one at any time before the end"
    ]
    a_replay_after_twenty_seconds_served_is_caught: ReplayAfterTwentySecondsIsFirst [
        "clocks: a replay is one at any time before the end"
    ]
    a_replay_after_four_minutes_unknown_is_caught: ReplayAfterFourMinutesIsUnknown [
        "clocks: a replay is one at any time before the end"
    ]
    a_replay_that_moves_the_time_is_caught: ReplayMovesTheTime [
        "clocks: a replay is one at any time before the end"
    ]
    a_replay_that_moves_the_time_back_is_caught: ReplayMovesTheTimeBack [
        "clocks: a replay is one at any time before the end"
    ]
    wrong_proofs_counted_in_a_byte_are_caught: WrongProofsOverflowAByte [
        "redeem: three hundred wrong proofs change nothing"
    ]
    replays_counted_in_a_byte_are_caught: ReplaysOverflowAByte [
        "replay: three hundred replays change nothing"
    ]
    a_proof_that_is_absent_and_equals_nothing_is_caught: NoProofNeverEqualsNone [
        "redeem: no proof is the first where none is bound",
        "fidelity: the method survives"
    ]
    a_restore_that_deletes_is_caught: RestoreDeletes [
        "restore: the ticket that redeemed a code restores it"
    ]
    a_restore_by_ticket_alone_is_caught: RestoreByTicketAlone [
        "restore: a ticket restores its own code and no other",
        "restore: two burned codes are two redemptions"
    ]
    a_restore_of_nothing_that_is_an_error_is_caught: RestoreOfNothingIsAnError [
        "restore: a code that nobody redeemed stays as it is"
    ]
    a_restore_that_counts_resends_is_caught: RestoreCountsResends [
        "replay: a redeem sent twice is one redemption"
    ]
    a_restore_that_fails_after_a_replay_is_caught: RestoreFailsAfterAReplay [
        "replay: three hundred replays change nothing",
        "restore: a code can be restored many times"
    ]
    a_restore_that_keeps_the_time_is_caught: RestoreKeepsTheTime [
        "restore: a code can be restored many times"
    ]
    a_restore_that_keeps_the_ticket_is_caught: RestoreKeepsTheFirstTicket [
        "restore: a code can be restored many times"
    ]
    a_replay_that_loses_the_grant_is_caught: AgainLosesGrant [
        "fidelity: a grant of any bytes survives",
        "replay: the right proof is told who redeemed the code, and when"
    ]
    a_replay_that_loses_the_method_is_caught: AgainLosesMethod [
        "fidelity: the method survives"
    ]
    a_refusal_that_loses_the_grant_is_caught: RefusedLosesGrant [
        "fidelity: a grant of any bytes survives"
    ]
    a_resend_that_loses_the_grant_is_caught: ResentLosesGrant [
        "fidelity: a grant of any bytes survives"
    ]
    a_time_of_redemption_by_the_servers_clock_is_caught: AtIsTheServersTime [
        "fidelity: the time of the redemption survives to the millisecond"
    ]
    a_time_of_redemption_never_before_the_issue_is_caught: AtIsNeverBeforeTheIssue [
        "clocks: an attempt 4.9 seconds before the issue redeems the code"
    ]
    a_time_of_redemption_never_in_the_future_is_caught: AtIsNeverInTheFuture [
        "clocks: an attempt one millisecond before the end redeems the code"
    ]
    a_time_of_redemption_in_sixteen_bits_is_caught: KeepsAtIn16BitsAfterTheIssue [
        "clocks: an attempt one millisecond before the end redeems the code"
    ]
    a_grant_cut_at_255_bytes_is_caught: CutsGrantAt(255) [
        "fidelity: a grant of any length survives",
        "fidelity: a large grant survives"
    ]
    a_grant_cut_at_1000_bytes_is_caught: CutsGrantAt(1000) [
        "fidelity: a grant of any length survives",
        "fidelity: a large grant survives"
    ]
    a_grant_cut_at_4000_bytes_is_caught: CutsGrantAt(4000) [
        "fidelity: a grant of any length survives",
        "fidelity: a large grant survives"
    ]
    a_grant_cut_at_8000_bytes_is_caught: CutsGrantAt(8000) [
        "fidelity: a grant of any length survives",
        "fidelity: a large grant survives"
    ]
    a_grant_cut_at_65535_bytes_is_caught: CutsGrantAt(65_535) [
        "fidelity: a grant of any length survives",
        "fidelity: a large grant survives"
    ]
    a_grant_cut_at_128_kib_is_caught: CutsGrantAt(131_072) [
        "fidelity: a grant of any length survives",
        "fidelity: a large grant survives"
    ]
    a_length_in_a_byte_is_caught: KeepsAnOctetOfTheGrantsLength [
        "fidelity: a grant of any length survives"
    ]
    a_length_in_two_bytes_is_caught: KeepsSixteenBitsOfTheGrantsLength [
        "fidelity: a grant of any length survives"
    ]
    a_grant_of_whole_blocks_cut_is_caught: DropsWholeBlocks [
        "fidelity: a grant of any length survives"
    ]
    a_grant_reformatted_as_json_is_caught: ReformatsJson [
        "fidelity: a grant of any bytes survives"
    ]
    a_grant_with_its_line_breaks_unified_is_caught: UnifiesLineBreaks [
        "fidelity: a grant of any bytes survives"
    ]
    a_grant_without_its_byte_order_mark_is_caught: DropsTheByteOrderMark [
        "fidelity: a grant of any bytes survives"
    ]
    a_grant_read_as_nothing_is_caught: ReadsFalseAsNothing [
        "fidelity: a grant of any bytes survives"
    ]
    times_kept_in_days_are_caught: KeepsTimesInDays [
        "fidelity: the times survive to the millisecond"
    ]
    times_kept_in_seconds_as_a_float_are_caught: KeepsTimesInSecondsAsFloat [
        "fidelity: the times survive to the millisecond"
    ]
    an_issue_by_the_servers_clock_is_caught: IssuedAtIsTheServersTime [
        "fidelity: the times survive to the millisecond"
    ]
    an_insert_over_a_code_of_another_minute_is_caught: InsertOverwritesAnotherMinute [
        "insert: a binding that differs in one part is another binding"
    ]
    a_ticket_that_is_spent_with_its_restore_is_caught: RestoreSpendsTheTicket [
        "restore: the ticket that redeemed a code restores it"
    ]
    restores_counted_in_a_byte_are_caught: RestoreCountsInAByte ["restore: a code can be restored many times"]
    a_restore_by_the_ticket_of_a_wrong_replay_is_caught: RestoreTakesTheTicketOfAWrongReplay [
        "restore: a foreign ticket restores nothing"
    ]
    a_restore_by_the_ticket_of_a_wrong_proof_is_caught: RestoreTakesTheTicketOfAWrongProof [
        "restore: a foreign ticket restores nothing"
    ]
}
