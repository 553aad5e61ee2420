//! The contract suite, proved on a store that keeps the contract and on one planted fault after the other.

#![expect(clippy::expect_used, clippy::panic, reason = "a test may fail")]

mod planted;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pkce_core::contract::{Contract, Finding, Outcome, Report, check};
use pkce_core::store::ChallengeStore;
use planted::{Fault, Planted};
use tokio::runtime::{Builder, Runtime};

/// Through two handles, and with fewer codes than by default: the tests run side by side.
fn suite(fault: Fault) -> Contract {
    let store = Planted::new(fault);
    Contract::new(store.clone()).also_through(store).live_codes(200)
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// Without what takes long.
fn steady(fault: Fault) -> Report {
    runtime().block_on(suite(fault).without_real_time().race_time(Duration::ZERO).check())
}

/// With little patience, for stores that answer nobody any more.
fn dropping(fault: Fault) -> Report {
    let patience = Duration::from_secs(3);
    runtime().block_on(suite(fault).without_real_time().race_time(Duration::ZERO).patience(patience).check())
}

fn waiting(fault: Fault) -> Report {
    runtime().block_on(suite(fault).race_time(Duration::ZERO).long_life(Duration::ZERO).check())
}

/// With the default for a long life.
fn watching(fault: Fault) -> Report {
    runtime().block_on(suite(fault).race_time(Duration::ZERO).check())
}

fn racing(fault: Fault) -> Report {
    alone(suite(fault).without_real_time().race_time(Duration::from_secs(6)))
}

/// One race at a time: two would take each other's cores.
fn alone(contract: Contract) -> Report {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    runtime().block_on(contract.check())
}

fn is_caught(report: &Report, case: &str) -> bool {
    report.failed().any(|finding| format!("{}: {}", finding.family(), finding.case()) == case)
}

fn assert_caught(report: &Report, fault: Fault, cases: &[&str]) {
    for case in cases {
        assert!(is_caught(report, case), "{fault:?} is not caught by \"{case}\":\n{report}");
    }
}

/// A race shows a fault with a good chance, not for certain, and on a busy machine with less of one. There a look shortly
/// before an end comes too late.
fn until_caught(suite: fn(Fault) -> Report, fault: Fault, cases: &[&str]) -> Report {
    let mut report = suite(fault);
    for _ in 0..8 {
        if cases.iter().all(|case| is_caught(&report, case)) {
            break;
        }
        report = suite(fault);
    }
    report
}

/// Which faults are caught by which cases.
macro_rules! faults {
    (until caught by $suite:ident: $($test:ident: $fault:ident [$($case:literal),+])+) => {$(
        #[test]
        fn $test() {
            let cases = [$($case),+];
            assert_caught(&until_caught($suite, Fault::$fault, &cases), Fault::$fault, &cases);
        }
    )+};
    ($suite:ident: $($test:ident: $fault:ident [$($case:literal),+])+) => {$(
        #[test]
        fn $test() {
            let report = $suite(Fault::$fault);
            assert_caught(&report, Fault::$fault, &[$($case),+]);
        }
    )+};
}

#[test]
fn a_store_that_keeps_the_contract_passes_with_the_default_settings() {
    alone(Contract::new(Planted::new(Fault::None))).assert_passed();
}

#[test]
fn a_store_that_never_forgets_keeps_the_contract() {
    alone(suite(Fault::NeverForgets)).assert_passed();
}

#[test]
fn a_store_that_takes_its_time_keeps_the_contract() {
    runtime().block_on(suite(Fault::TakesTime).contested_rounds(10).check()).assert_passed();
}

#[tokio::test]
async fn a_store_that_takes_its_time_can_be_raced_on_one_thread() {
    suite(Fault::TakesTime).without_real_time().contested_rounds(10).check().await.assert_passed();
}

#[tokio::test]
async fn races_on_one_thread_against_a_store_that_never_waits_are_inconclusive() {
    let report = suite(Fault::RedeemUnlocksBetweenReadAndWrite).without_real_time().check().await;
    assert_eq!(report.failed().count(), 0, "{report}");
    assert!(!report.passed());
    for finding in report.findings() {
        let inconclusive = matches!(finding.outcome(), Outcome::Inconclusive { .. });
        assert_eq!(inconclusive, finding.family() == "race", "{finding}");
    }
    let why = "calls overlapped in 0 of 20 rounds, and must in 50: it takes a multi-threaded runtime with at least two \
               workers (this one has 1) and an idle core for each";
    let outcome = report.inconclusive().next().map(Finding::outcome);
    assert_eq!(outcome, Some(&Outcome::Inconclusive { why: why.to_owned() }));
}

#[tokio::test]
async fn the_suite_takes_any_handle_to_a_store() {
    let store: Arc<dyn ChallengeStore> = Arc::new(Planted::new(Fault::RestoreDoesNothing));
    let report = check(Arc::clone(&store)).await;
    assert_caught(&report, Fault::RestoreDoesNothing, &["restore: the ticket that redeemed a code restores it"]);
}

#[test]
fn the_cases_that_wait_can_be_left_out() {
    let report = steady(Fault::ForgetsEarly);
    assert!(report.findings().iter().all(|finding| finding.family() != "expiry"));
}

#[test]
fn a_life_that_is_capped_is_caught_if_it_is_watched_for_longer() {
    let suite = suite(Fault::CapsLifeAtSevenSeconds).race_time(Duration::ZERO).long_life(Duration::from_secs(8));
    let report = runtime().block_on(suite.check());
    let cases = [
        "expiry: a code with a long life is still there at the end of the suite",
        "expiry: a redeemed code with a long life is still there at the end of the suite",
    ];
    assert_caught(&report, Fault::CapsLifeAtSevenSeconds, &cases);
}

#[test]
fn a_panic_in_the_store_fails_the_case_and_not_the_suite() {
    let report = racing(Fault::Panics);
    let unknown = report.failed().find(|finding| finding.case() == "an unknown code is unknown, and stays free");
    let panicked = Outcome::Failed {
        expected: "an answer".to_owned(),
        seen: "a panic: the connection pool is poisoned".to_owned(),
    };
    assert_eq!(unknown.map(Finding::outcome), Some(&panicked));
    assert_caught(&report, Fault::Panics, &["race: of many right proofs exactly one is the first"]);
}

#[test]
fn a_store_that_never_answers_fails_the_case_and_not_the_suite() {
    let patience = Duration::from_millis(25);
    let report = runtime().block_on(suite(Fault::Hangs).without_real_time().patience(patience).check());
    let hung = Outcome::Failed { expected: "an answer".to_owned(), seen: "none within 25ms".to_owned() };
    assert!(report.failed().all(|finding| *finding.outcome() == hung), "{report}");
    assert_caught(&report, Fault::Hangs, &["redeem: the right proof is the first"]);
    assert_caught(&report, Fault::Hangs, &["race: of many right proofs exactly one is the first"]);
}

#[test]
#[should_panic(
    expected = "the store does not keep the contract\nFAILED        restore    an unknown code stays unknown"
)]
fn a_broken_contract_is_reported_with_what_was_expected_and_seen() {
    steady(Fault::RestoreCreates).assert_passed();
}

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
    a_proof_compared_in_part_is_caught: ProofIsComparedInPart ["redeem: a proof that differs in one bit is refused"]
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
    a_resend_that_is_not_recognised_is_caught: ResendIsNotRecognised ["replay: a redeem sent twice is one redemption"]
    a_resend_that_is_forgotten_after_a_replay_is_caught: ResendIsRecognisedUntilAReplay [
        "replay: a resend is recognised after others have failed"
    ]
    a_replay_that_takes_over_is_caught: ReplayTakesOver [
        "replay: replays change nothing",
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
        "replay: replays change nothing"
    ]
    a_code_that_can_be_restored_eight_times_only_is_caught: RestoresEightTimes [
        "restore: a code can be restored many times"
    ]
    a_restore_that_creates_a_record_is_caught: RestoreCreates ["restore: an unknown code stays unknown"]
    a_lost_method_is_caught: LosesMethod ["fidelity: the method survives"]
    a_lost_proof_is_caught: LosesProof ["fidelity: the proof survives, whatever its octets"]
    a_lost_grant_is_caught: LosesGrant ["fidelity: a grant of any octets survives"]
    an_empty_grant_read_as_none_is_caught: LosesEmptyGrant ["fidelity: an empty grant stays an empty grant"]
    no_grant_read_as_an_empty_one_is_caught: LosesNoGrant ["fidelity: no grant stays no grant"]
    a_grant_kept_as_text_is_caught: LosesOddOctets ["fidelity: a grant of any octets survives"]
    a_large_grant_cut_short_is_caught: LosesEndOfLargeGrant ["fidelity: a large grant survives"]
    a_trimmed_grant_is_caught: LosesBlanksAtTheEnd ["fidelity: a grant of any octets survives"]
    a_lost_issued_at_is_caught: LosesIssuedAt ["fidelity: the times survive to the millisecond"]
    a_lost_expires_at_is_caught: LosesExpiresAt ["fidelity: the times survive to the millisecond"]
    times_cut_to_seconds_are_caught: CutsTimesToSeconds ["fidelity: the times survive to the millisecond"]
    a_lost_ticket_is_caught: LosesTicket ["fidelity: the ticket survives, whatever its octets"]
    a_lost_time_of_redemption_is_caught: LosesAt ["fidelity: the time of the redemption survives to the millisecond"]
    a_time_of_redemption_cut_to_seconds_is_caught: CutsAtToSeconds [
        "fidelity: the time of the redemption survives to the millisecond"
    ]
    a_key_shared_by_all_codes_is_caught: SharesOneKey [
        "isolation: codes that differ in one bit are different codes",
        "isolation: very many live codes keep their own bindings"
    ]
    a_key_that_is_only_a_prefix_is_caught: KeyIsAPrefix ["isolation: codes that differ in one bit are different codes"]
    a_key_that_folds_case_is_caught: KeyFoldsCase ["isolation: codes that are alike as text are different codes"]
    a_grant_cut_at_64_kib_is_caught: CutsGrantAt64Kib ["fidelity: a large grant survives"]
    a_code_burned_after_forty_wrong_proofs_is_caught: BurnsAfterFortyWrongProofs [
        "redeem: a hundred wrong proofs change nothing"
    ]
    a_code_from_a_clock_that_is_ahead_refused_is_caught: RefusesTheFuture [
        "clocks: a code issued by a clock that is four seconds ahead is live"
    ]
    an_end_reckoned_from_the_issue_is_caught: EndsAMinuteAfterIssue [
        "clocks: a code issued nine minutes ago is live until its end"
    ]
    a_key_that_ends_at_a_zero_is_caught: KeyEndsAtZero ["isolation: codes that are alike as text are different codes"]
    room_made_at_the_cost_of_a_live_code_is_caught: ForgetsTheOldestOfMany [
        "isolation: very many live codes keep their own bindings"
    ]
    handles_that_do_not_share_their_records_are_caught: HandleHasItsOwnRecords [
        "insert: a new code is recorded and can be redeemed"
    ]
}

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
    a_resend_that_is_not_recognised_is_caught_in_a_race: ResendIsNotRecognised [
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
        "expiry: a life that ends between two seconds is not cut"
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
}

faults! {
    watching:
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
}

faults! {
    dropping:
    an_insert_that_is_dropped_half_way_is_caught: InsertDroppedHalfWay [
        "cancelled: an insert that is dropped happened or did not"
    ]
    a_redeem_that_is_dropped_half_way_is_caught: RedeemDroppedHalfWay [
        "cancelled: a redeem that is dropped happened or did not"
    ]
    a_wrong_proof_that_is_dropped_half_way_is_caught: WrongProofDroppedHalfWay [
        "cancelled: a wrong proof that is dropped changes nothing"
    ]
    a_restore_that_is_dropped_half_way_is_caught: RestoreDroppedHalfWay [
        "cancelled: a restore that is dropped happened or did not"
    ]
    a_place_in_a_queue_lost_with_a_dropped_call_is_caught: DroppedWaiterKeepsItsTurn [
        "cancelled: calls that are dropped in a crowd hold up no other"
    ]
    a_connection_lost_with_a_dropped_insert_is_caught: DroppedInsertKeepsItsConnection [
        "cancelled: after very many dropped calls the store answers as before"
    ]
    a_connection_lost_with_a_dropped_redeem_is_caught: DroppedRedeemKeepsItsConnection [
        "cancelled: after very many dropped calls the store answers as before"
    ]
}
