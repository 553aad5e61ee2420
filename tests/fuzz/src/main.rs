//! Runs one target under libFuzzer: the one that `PKCE_FUZZ_TARGET` names, with its fault if `PKCE_FUZZ_PLANTED` is set.
//! `tests/fuzz/run` builds and starts it.
#![no_main]
#![expect(clippy::panic, reason = "a wrong name ends the program")]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pkce_fuzz::TARGETS;

static CHECK: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("PKCE_FUZZ_TARGET").unwrap_or_default();
    let Some(target) = TARGETS.iter().find(|target| target.name == name) else {
        panic!("PKCE_FUZZ_TARGET is one of {:?}", TARGETS.map(|target| target.name));
    };
    if std::env::var_os("PKCE_FUZZ_PLANTED").is_some() { target.planted } else { target.check }
});

fuzz_target!(|bytes: &[u8]| CHECK(bytes));
