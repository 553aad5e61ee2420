//! `MemoryStore` beside a concurrent map and a concurrent cache; and its longest call while a million codes expire.
#![expect(clippy::unwrap_used, reason = "the records are known to be right")]

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group};
use pkce_benches::paired::{median, ratio};
use pkce_benches::report::{self, Target};
use pkce_benches::requests::octets;
use pkce_benches::rivals::{Dash, Moka, Store};
use pkce_core::store::{Attempt, Binding, BindingParts, CodeDigest, Proof, Ticket};
use pkce_core::{MemoryStore, Timestamp};

const MINUTE: Duration = Duration::from_mins(1);
const MILLION: u64 = 1_000_000;

fn digest(number: u64) -> CodeDigest {
    CodeDigest::from_bytes(octets(number))
}

fn binding(at: Timestamp) -> Binding {
    Binding::from_parts(BindingParts {
        method: "S256",
        proof: Some(&[7; 32]),
        grant: None,
        issued_at: at,
        expires_at: at.saturating_add(MINUTE),
    })
    .unwrap()
}

fn attempt(at: Timestamp) -> Attempt {
    Attempt::new(Some(Proof::from_bytes([7; 32])), Ticket::from_bytes([3; 16]), at)
}

/// How long two threads take to insert and redeem so many codes each. Each code is redeemed when its thread has
/// inserted so many others.
fn two_threads<S: Store>(store: &S, codes: usize, others: usize) -> Duration {
    let barrier = Barrier::new(2);
    let work = |first: u64| {
        let codes: Vec<CodeDigest> = (first..).take(codes).map(digest).collect();
        let now = Timestamp::now();
        let (binding, attempt) = (binding(now), attempt(now));
        barrier.wait();
        let start = Instant::now();
        for index in 0..codes.len() + others {
            if let Some(code) = codes.get(index) {
                assert!(store.insert(code, &binding));
            }
            if let Some(code) = index.checked_sub(others).and_then(|index| codes.get(index)) {
                assert!(store.redeem(code, &attempt).is_some());
            }
        }
        start.elapsed()
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| work(1 << 40));
        let elapsed = work(0);
        elapsed.max(other.join().unwrap())
    })
}

/// The longest call while a million codes expire within a second, or within a minute, and as many others come.
fn longest_call(expire_within: Duration) -> Duration {
    let time = Arc::new(AtomicU64::new(1_000_000));
    let now = || Timestamp::from_epoch_millis(time.load(Relaxed));
    let store = MemoryStore::builder().clock({
        let time = Arc::clone(&time);
        move || Timestamp::from_epoch_millis(time.load(Relaxed))
    });
    let store = store.build();
    let (start, life) = (now(), u64::try_from(expire_within.as_millis()).unwrap());
    let advance = |number| time.store(start.as_epoch_millis() + number * life / MILLION, Relaxed);
    for number in 0..MILLION {
        advance(number);
        assert!(store.insert(&digest(number), &binding(now())));
    }
    let mut longest = Duration::ZERO;
    for number in 0..MILLION {
        advance(number);
        time.fetch_add(61_000, Relaxed);
        let (code, binding) = (digest(MILLION + number), binding(now()));
        let call = Instant::now();
        let inserted = store.insert(&code, &binding);
        longest = longest.max(call.elapsed());
        assert!(inserted);
    }
    longest
}

fn criteria(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("insert and redeem on two threads");
    group.sample_size(10).warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_millis(200));
    let codes = |iterations| usize::try_from(iterations).unwrap();
    group.bench_function("MemoryStore", |bencher| {
        bencher.iter_custom(|iterations| two_threads(&MemoryStore::new(), codes(iterations), 1_000));
    });
    group.bench_function("DashMap", |bencher| {
        bencher.iter_custom(|iterations| two_threads(&Dash::default(), codes(iterations), 1_000));
    });
    group.bench_function("moka", |bencher| {
        bencher.iter_custom(|iterations| two_threads(&Moka::default(), codes(iterations), 1_000));
    });
    group.finish();
}

fn targets() {
    for (others, pairs) in [(0, 31), (1_000, 31), (100_000, 31)] {
        let ours = || two_threads(&MemoryStore::new(), 100_000, others);
        let name = |rival| format!("insert and redeem, {others} other codes between: rate / {rival}");
        let dash = 1.0 / ratio(pairs, ours, || two_threads(&Dash::default(), 100_000, others));
        report::target(&name("DashMap"), dash, Target::AtLeast(1.0));
        let moka = 1.0 / ratio(9, ours, || two_threads(&Moka::default(), 100_000, others));
        report::target(&name("moka"), moka, Target::AtLeast(8.0));
    }
    for within in [Duration::from_secs(1), MINUTE] {
        let calls: Vec<f64> = (0..9).map(|_| longest_call(within).as_secs_f64() * 1e3).collect();
        let name = format!("longest call in ms while a million codes expire within {within:?}");
        report::target(&name, median(calls), Target::AtMost(2.0));
    }
}

criterion_group!(benches, criteria);

fn main() {
    benches();
    if report::is_measuring() {
        targets();
    }
    Criterion::default().configure_from_args().final_summary();
}
