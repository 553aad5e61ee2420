//! The contract suite, proved on a store that keeps the contract and on one planted fault after the other.

#![expect(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail")]

mod planted;

/// Which faults are caught by which cases.
macro_rules! faults {
    (all at once, in $all:ident, until caught by $suite:ident:
        $($name:ident: $fault:ident $(($with:expr))? [$($case:literal),+])+) => {
        #[test]
        fn $all() {
            std::thread::scope(|scope| {$(
                let caught = || {
                    let (fault, cases) = (Fault::$fault$(($with))?, [$($case),+]);
                    assert_caught(&until_caught($suite, fault, &cases), fault, &cases);
                };
                let named = std::thread::Builder::new().name(stringify!($name).to_owned());
                named.spawn_scoped(scope, caught).expect("a thread");
            )+});
        }
    };
    (until caught by $suite:ident: $($test:ident: $fault:ident $(($with:expr))? [$($case:literal),+])+) => {$(
        #[test]
        fn $test() {
            let (fault, cases) = (Fault::$fault$(($with))?, [$($case),+]);
            assert_caught(&until_caught($suite, fault, &cases), fault, &cases);
        }
    )+};
    ($suite:ident: $($test:ident: $fault:ident $(($with:expr))? [$($case:literal),+])+) => {$(
        #[test]
        fn $test() {
            let fault = Fault::$fault$(($with))?;
            assert_caught(&$suite(fault), fault, &[$($case),+]);
        }
    )+};
}

mod calls;
mod drops;
mod races;
mod values;
mod waits;

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

/// Without the cases that take long.
fn steady(fault: Fault) -> Report {
    runtime().block_on(suite(fault).without_real_time().race_time(Duration::ZERO).check())
}

/// With little patience, for stores that no longer answer.
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

#[test]
fn a_store_that_keeps_the_contract_passes_with_the_default_settings() {
    alone(Contract::new(Planted::new(Fault::None))).assert_passed();
}

#[test]
fn a_store_that_never_forgets_keeps_the_contract() {
    alone(suite(Fault::NeverForgets)).assert_passed();
}

#[test]
fn a_store_that_takes_the_same_binding_twice_keeps_the_contract() {
    alone(suite(Fault::InsertTakesTheSame)).assert_passed();
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
