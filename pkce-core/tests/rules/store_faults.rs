//! Stores that fail, hang, lose a record or break their contract. Rules C24 and C25: never a pass.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::collections::VecDeque;
use std::error::Error as _;
use std::future::{Ready, pending, ready};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::{CODE, FakeClock, House, VERIFIER, WRONG, hold, redeem, s256};
use async_trait::async_trait;
use pkce_core::store::{
    Attempt, Binding, BindingParts, ChallengeStore, CodeDigest, Inserted, Redemption, StoreError, StoreErrorKind,
    Ticket,
};
use pkce_core::{MemoryStore, Pkce, Policy, Reason, Rejection, Settle, Timestamp};

type Answer = Box<dyn Fn(&Attempt) -> Option<Result<Redemption, StoreError>> + Send + Sync>;

/// A store that answers every `redeem` as it is told; `None` is no answer at all. It writes down what it is asked.
#[derive(Clone)]
struct Puppet {
    answer: Arc<Answer>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Puppet {
    fn new(answer: impl Fn(&Attempt) -> Option<Result<Redemption, StoreError>> + Send + Sync + 'static) -> Self {
        Self { answer: Arc::new(Box::new(answer)), asked: Arc::default() }
    }

    fn server(&self, policy: Policy) -> Pkce {
        Pkce::builder(self.clone()).policy(policy).clock(FakeClock::new().reading()).timer(impatient).build()
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

#[async_trait]
impl ChallengeStore for Puppet {
    async fn insert(&self, _: &CodeDigest, _: &Binding) -> Result<Inserted, StoreError> {
        match (self.answer)(&Attempt::new(None, Ticket::BURNED, FakeClock::new().now())) {
            Some(Err(error)) => Err(error),
            Some(Ok(_)) => Ok(Inserted::Recorded),
            None => pending().await,
        }
    }

    async fn redeem(&self, _: &CodeDigest, attempt: &Attempt) -> Result<Redemption, StoreError> {
        let burn = if attempt.ticket() == Ticket::BURNED { "burn" } else { "redeem" };
        self.asked.lock().unwrap().push(burn.to_owned());
        match (self.answer)(attempt) {
            Some(answer) => answer,
            None => pending().await,
        }
    }

    async fn restore(&self, _: &CodeDigest, _: Ticket) -> Result<(), StoreError> {
        self.asked.lock().unwrap().push("restore".to_owned());
        Err(StoreError::unavailable("restoring fails too"))
    }
}

/// A timer by which every time-out is over at once.
fn impatient(duration: Duration) -> Ready<()> {
    assert!([Duration::from_secs(2), Duration::from_millis(500)].contains(&duration), "{duration:?}");
    ready(())
}

fn binding(method: &str) -> Binding {
    let now = FakeClock::new().now();
    let proof = (method != Binding::NO_CHALLENGE).then(|| *s256().proof().as_bytes());
    let until = now.saturating_add(Duration::from_secs(60));
    Binding::from_parts(BindingParts {
        method,
        proof: proof.as_ref().map(<[u8; 32]>::as_slice),
        grant: None,
        issued_at: now,
        expires_at: until,
    })
    .unwrap()
}

fn policies() -> [Policy; 5] {
    let new = Policy::new;
    [new(), new().allow_plain(), new().allow_missing_challenge(), new().report_only(), new().burn_on_mismatch()]
}

#[tokio::test]
async fn a_store_that_fails_hangs_or_holds_nonsense_is_a_503() {
    type Fault = fn(&Attempt) -> Option<Result<Redemption, StoreError>>;
    let faults: [(Fault, Reason); 5] = [
        (|_| Some(Err(StoreError::unavailable("connection refused"))), Reason::StoreUnavailable), // C24
        (|_| Some(Err(StoreError::full())), Reason::StoreUnavailable),
        (|_| None, Reason::StoreTimedOut), // C24
        (|_| Some(Err(StoreError::invalid_record("method S257"))), Reason::StoreRecordInvalid), // C25
        // What a store does that reads back a method it does not know.
        (
            |attempt| {
                let read = Binding::from_parts(BindingParts {
                    method: "S257",
                    proof: Some(&[0; 32]),
                    grant: None,
                    issued_at: attempt.at(),
                    expires_at: attempt.at(),
                });
                Some(read.map(Redemption::First).map_err(StoreError::invalid_record))
            },
            Reason::StoreRecordInvalid,
        ),
    ];
    for (fault, reason) in faults {
        for policy in policies() {
            let puppet = Puppet::new(fault);
            let pkce = puppet.server(policy);
            for verifier in [VERIFIER, WRONG] {
                let rejection = pkce.redeem(CODE, Some(verifier)).await.unwrap_err();
                assert_eq!(rejection.reason(), reason);
                assert_eq!((rejection.status(), rejection.error().as_str()), (503, "temporarily_unavailable"));
                // The store may have marked the code, and the host never ran.
                assert_eq!(puppet.asked(), ["redeem", "restore"]);
            }
        }
    }
}

/// A store that does what it is asked, and loses its first response to a redemption.
struct Forgetful {
    store: MemoryStore,
    lost: AtomicBool,
}

#[async_trait]
impl ChallengeStore for Forgetful {
    async fn insert(&self, code: &CodeDigest, binding: &Binding) -> Result<Inserted, StoreError> {
        self.store.insert(code, binding).await
    }

    async fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Result<Redemption, StoreError> {
        let redeemed = self.store.redeem(code, attempt).await;
        if self.lost.swap(true, Ordering::SeqCst) { redeemed } else { pending().await }
    }

    async fn restore(&self, code: &CodeDigest, ticket: Ticket) -> Result<(), StoreError> {
        self.store.restore(code, ticket).await
    }
}

#[tokio::test]
async fn a_redemption_whose_response_was_lost_is_no_replay() {
    let replays = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&replays);
    let hook = move |_| {
        seen.fetch_add(1, Ordering::SeqCst);
        ready(())
    };
    let store = Forgetful { store: MemoryStore::new(), lost: AtomicBool::new(false) };
    let pkce = Pkce::builder(store).timer(impatient).on_replay(hook).build();
    pkce.bind(CODE, s256()).await.unwrap();
    assert_eq!(redeem(&pkce, Some(VERIFIER)).await, Err(Reason::StoreTimedOut)); // C24
    assert!(redeem(&pkce, Some(VERIFIER)).await.is_ok(), "the client's honest retry");
    assert_eq!(redeem(&pkce, Some(VERIFIER)).await, Err(Reason::CodeReplayed));
    assert_eq!(replays.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_code_does_not_leave_if_the_store_did_not_record_it() {
    for (puppet, kind, reason) in [
        (
            Puppet::new(|_| Some(Err(StoreError::unavailable("gone")))),
            StoreErrorKind::Unavailable,
            Reason::StoreUnavailable,
        ),
        (Puppet::new(|_| Some(Err(StoreError::full()))), StoreErrorKind::Full, Reason::StoreUnavailable),
        (Puppet::new(|_| None), StoreErrorKind::TimedOut, Reason::StoreTimedOut),
    ] {
        let error = puppet.server(Policy::new()).bind(CODE, s256()).await.unwrap_err();
        let source = error.source().unwrap().downcast_ref::<StoreError>().unwrap();
        assert_eq!(source.kind(), kind);
        assert_eq!(Rejection::from(error).reason(), reason);
    }
}

struct Hung;

#[async_trait]
impl ChallengeStore for Hung {
    async fn insert(&self, _: &CodeDigest, _: &Binding) -> Result<Inserted, StoreError> {
        pending().await
    }

    async fn redeem(&self, _: &CodeDigest, _: &Attempt) -> Result<Redemption, StoreError> {
        pending().await
    }

    async fn restore(&self, _: &CodeDigest, _: Ticket) -> Result<(), StoreError> {
        pending().await
    }
}

#[tokio::test]
async fn a_client_waits_for_a_store_that_hangs_for_the_time_out_and_a_quarter_more() {
    let timers = Arc::new(Mutex::new(Vec::new()));
    let started = Arc::clone(&timers);
    let timer = move |duration: Duration| {
        started.lock().unwrap().push(duration.as_millis());
        ready(())
    };
    let policy = Policy::new().store_timeout(Duration::from_secs(1));
    let pkce = Pkce::builder(Hung).policy(policy).timer(timer).build();
    assert_eq!(redeem(&pkce, Some(VERIFIER)).await, Err(Reason::StoreTimedOut));
    assert_eq!(*timers.lock().unwrap(), [1000, 250]);
}

#[tokio::test]
async fn a_store_that_ignores_the_proof_lets_nobody_in() {
    for policy in policies() {
        for (bound, presented) in [("S256", Some(WRONG)), ("none", Some(VERIFIER))] {
            let puppet = Puppet::new(move |_| Some(Ok(Redemption::First(binding(bound)))));
            assert_eq!(redeem(&puppet.server(policy.clone()), presented).await, Err(Reason::StoreContractBroken));
            assert_eq!(puppet.asked(), ["redeem", "restore"]);
        }
    }
    let puppet = Puppet::new(|_| Some(Ok(Redemption::First(binding("S256")))));
    let lenient = puppet.server(Policy::new().allow_missing_challenge());
    assert_eq!(redeem(&lenient, None).await, Err(Reason::StoreContractBroken));
}

#[tokio::test]
async fn a_store_that_refuses_an_equal_proof_is_at_fault_and_not_the_client() {
    for policy in policies() {
        let puppet = Puppet::new(|_| Some(Ok(Redemption::Refused(binding("S256")))));
        assert_eq!(redeem(&puppet.server(policy), Some(VERIFIER)).await, Err(Reason::StoreContractBroken));
        assert_eq!(puppet.asked(), ["redeem"]); // nothing is burned
    }
    let puppet = Puppet::new(|_| Some(Ok(Redemption::Refused(binding("none")))));
    let lenient = puppet.server(Policy::new().allow_missing_challenge());
    assert_eq!(redeem(&lenient, None).await, Err(Reason::StoreContractBroken));
}

#[tokio::test]
async fn a_store_that_serves_an_expired_record_is_overruled() {
    let puppet = Puppet::new(|attempt| {
        let issued = Timestamp::from_epoch_millis(attempt.at().as_epoch_millis() - 60_000);
        let proof = s256().proof().as_bytes().to_vec();
        Some(Ok(Redemption::First(
            Binding::from_parts(BindingParts {
                method: "S256",
                proof: Some(&proof),
                grant: None,
                issued_at: issued,
                expires_at: attempt.at(),
            })
            .unwrap(),
        )))
    });
    for policy in policies() {
        assert_eq!(redeem(&puppet.server(policy), Some(VERIFIER)).await, Err(Reason::CodeExpired)); // C13
    }
}

#[tokio::test]
async fn a_mismatch_whose_burning_fails_is_a_503() {
    let answers: Mutex<VecDeque<_>> =
        Mutex::new(VecDeque::from([Ok(Redemption::Refused(binding("S256"))), Err(StoreError::unavailable("gone"))]));
    let puppet = Puppet::new(move |_| answers.lock().unwrap().pop_front());
    let pkce = puppet.server(Policy::new().burn_on_mismatch());
    assert_eq!(redeem(&pkce, Some(WRONG)).await, Err(Reason::StoreUnavailable)); // C24
    assert_eq!(puppet.asked(), ["redeem", "burn"]);
}

#[tokio::test]
async fn a_code_that_cannot_be_restored_stays_redeemed_and_nothing_else_happens() {
    let puppet = Puppet::new(|_| Some(Ok(Redemption::First(binding("S256")))));
    let pkce = puppet.server(Policy::new());
    let (_, reservation) = hold(&pkce, Some(VERIFIER)).await.unwrap();
    pkce.settle(reservation, Settle::by_status(401)).await;
    assert_eq!(puppet.asked(), ["redeem", "restore"]);
}

#[tokio::test]
async fn a_store_that_answers_at_once_never_pays_for_a_timer() {
    let forbidden = |_| -> Ready<()> { panic!("the store was ready") };
    let pkce = House::new().builder(Policy::new()).timer(forbidden).build();
    pkce.bind(CODE, s256()).await.unwrap();
    assert!(redeem(&pkce, Some(VERIFIER)).await.is_ok());
}

/// Virtual time: a call that hangs for ever must end after the time-out of the policy.
#[cfg(feature = "tokio")]
#[tokio::test(start_paused = true)]
async fn with_tokio_every_call_times_out_from_new_on() {
    let puppet = Puppet::new(|_| None);
    for pkce in [Pkce::new(puppet.clone()), Pkce::builder(puppet.clone()).build()] {
        let begun = tokio::time::Instant::now();
        assert_eq!(pkce.redeem(CODE, Some(VERIFIER)).await.unwrap_err().reason(), Reason::StoreTimedOut);
        assert_eq!(begun.elapsed().as_secs(), 2, "and it was restored at once");
        let bound = pkce.bind(CODE, s256()).await;
        assert!(matches!(bound, Err(pkce_core::BindError::Store(error)) if error.kind() == StoreErrorKind::TimedOut));
        assert_eq!(begun.elapsed().as_secs(), 4);
    }
}

/// tokio's timer panics in a runtime without its time driver.
#[cfg(feature = "tokio")]
#[test]
fn a_runtime_without_a_time_driver_is_one_without_a_timer() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let pkce = Pkce::new(Puppet::new(|_| None));
    runtime.block_on(async {
        let mut redeem = Box::pin(pkce.redeem(CODE, Some(VERIFIER)));
        let polled = std::future::poll_fn(|context| std::task::Poll::Ready(redeem.as_mut().poll(context))).await;
        assert!(polled.is_pending());
    });
}

/// tokio's timer is not started where there is no tokio runtime: it would panic.
#[cfg(feature = "tokio")]
#[test]
fn without_a_tokio_runtime_a_call_takes_as_long_as_the_store() {
    use std::task::{Context, Waker};

    let pkce = Pkce::new(Puppet::new(|_| None));
    let mut redeem = Box::pin(pkce.redeem(CODE, Some(VERIFIER)));
    assert!(redeem.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
}
