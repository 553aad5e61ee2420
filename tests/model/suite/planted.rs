//! Each fault that the design avoids breaks a promise, and the search finds it.

use pkce_model::properties::{DOCUMENTED, ONCE, RESTORED, RIGHT, SERVED, TRUE_REPLAY, UNHINDERED};
use pkce_model::{Bound, Caller, Planted, Protocol};
use stateright::{Checker, Model};

use Caller::{OtherClient, Right, Wrong};

/// With the fault the promise is broken; without it, by the same requests and the same faults, it is kept.
fn breaks(planted: Planted, protocol: Protocol, promise: &'static str) {
    assert!([ONCE, RIGHT, UNHINDERED, TRUE_REPLAY, RESTORED, SERVED, DOCUMENTED].contains(&promise));
    let sound = protocol.clone().checker().threads(2).spawn_bfs().join();
    assert!(sound.discovery(promise).is_none(), "{promise:?} is broken without {planted:?}");
    let broken = Protocol { planted: Some(planted), ..protocol }.checker().threads(2).spawn_bfs().join();
    assert!(broken.discovery(promise).is_some(), "{planted:?} does not break {promise:?}");
}

fn with_faults(faults: u8, callers: &[Caller]) -> Protocol {
    Protocol { faults, ..Protocol::of(callers) }
}

#[test]
fn a_restore_by_any_ticket_lets_two_be_served() {
    breaks(Planted::RestoreByAnyTicket, with_faults(1, &[Right, Right, Right]), ONCE);
}

#[test]
fn a_restore_by_a_late_ticket_lets_two_be_served() {
    breaks(Planted::RestoreByALateTicket, with_faults(1, &[Right, Right, Right]), ONCE);
}

#[test]
fn a_restore_after_expiry_that_records_the_code_anew_lets_two_be_served() {
    let protocol = Protocol { time: true, ..with_faults(1, &[Right, Right, Right]) };
    breaks(Planted::RestoreRevives, protocol, ONCE);
}

#[test]
fn an_insert_that_overwrites_lets_two_be_served() {
    breaks(Planted::InsertOverwrites, with_faults(1, &[Right, Right]), ONCE);
}

#[test]
fn a_mark_on_a_wrong_proof_hinders_the_client() {
    breaks(Planted::MarksOnAWrongProof, with_faults(0, &[Right, Wrong]), UNHINDERED);
}

#[test]
fn a_check_and_a_mark_in_two_steps_let_two_be_served() {
    breaks(Planted::ChecksThenMarks, with_faults(0, &[Right, Right]), ONCE);
}

#[test]
fn a_redemption_that_is_not_recognised_when_it_is_sent_again_is_taken_for_a_replay() {
    breaks(Planted::RedeemForgetsItsTicket, with_faults(1, &[Right]), TRUE_REPLAY);
}

#[test]
fn a_failed_redemption_that_is_not_taken_back_leaves_the_code_redeemed_by_nobody() {
    breaks(Planted::TakesNothingBack, with_faults(1, &[Right]), RESTORED);
}

#[test]
fn a_restore_after_a_hang_up_lets_two_be_served() {
    breaks(Planted::RestoresAfterAHangUp, with_faults(1, &[Right, Right]), ONCE);
}

#[test]
fn a_client_that_is_compared_after_the_mark_hinders_the_right_one() {
    let protocol = Protocol { bound: Bound::ChallengeAndClient, ..with_faults(0, &[Right, OtherClient]) };
    breaks(Planted::ComparesTheClientAfterTheMark, protocol.clone(), UNHINDERED);
    breaks(Planted::ComparesTheClientAfterTheMark, protocol.clone(), SERVED);
    breaks(Planted::ComparesTheClientAfterTheMark, protocol, TRUE_REPLAY);
}

#[test]
fn a_replay_on_any_proof_lets_a_stranger_revoke() {
    breaks(Planted::ReplaysOnAnyProof, with_faults(0, &[Right, Wrong]), TRUE_REPLAY);
}

#[test]
fn a_burned_code_taken_for_a_redeemed_one_lets_a_stranger_revoke() {
    let protocol = Protocol { burns: true, ..with_faults(0, &[Right, Wrong]) };
    breaks(Planted::ReplaysABurnedCode, protocol, TRUE_REPLAY);
}

#[test]
fn expiry_that_is_left_to_the_store_serves_too_late() {
    let protocol = Protocol { time: true, ..with_faults(0, &[Right]) };
    breaks(Planted::IgnoresExpiry, protocol, RIGHT);
}
