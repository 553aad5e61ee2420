//! The inputs that are kept, without a fuzzer.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use pkce_fuzz::TARGETS;

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora").join(name);
    fs::read_dir(folder).unwrap().map(|file| fs::read(file.unwrap().path()).unwrap()).collect()
}

#[test]
fn no_kept_input_is_read_differently() {
    for target in TARGETS {
        for input in corpus(target.name) {
            (target.check)(&input);
        }
    }
}

#[test]
fn every_target_finds_its_planted_difference_among_the_kept_inputs() {
    for target in TARGETS {
        let finds = |input: &Vec<u8>| catch_unwind(AssertUnwindSafe(|| (target.planted)(input))).is_err();
        assert!(corpus(target.name).iter().any(finds), "{}", target.name);
    }
}

#[test]
fn every_target_has_inputs_that_pass_and_inputs_that_its_fault_does_not_touch() {
    for target in TARGETS {
        let untouched = |input: &Vec<u8>| catch_unwind(AssertUnwindSafe(|| (target.planted)(input))).is_ok();
        assert!(corpus(target.name).iter().filter(|input| untouched(input)).count() > 1, "{}", target.name);
    }
}
