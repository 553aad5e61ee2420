//! A client that hangs up while its request is at any place: the future is dropped while the core waits for the store, while the
//! host runs, and while the code is restored.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use pkce_core::store::{Attempt, Binding, ChallengeStore, CodeDigest, Inserted, Redemption, StoreError, Ticket};
use pkce_core::{CodeVerifier, MemoryStore, Pkce, Reservation, Settle};
use pkce_tower::TokenEndpointLayer;
use shuttle::future::{self, yield_now};
use tower::{Layer as _, Service as _, service_fn};

use crate::{in_many_orders, is_caught};

/// Lets others go first, before and after each call.
struct Yielding(MemoryStore);

#[async_trait::async_trait]
impl ChallengeStore for Yielding {
    async fn insert(&self, code: &CodeDigest, binding: &Binding) -> Result<Inserted, StoreError> {
        self.0.insert(code, binding).await
    }

    async fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Result<Redemption, StoreError> {
        yield_now().await;
        let found = self.0.redeem(code, attempt).await;
        yield_now().await;
        found
    }

    async fn restore(&self, code: &CodeDigest, ticket: Ticket) -> Result<(), StoreError> {
        yield_now().await;
        let restored = self.0.restore(code, ticket).await;
        yield_now().await;
        restored
    }
}

const CODE: &str = "SplxlOBeZQQYbYS6WxSbIA";

fn bound() -> (Pkce, String) {
    let (pkce, verifier) = (Pkce::new(Yielding(MemoryStore::new())), CodeVerifier::generate().unwrap());
    future::block_on(async { pkce.bind(CODE, verifier.challenge()).await }).unwrap();
    (pkce, verifier.as_str().to_owned())
}

/// A token request through the layer, to a host that responds with this status. Counts the tokens that the host issues.
async fn ask(pkce: Pkce, verifier: String, status: u16, issued: Arc<AtomicUsize>) -> u16 {
    let host = service_fn(move |_: Request<Full<Bytes>>| {
        let issued = Arc::clone(&issued);
        async move {
            yield_now().await;
            issued.fetch_add(usize::from(status == 200), Ordering::SeqCst);
            let mut response = Response::new(Full::<Bytes>::default());
            *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
            yield_now().await;
            Ok::<_, Infallible>(response)
        }
    });
    let body = format!("grant_type=authorization_code&code={CODE}&code_verifier={verifier}");
    let request = Request::post("/token").header("content-type", "application/x-www-form-urlencoded");
    let request = request.body(Full::from(body)).unwrap();
    let mut endpoint = TokenEndpointLayer::new(pkce).layer(host);
    endpoint.call(request).await.unwrap().status().as_u16()
}

/// The first is refused or served by the host, and hangs up at any time. Another asks meanwhile, and one more afterwards.
/// Returns whether the first got its response, and the statuses of the others.
fn hang_up(status: u16) -> (bool, u16, u16) {
    let (pkce, verifier) = bound();
    let issued = Arc::new(AtomicUsize::new(0));
    let ask = |status| ask(pkce.clone(), verifier.clone(), status, Arc::clone(&issued));
    let first = future::spawn(ask(status));
    let hand = first.abort_handle();
    let hangs_up = future::spawn(async move {
        for _ in 0..3 {
            yield_now().await;
        }
        hand.abort();
    });
    let second = future::spawn(ask(200));
    let (first, second) = future::block_on(async {
        hangs_up.await.unwrap();
        (first.await, second.await.unwrap())
    });
    let third = future::block_on(ask(200));
    assert!(issued.load(Ordering::SeqCst) <= 1, "tokens twice");
    if first.is_ok() && status == 401 {
        assert_eq!(issued.load(Ordering::SeqCst), 1, "the host has refused, and the code was not restored");
    }
    (first.is_ok(), second, third)
}

#[test]
fn in_every_order_a_client_that_hangs_up_leads_to_no_second_token() {
    for status in [200, 401] {
        let seen = Arc::new(Mutex::new(BTreeSet::new()));
        let outcomes = Arc::clone(&seen);
        in_many_orders(move || {
            let outcome = hang_up(status);
            outcomes.lock().unwrap().insert(outcome);
        });
        // The hang-up came early enough and too late, and the code was used, restored, and left redeemed.
        let seen = seen.lock().unwrap();
        for outcome in [(true, 400, if status == 200 { 400 } else { 200 }), (false, 200, 400), (false, 400, 400)] {
            assert!(seen.contains(&outcome), "{status}: {outcome:?} is not in {seen:?}");
        }
        assert_eq!(seen.contains(&(false, 400, 200)), status == 401, "{status}: {seen:?}");
    }
}

/// Restores the code when the request's future is dropped.
struct Guard(Pkce, Option<Reservation>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(reservation) = self.1.take() {
            let pkce = self.0.clone();
            drop(future::spawn(async move { pkce.settle(reservation, Settle::Restore).await }));
        }
    }
}

/// A handler that takes a hang-up for a refusal.
async fn handle(pkce: Pkce, verifier: String, issued: Arc<AtomicUsize>) {
    let Ok((_, reservation)) = pkce.redeem(CODE, Some(&verifier)).await else { return };
    let mut guard = Guard(pkce, Some(reservation));
    yield_now().await;
    issued.fetch_add(1, Ordering::SeqCst);
    yield_now().await;
    _ = guard.1.take();
}

#[test]
fn a_handler_that_restores_the_code_of_a_client_that_hangs_up_is_caught() {
    let caught = is_caught(|| {
        let (pkce, verifier) = bound();
        let issued = Arc::new(AtomicUsize::new(0));
        let handle = || handle(pkce.clone(), verifier.clone(), Arc::clone(&issued));
        let first = future::spawn(handle());
        let hand = first.abort_handle();
        let hangs_up = future::spawn(async move {
            yield_now().await;
            hand.abort();
        });
        let second = future::spawn(handle());
        future::block_on(async {
            hangs_up.await.unwrap();
            let _ = first.await;
            second.await.unwrap();
        });
        assert!(issued.load(Ordering::SeqCst) <= 1, "tokens twice");
    });
    // PCT lets whoever yields wait for all others, and the order in question needs two that yield in turn.
    assert!(caught.contains(&true));
}
