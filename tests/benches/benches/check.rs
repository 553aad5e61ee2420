//! The complete check of a code verifier, beside a bare SHA-256 of the same characters.
#![expect(clippy::unwrap_used, reason = "the vectors are known to be right")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use pkce_benches::paired::{batch, ratio};
use pkce_benches::report::{self, Target};
use pkce_core::{CodeChallenge, CodeVerifier};
use sha2::{Digest as _, Sha256};

/// Characters, and how much of the bare hash the check may take.
const TARGETS: [(usize, f64); 2] = [(43, 1.25), (128, 1.15)];

fn pair(length: usize) -> (String, CodeChallenge) {
    let verifier: String = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk~.".chars().cycle().take(length).collect();
    let challenge = verifier.parse::<CodeVerifier>().unwrap().challenge();
    (verifier, challenge)
}

fn check(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("check");
    for (length, _) in TARGETS {
        let (verifier, challenge) = pair(length);
        group.throughput(Throughput::Bytes(length as u64));
        group.bench_function(BenchmarkId::new("verify", length), |bencher| {
            bencher.iter(|| black_box(&challenge).verify(black_box(&verifier)));
        });
        group.bench_function(BenchmarkId::new("sha256", length), |bencher| {
            bencher.iter(|| Sha256::digest(black_box(&verifier)));
        });
    }
    group.finish();
}

fn targets() {
    for (length, limit) in TARGETS {
        let (verifier, challenge) = pair(length);
        let ours = || batch(2_000, || black_box(&challenge).verify(black_box(&verifier)));
        let bare = || batch(2_000, || Sha256::digest(black_box(&verifier)));
        let name = format!("check of {length} characters / bare SHA-256");
        report::target(&name, ratio(1_001, ours, bare), Target::AtMost(limit));
    }
}

criterion_group!(benches, check);

fn main() {
    benches();
    if report::is_measuring() {
        targets();
    }
    Criterion::default().configure_from_args().final_summary();
}
