//! `MemoryStore` by its public API, under a clock that a test moves.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use pkce_core::store::{
    Attempt, Binding, BindingParts, ChallengeStore, CodeDigest, Inserted, Proof, Redemption, StoreErrorKind, Ticket,
};
use pkce_core::{MemoryStore, MemoryStoreBuilder, Timestamp};

const START: u64 = 1_700_000_000_250;
/// The beginning of a second.
const SECOND: u64 = 1_700_000_001_000;
const RIGHT: [u8; 32] = [7; 32];

struct Fixture {
    store: Arc<dyn ChallengeStore>,
    concrete: Arc<MemoryStore>,
    clock: Arc<AtomicU64>,
}

impl Fixture {
    fn new(limits: impl FnOnce(MemoryStoreBuilder) -> MemoryStoreBuilder) -> Self {
        let clock = Arc::new(AtomicU64::new(START));
        let hand = Arc::clone(&clock);
        let now = move || Timestamp::from_epoch_millis(hand.load(Ordering::Relaxed));
        let concrete = Arc::new(limits(MemoryStore::builder()).clock(now).build());
        Self { store: Arc::clone(&concrete) as Arc<dyn ChallengeStore>, concrete, clock }
    }

    fn holding(codes: usize) -> Self {
        Self::new(|builder| builder.capacity(codes))
    }

    fn set(&self, millis: u64) {
        self.clock.store(millis, Ordering::Relaxed);
    }

    fn pass(&self, millis: u64) {
        self.clock.fetch_add(millis, Ordering::Relaxed);
    }

    fn binding(&self, lifetime: u64, grant: Option<&[u8]>) -> Binding {
        let from = Timestamp::from_epoch_millis(self.clock.load(Ordering::Relaxed));
        let until = from.saturating_add(Duration::from_millis(lifetime));
        Binding::from_parts(BindingParts {
            method: "S256",
            proof: Some(&RIGHT),
            grant: grant.map(Arc::from),
            issued_at: from,
            expires_at: until,
        })
        .unwrap()
    }

    fn insert(&self, code: u64, lifetime: u64) -> Result<Inserted, StoreErrorKind> {
        self.insert_with(code, &self.binding(lifetime, None))
    }

    fn insert_with(&self, code: u64, binding: &Binding) -> Result<Inserted, StoreErrorKind> {
        at_once(self.store.insert(&digest(code), binding)).map_err(|error| error.kind())
    }

    fn redeem(&self, code: u64, ticket: u8) -> Redemption {
        self.redeem_with(code, Some(RIGHT), ticket)
    }

    fn redeem_with(&self, code: u64, proof: Option<[u8; 32]>, ticket: u8) -> Redemption {
        let at = Timestamp::from_epoch_millis(self.clock.load(Ordering::Relaxed));
        let attempt = Attempt::new(proof.map(Proof::from_bytes), Ticket::from_bytes([ticket; 16]), at);
        at_once(self.store.redeem(&digest(code), &attempt)).unwrap()
    }

    fn restore(&self, code: u64, ticket: u8) {
        at_once(self.store.restore(&digest(code), Ticket::from_bytes([ticket; 16]))).unwrap();
    }

    /// Whether the code is there; changes nothing.
    fn is_live(&self, code: u64) -> bool {
        matches!(self.redeem_with(code, Some([0; 32]), 0), Redemption::Refused(_) | Redemption::Again { .. })
    }
}

/// The memory store never waits.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the memory store waited"),
    }
}

fn digest(code: u64) -> CodeDigest {
    CodeDigest::of(&code.to_be_bytes())
}

#[test]
fn an_insert_never_overwrites_a_live_record() {
    let fixture = Fixture::holding(10);
    let first = fixture.binding(60_000, Some(b"first"));
    assert_eq!(fixture.insert_with(1, &first), Ok(Inserted::Recorded));
    assert_eq!(fixture.insert_with(1, &fixture.binding(60_000, Some(b"second"))), Ok(Inserted::Occupied));
    assert_eq!(fixture.redeem(1, 1), Redemption::First(first.clone()));
    assert_eq!(fixture.insert(1, 60_000), Ok(Inserted::Occupied), "a redeemed record is live too");
    fixture.pass(59_999);
    assert_eq!(fixture.insert(1, 60_000), Ok(Inserted::Occupied));
    assert!(matches!(fixture.redeem(1, 2), Redemption::Again { binding, .. } if binding == first));
    assert_eq!(fixture.concrete.len(), 1);
}

#[test]
fn of_many_threads_exactly_one_is_first() {
    const THREADS: u8 = 8;
    let fixture = Fixture::holding(1000);
    for code in 0..200 {
        assert_eq!(fixture.insert(code, 60_000), Ok(Inserted::Recorded));
    }
    let (first, barrier) = (AtomicUsize::new(0), Barrier::new(usize::from(THREADS)));
    thread::scope(|scope| {
        for ticket in 0..THREADS {
            let (fixture, first, barrier) = (&fixture, &first, &barrier);
            scope.spawn(move || {
                barrier.wait();
                for code in 0..200 {
                    let wrong = fixture.redeem_with(code, Some([ticket; 32]), ticket);
                    assert!(ticket == 7 || !matches!(wrong, Redemption::First(_)));
                    let right = if ticket == 7 { wrong } else { fixture.redeem(code, ticket) };
                    first.fetch_add(usize::from(matches!(right, Redemption::First(_))), Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(first.into_inner(), 200);
}

#[test]
fn a_full_store_says_so_and_keeps_every_live_code() {
    let fixture = Fixture::holding(500);
    for code in 0..500 {
        assert_eq!(fixture.insert(code, 60_000), Ok(Inserted::Recorded));
    }
    fixture.pass(59_999);
    for code in 500..600 {
        assert_eq!(fixture.insert(code, 60_000), Err(StoreErrorKind::Full));
    }
    assert_eq!(fixture.insert(3, 60_000), Ok(Inserted::Occupied));
    assert!((0..500).all(|code| fixture.is_live(code)));
    assert_eq!(fixture.concrete.len(), 500);
}

#[test]
fn threads_at_the_limit_fill_it_exactly() {
    let fixture = Fixture::holding(100);
    let recorded = AtomicUsize::new(0);
    thread::scope(|scope| {
        for thread in 0..4 {
            let (fixture, recorded) = (&fixture, &recorded);
            scope.spawn(move || {
                for code in 0..100 {
                    let inserted = fixture.insert(thread * 1000 + code, 60_000);
                    recorded.fetch_add(usize::from(inserted == Ok(Inserted::Recorded)), Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!((recorded.into_inner(), fixture.concrete.len()), (100, 100));
}

#[test]
fn a_full_store_makes_room_of_what_expired_in_any_shard_to_the_millisecond() {
    let fixture = Fixture::holding(500);
    for code in 0..500 {
        assert_eq!(fixture.insert(code, if code == 77 { 1000 } else { 60_000 }), Ok(Inserted::Recorded));
    }
    fixture.pass(999);
    assert_eq!(fixture.insert(1000, 60_000), Err(StoreErrorKind::Full));
    fixture.pass(1);
    assert_eq!(fixture.insert(1000, 60_000), Ok(Inserted::Recorded));
    assert_eq!(fixture.insert(1001, 60_000), Err(StoreErrorKind::Full));
    assert!((0..500).all(|code| fixture.is_live(code) == (code != 77)));
    fixture.pass(58_999);
    assert_eq!(fixture.insert(1001, 60_000), Err(StoreErrorKind::Full));
    fixture.pass(1);
    for code in 2000..2499 {
        assert_eq!(fixture.insert(code, 60_000), Ok(Inserted::Recorded));
    }
    assert_eq!(fixture.insert(2499, 60_000), Err(StoreErrorKind::Full));
}

#[test]
fn a_store_without_capacity_is_full_from_the_start() {
    assert_eq!(Fixture::holding(0).insert(1, 60_000), Err(StoreErrorKind::Full));
}

#[test]
fn the_bytes_of_grants_are_limited_and_had_back() {
    let fixture = Fixture::new(|builder| builder.grant_capacity(100));
    let (most, rest, none) = (vec![1; 90], vec![2; 10], Vec::new());
    assert_eq!(fixture.insert_with(1, &fixture.binding(1000, Some(&most))), Ok(Inserted::Recorded));
    assert_eq!(fixture.insert_with(2, &fixture.binding(5000, Some(&rest))), Ok(Inserted::Recorded));
    assert_eq!(fixture.insert_with(3, &fixture.binding(1000, Some(b"!"))), Err(StoreErrorKind::Full));
    assert_eq!(fixture.insert_with(4, &fixture.binding(1000, Some(&none))), Ok(Inserted::Recorded));
    assert_eq!(fixture.insert(5, 1000), Ok(Inserted::Recorded));
    fixture.pass(1000);
    assert_eq!(fixture.insert_with(3, &fixture.binding(1000, Some(&most))), Ok(Inserted::Recorded));
    assert_eq!(fixture.insert_with(6, &fixture.binding(1000, Some(b"!"))), Err(StoreErrorKind::Full));
    assert!(matches!(fixture.redeem(2, 1), Redemption::First(binding) if binding.grant().unwrap()[..] == rest));
    assert!(format!("{:?}", fixture.concrete).contains("grant_bytes: 100"));
}

#[test]
fn expiry_is_exact_to_the_millisecond() {
    for lifetime in [1, 749, 750, 999, 1000, 60_000, 599_999, 600_000] {
        let fixture = Fixture::holding(10);
        assert_eq!(fixture.insert(1, lifetime), Ok(Inserted::Recorded));
        fixture.pass(lifetime - 1);
        assert!(fixture.is_live(1), "a millisecond before {lifetime}");
        fixture.pass(1);
        assert_eq!(fixture.redeem(1, 1), Redemption::Unknown, "after {lifetime}");
    }
}

#[test]
fn an_expired_record_is_written_over_and_the_new_one_lives_its_own_life() {
    let fixture = Fixture::holding(1);
    assert_eq!(fixture.insert(1, 100), Ok(Inserted::Recorded));
    assert!(matches!(fixture.redeem(1, 1), Redemption::First(_)));
    fixture.pass(100);
    let second = fixture.binding(60_000, Some(b"second"));
    assert_eq!(fixture.insert_with(1, &second), Ok(Inserted::Recorded));
    fixture.restore(1, 1);
    for _ in 0..59 {
        fixture.pass(1000);
        assert!(fixture.is_live(1));
    }
    assert_eq!(fixture.redeem(1, 2), Redemption::First(second));
    fixture.pass(1000);
    assert_eq!(fixture.redeem(1, 2), Redemption::Unknown);
}

#[test]
fn a_resend_is_first_again_and_another_ticket_is_not() {
    let fixture = Fixture::holding(10);
    let binding = fixture.binding(60_000, None);
    assert_eq!(fixture.insert_with(1, &binding), Ok(Inserted::Recorded));
    let redeemed_at = Timestamp::from_epoch_millis(START);
    assert_eq!(fixture.redeem(1, 1), Redemption::First(binding.clone()));
    fixture.pass(500);
    assert_eq!(fixture.redeem(1, 1), Redemption::First(binding.clone()));
    let again = Redemption::Again { binding, ticket: Ticket::from_bytes([1; 16]), at: redeemed_at };
    assert_eq!(fixture.redeem(1, 2), again);
    assert_eq!(fixture.redeem_with(1, None, 3), again, "whatever is presented");
}

#[test]
fn only_the_ticket_that_redeemed_restores() {
    let fixture = Fixture::holding(10);
    assert_eq!(fixture.insert(1, 60_000), Ok(Inserted::Recorded));
    fixture.restore(1, 1);
    assert!(matches!(fixture.redeem(1, 1), Redemption::First(_)));
    fixture.restore(1, 2);
    assert!(matches!(fixture.redeem(1, 2), Redemption::Again { .. }));
    fixture.restore(1, 1);
    assert!(matches!(fixture.redeem(1, 2), Redemption::First(_)));
    fixture.restore(1, 1);
    assert!(matches!(fixture.redeem(1, 3), Redemption::Again { .. }), "an old ticket does nothing");
    fixture.restore(9, 1);
    assert_eq!(fixture.redeem(9, 1), Redemption::Unknown, "a record that is not there is not made");
    // Burned is a ticket like any other.
    fixture.restore(1, 2);
    assert!(matches!(fixture.redeem(1, 0), Redemption::First(_)));
    assert!(matches!(fixture.redeem(1, 1), Redemption::Again { ticket: Ticket::BURNED, .. }));
}

#[test]
fn a_wrong_or_missing_or_needless_proof_changes_nothing() {
    let fixture = Fixture::holding(10);
    let bound = fixture.binding(60_000, None);
    let free = Binding::from_parts(BindingParts {
        method: "none",
        proof: None,
        grant: None,
        issued_at: bound.issued_at(),
        expires_at: bound.expires_at(),
    })
    .unwrap();
    assert_eq!(fixture.insert_with(1, &bound), Ok(Inserted::Recorded));
    assert_eq!(fixture.insert_with(2, &free), Ok(Inserted::Recorded));
    assert_eq!(fixture.redeem_with(1, Some([8; 32]), 1), Redemption::Refused(bound.clone()));
    assert_eq!(fixture.redeem_with(1, None, 1), Redemption::Refused(bound.clone()));
    assert_eq!(fixture.redeem_with(2, Some([0; 32]), 1), Redemption::Refused(free.clone()));
    assert_eq!(fixture.redeem(1, 1), Redemption::First(bound));
    assert_eq!(fixture.redeem_with(2, None, 1), Redemption::First(free));
}

#[test]
fn no_call_clears_away_more_than_a_few_records() {
    let codes = 20_000;
    let fixture = Fixture::new(|builder| builder);
    for code in 0..codes {
        assert_eq!(fixture.insert(code, 60_000), Ok(Inserted::Recorded));
    }
    fixture.pass(600_000);
    let mut held = fixture.concrete.len();
    for code in codes..2 * codes {
        assert_eq!(fixture.insert(code, 60_000), Ok(Inserted::Recorded));
        let now = fixture.concrete.len();
        assert!(held + 1 - now <= 16, "{held} to {now} in one call");
        held = now;
    }
    assert_eq!(held, usize::try_from(codes).unwrap(), "and yet all of them are gone");
}

#[test]
fn after_long_idleness_the_wheel_finds_everything_and_loses_nothing() {
    for idle in [607_000, 608_000, 609_000, 3_600_000, 86_400_000 * 365] {
        let fixture = Fixture::holding(64);
        for code in 0..64 {
            assert_eq!(fixture.insert(code, 1000 + code * 9000), Ok(Inserted::Recorded));
        }
        fixture.pass(idle);
        for code in 100..164 {
            assert_eq!(fixture.insert(code, 600_000), Ok(Inserted::Recorded), "after {idle}");
        }
        fixture.pass(599_999);
        assert!((100..164).all(|code| fixture.is_live(code)), "after {idle}");
        fixture.pass(1001);
        (0..10_000).for_each(|code| assert_eq!(fixture.redeem(code, 1), Redemption::Unknown));
        assert!(fixture.concrete.is_empty(), "after {idle}");
    }
}

#[test]
fn a_clock_that_is_set_back_revives_and_loses_nothing_and_expiry_goes_on_by_it() {
    let fixture = Fixture::holding(64);
    for code in 0..32 {
        assert_eq!(fixture.insert(code, 60_000), Ok(Inserted::Recorded));
    }
    fixture.set(START - 86_400_000);
    assert!((0..32).all(|code| fixture.is_live(code)));
    assert!((0..32).all(|code| fixture.insert(code, 60_000) == Ok(Inserted::Occupied)));
    for code in 32..64 {
        assert_eq!(fixture.insert(code, 60_000), Ok(Inserted::Recorded));
    }
    // What was bound under the clock as it is now makes room under it, a day before the wheel was at first.
    fixture.pass(60_000);
    assert!((32..64).all(|code| fixture.insert(code + 100, 60_000) == Ok(Inserted::Recorded)));
    assert!((0..32).all(|code| fixture.is_live(code)));
    fixture.set(START + 59_999);
    assert!((0..32).all(|code| fixture.is_live(code)));
    fixture.pass(1);
    assert!((0..32).all(|code| fixture.redeem(code, 1) == Redemption::Unknown));
}

#[test]
fn a_full_store_has_the_room_of_every_code_that_expired_within_this_second() {
    let fixture = Fixture::holding(20_000);
    for code in 0..20_000 {
        fixture.set(SECOND + code / 20);
        assert_eq!(fixture.insert(code, 60_000), Ok(Inserted::Recorded));
    }
    for tenth in 1..10 {
        fixture.set(SECOND + 60_000 + tenth * 100 - 1);
        for code in 0..2_000 {
            assert_eq!(fixture.insert(tenth * 100_000 + code, 60_000), Ok(Inserted::Recorded), "{tenth}: {code}");
        }
        assert_eq!(fixture.insert(u64::MAX, 60_000), Err(StoreErrorKind::Full));
    }
}

#[test]
fn a_full_store_has_the_room_of_every_code_of_any_lifetime_once_its_second_is_over() {
    let (fixture, mut dice, mut live) = (Fixture::holding(5_000), 1_u64, Vec::new());
    for round in 0..30 {
        fixture.set(SECOND + round * 1000);
        live.retain(|expires_at| *expires_at > SECOND + round * 1000);
        for code in live.len()..5_000 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Many a code with a long life comes before those with a short one in a list.
            let lifetime = if code % 3 == 0 { 1 + (dice >> 33) % 20_000 } else { 5_000 - round * 100 };
            let code = round * 1_000_000 + u64::try_from(code).unwrap();
            assert_eq!(fixture.insert(code, lifetime), Ok(Inserted::Recorded), "round {round}, code {code}");
            live.push(SECOND + round * 1000 + lifetime);
        }
        assert_eq!(fixture.insert(u64::MAX, 60_000), Err(StoreErrorKind::Full));
    }
}

#[test]
fn after_the_clock_was_set_back_new_codes_make_room_as_ever() {
    for back in [1_000, 5_000, 59_000, 607_000, 86_400_000] {
        let fixture = Fixture::holding(6_000);
        for code in 0..3_000 {
            assert_eq!(fixture.insert(code, 1_000), Ok(Inserted::Recorded));
        }
        fixture.pass(5_000);
        // A call or two in each shard, so that some of what expired is cleared away, and the rest is about to be.
        (10_000..10_100).for_each(|code| assert_eq!(fixture.redeem(code, 1), Redemption::Unknown));
        fixture.set(START + 5_000 - back);
        let rest = fixture.concrete.len();
        assert!(rest > 0);
        let room = u64::try_from(6_000 - rest).unwrap();
        for code in 0..room {
            assert_eq!(fixture.insert(100_000 + code, 1_000), Ok(Inserted::Recorded));
        }
        fixture.pass(2_000);
        for code in 0..room {
            assert_eq!(fixture.insert(200_000 + code, 60_000), Ok(Inserted::Recorded), "{back} ms back, code {code}");
        }
    }
}

#[test]
fn debug_shows_counts_and_nothing_else() {
    let fixture = Fixture::holding(10);
    assert_eq!(fixture.insert_with(1, &fixture.binding(60_000, Some(b"alice"))), Ok(Inserted::Recorded));
    assert_eq!(
        format!("{:?}", fixture.concrete),
        "MemoryStore { codes: 1, capacity: 10, grant_bytes: 5, grant_capacity: 67108864, .. }"
    );
}
