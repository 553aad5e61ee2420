//! What a host holds can be sent to another thread and shared with it, and so can every future.

use pkce_core::adapter::{CaptureRejection, CaptureRequest, RequestBody};
use pkce_core::store::{Attempt, Binding, ChallengeStore, CodeDigest, Proof, Redemption, StoreError, Ticket};
use pkce_core::{
    AuthorizationCode, AuthorizationError, AuthorizationRedirect, AuthorizationRequest, AuthorizationResponse,
    BindError, Clearance, CodeChallenge, CodeVerifier, GrantError, MemoryStore, PendingChallenge, Pkce, PkceBuilder,
    Policy, RandomError, Rejection, Replay, Reservation, Timestamp,
};

fn shared<T: Send + Sync>() {}

fn sent<T: Send>(_: &T) {}

#[test]
fn every_type_is_send_and_sync() {
    shared::<(Pkce, Policy, MemoryStore, Clearance, Reservation, Rejection, Replay)>();
    shared::<(AuthorizationRequest<String>, PendingChallenge, AuthorizationResponse, AuthorizationRedirect)>();
    shared::<(AuthorizationCode, CodeChallenge, CodeVerifier, AuthorizationError, Timestamp)>();
    shared::<(BindError, GrantError, RandomError, StoreError)>();
    shared::<(Attempt, Binding, CodeDigest, Proof, Redemption, Ticket, Box<dyn ChallengeStore>)>();
    shared::<(CaptureRejection, CaptureRequest, RequestBody, PkceBuilder)>();
}

#[test]
fn every_future_is_send() {
    let pkce = Pkce::new(MemoryStore::new());
    let request = pkce_core::adapter::Request::new("POST", pkce_core::adapter::Body::Complete(b""));
    sent(&pkce.judge(&request));
    sent(&pkce.redeem("c", None));
    sent(&pkce.bind_without_challenge("c").into_future());
    sent(&pkce.read_body(async { pkce_core::adapter::BodyBuffer::new(&Policy::new(), None).finish() }));
}
