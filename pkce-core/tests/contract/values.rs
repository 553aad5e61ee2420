//! Faults of stores that compare something else than the bytes of a value.

use crate::planted::{Fault, Mangle};
use crate::{is_caught, steady};

/// Each way to compare is caught by one of these cases.
fn every_one_is_caught(fault: fn(Mangle) -> Fault, cases: [&str; 2]) {
    for mangle in Mangle::ALL {
        let report = steady(fault(mangle));
        assert!(cases.iter().any(|case| is_caught(&report, case)), "{mangle:?} is not caught:\n{report}");
    }
}

#[test]
fn proofs_that_are_not_compared_byte_by_byte_are_caught() {
    let cases =
        ["redeem: a proof that differs in one bit is refused", "redeem: a proof that is alike as text is refused"];
    every_one_is_caught(Fault::Proof, cases);
}

#[test]
fn resent_tickets_that_are_not_compared_byte_by_byte_are_caught() {
    let cases = [
        "replay: a ticket that differs in one bit is another ticket",
        "replay: a ticket that is alike as text is another ticket",
    ];
    every_one_is_caught(Fault::ResentTicket, cases);
}

#[test]
fn restored_tickets_that_are_not_compared_byte_by_byte_are_caught() {
    let cases = [
        "replay: a ticket that differs in one bit is another ticket",
        "replay: a ticket that is alike as text is another ticket",
    ];
    every_one_is_caught(Fault::RestoredTicket, cases);
}

#[test]
fn codes_that_are_not_compared_byte_by_byte_are_caught() {
    let cases = [
        "isolation: codes that differ in one bit are different codes",
        "isolation: codes that are alike as text are different codes",
    ];
    every_one_is_caught(Fault::Key, cases);
}
