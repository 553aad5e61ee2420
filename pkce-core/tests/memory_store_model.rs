//! `MemoryStore` against a map that is obviously right, through random calls and a restless clock.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests")]
#![allow(clippy::cast_possible_truncation, reason = "small dice")]

use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use pkce_core::store::{
    Attempt, Binding, BindingParts, ChallengeStore, CodeDigest, Inserted, Proof, Redemption, StoreErrorKind, Ticket,
};
use pkce_core::{MemoryStore, Timestamp};

const CODES: u64 = 200;
const CAPACITY: usize = 60;
const GRANTS: usize = 250;

/// What the store must do, without a thought for cost: it clears away before every call.
#[derive(Default)]
struct Model(HashMap<u64, (Binding, Option<(Ticket, Timestamp)>)>);

impl Model {
    fn clear_away(&mut self, now: Timestamp) {
        self.0.retain(|_, (binding, _)| now < binding.expires_at());
    }

    fn insert(&mut self, code: u64, binding: &Binding) -> Result<Inserted, StoreErrorKind> {
        let grants = |binding: &Binding| binding.grant().map_or(0, |grant| grant.len());
        if self.0.contains_key(&code) {
            return Ok(Inserted::Occupied);
        }
        let bytes: usize = self.0.values().map(|(binding, _)| grants(binding)).sum();
        if self.0.len() == CAPACITY || bytes + grants(binding) > GRANTS {
            return Err(StoreErrorKind::Full);
        }
        self.0.insert(code, (binding.clone(), None));
        Ok(Inserted::Recorded)
    }

    fn redeem(&mut self, code: u64, attempt: &Attempt) -> Redemption {
        let Some((binding, redeemed)) = self.0.get_mut(&code) else { return Redemption::Unknown };
        let binding = binding.clone();
        match *redeemed {
            Some((ticket, _)) if ticket == attempt.ticket() => Redemption::First(binding),
            Some((ticket, at)) => Redemption::Again { binding, ticket, at },
            None if binding.proof() == attempt.proof() => {
                *redeemed = Some((attempt.ticket(), attempt.at()));
                Redemption::First(binding)
            }
            None => Redemption::Refused(binding),
        }
    }

    fn restore(&mut self, code: u64, ticket: Ticket) {
        if let Some((_, redeemed)) = self.0.get_mut(&code) {
            *redeemed = redeemed.filter(|(by, _)| *by != ticket);
        }
    }
}

/// A xorshift generator: the same calls in every run of a seed.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn byte(&mut self, sides: u8) -> u8 {
        u8::try_from(self.throw(sides.into())).unwrap()
    }

    fn proof(&mut self) -> Option<[u8; 32]> {
        (self.throw(4) > 0).then(|| [self.byte(2); 32])
    }

    fn binding(&mut self, now: u64) -> Binding {
        // Most are issued now, some a little ago or ahead by another's clock.
        let from = now - 1000 + if self.throw(5) == 0 { self.throw(6000) } else { 1000 };
        let lifetime = [1, 1000, 60_000, 600_000, 1 + self.throw(5000)][self.throw(5) as usize];
        let grant = (self.throw(3) == 0).then(|| Arc::from(&[9; 40][..self.throw(40) as usize]));
        let proof = self.proof();
        let method = if proof.is_some() { ["S256", "plain"][self.throw(2) as usize] } else { "none" };
        let from = Timestamp::from_epoch_millis(from);
        let until = from.saturating_add(Duration::from_millis(lifetime));
        Binding::from_parts(BindingParts {
            method,
            proof: proof.as_ref().map(|proof| &proof[..]),
            grant,
            issued_at: from,
            expires_at: until,
        })
        .unwrap()
    }

    /// Mostly moments; now and then seconds, minutes, or long enough to outrun the wheel.
    fn pause(&mut self) -> u64 {
        match self.throw(10_000) {
            0..9_900 => self.throw(20),
            9_900..9_980 => self.throw(3000),
            9_980..9_998 => self.throw(60_000),
            _ => self.throw(2_000_000),
        }
    }
}

fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the memory store waited"),
    }
}

#[test]
fn it_does_what_a_simple_map_does_and_never_forgets_early() {
    for seed in 1..=12 {
        let mut dice = Dice(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(seed));
        let clock = Arc::new(AtomicU64::new(1_700_000_000_000));
        let hand = Arc::clone(&clock);
        let now = move || Timestamp::from_epoch_millis(hand.load(Ordering::Relaxed));
        let builder = MemoryStore::builder().capacity(CAPACITY).grant_capacity(GRANTS);
        let (store, mut model) = (builder.clock(now).build(), Model::default());
        let mut full = 0;
        for step in 0..10_000 {
            clock.fetch_add(dice.pause(), Ordering::Relaxed);
            let millis = clock.load(Ordering::Relaxed);
            let now = Timestamp::from_epoch_millis(millis);
            model.clear_away(now);
            let number = dice.throw(CODES);
            let (code, ticket) = (CodeDigest::of(&number.to_be_bytes()), Ticket::from_bytes([dice.byte(3); 16]));
            match dice.throw(10) {
                0..6 => {
                    let binding = dice.binding(millis);
                    let did = at_once(store.insert(&code, &binding)).map_err(|error| error.kind());
                    let should = model.insert(number, &binding);
                    full += usize::from(should.is_err());
                    assert_eq!(did, should, "seed {seed}, step {step}");
                }
                6..9 => {
                    let attempt = Attempt::new(dice.proof().map(Proof::from_bytes), ticket, now);
                    let did = at_once(store.redeem(&code, &attempt)).unwrap();
                    assert_eq!(did, model.redeem(number, &attempt), "seed {seed}, step {step}");
                }
                _ => {
                    at_once(store.restore(&code, ticket)).unwrap();
                    model.restore(number, ticket);
                }
            }
        }
        assert!(full > 100, "the limits were hardly tried: {full}");
    }
}
