//! A client, and stores that misbehave.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::BodyExt as _;
use pkce_tower::pkce_core;
use pkce_tower::pkce_core::store::{
    Attempt, Binding, ChallengeStore, CodeDigest, Inserted, Redemption, StoreError, Ticket,
};
use pkce_tower::{AuthorizationCode, CodeVerifier, MemoryStore, Pkce, Reason};
use tokio::time::sleep;
use tower::ServiceExt as _;

pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// A form without a code, which PKCE has no say in.
pub(crate) const REFRESH: &[u8] = b"grant_type=refresh_token&refresh_token=r";

pub(crate) fn pkce() -> Pkce {
    Pkce::new(MemoryStore::new())
}

/// Binds a code and returns the form of the token request that redeems it.
pub(crate) async fn authorize(pkce: &Pkce) -> String {
    let (code, verifier) = (AuthorizationCode::generate().unwrap(), CodeVerifier::generate().unwrap());
    pkce.bind(&code, verifier.challenge()).await.unwrap();
    format!("grant_type=authorization_code&code={}&code_verifier={}", code.as_str(), verifier.as_str())
}

pub(crate) fn token_request(form: impl Into<Body>) -> Request<Body> {
    Request::post("/token").header(CONTENT_TYPE, FORM).body(form.into()).unwrap()
}

pub(crate) fn preflight() -> Request<Body> {
    Request::options("/token")
        .header("origin", "https://spa.example")
        .header("access-control-request-method", "POST")
        .body(Body::empty())
        .unwrap()
}

pub(crate) async fn send(app: &Router, request: Request<Body>) -> Response<Body> {
    app.clone().oneshot(request).await.unwrap()
}

/// Sends the token request. The status of the response, and the reason if it is a rejection of the layer.
pub(crate) async fn redeem(app: &Router, form: &str) -> (u16, Option<Reason>) {
    outcome(&send(app, token_request(form.to_owned())).await)
}

pub(crate) fn outcome<B>(response: &Response<B>) -> (u16, Option<Reason>) {
    let reason = response.extensions().get::<pkce_core::Rejection>().map(pkce_core::Rejection::reason);
    (response.status().as_u16(), reason)
}

pub(crate) fn header<'a, B>(response: &'a Response<B>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

pub(crate) async fn octets(response: Response<Body>) -> Bytes {
    response.into_body().collect().await.unwrap().to_bytes()
}

pub(crate) async fn text(response: Response<Body>) -> String {
    String::from_utf8(octets(response).await.to_vec()).unwrap()
}

/// A body of these frames, and of what follows them.
pub(crate) struct Frames {
    frames: VecDeque<Frame<Bytes>>,
    then: Then,
}

#[derive(Clone, Copy)]
enum Then {
    End,
    BreakOff,
    GoOn,
}

pub(crate) fn frames(frames: impl IntoIterator<Item = Frame<Bytes>>) -> Frames {
    Frames { frames: frames.into_iter().collect(), then: Then::End }
}

impl Frames {
    pub(crate) fn broken_off(self) -> Self {
        Self { then: Then::BreakOff, ..self }
    }

    pub(crate) fn never_ending(self) -> Self {
        Self { then: Then::GoOn, ..self }
    }
}

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(match (self.frames.pop_front(), self.then) {
            (Some(frame), _) => Some(Ok(frame)),
            (None, Then::End) => None,
            (None, Then::BreakOff) => Some(Err(io::ErrorKind::UnexpectedEof.into())),
            (None, Then::GoOn) => Some(Ok(Frame::data(Bytes::from_static(&[b'x'; 1024])))),
        })
    }
}

/// A store that takes its time to record a binding.
#[derive(Default)]
pub(crate) struct Slow {
    pub(crate) store: MemoryStore,
    pub(crate) insert: Duration,
}

#[async_trait]
impl ChallengeStore for Slow {
    async fn insert(&self, code: &CodeDigest, binding: &Binding) -> Result<Inserted, StoreError> {
        sleep(self.insert).await;
        self.store.insert(code, binding).await
    }

    async fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Result<Redemption, StoreError> {
        self.store.redeem(code, attempt).await
    }

    async fn restore(&self, code: &CodeDigest, ticket: Ticket) -> Result<(), StoreError> {
        self.store.restore(code, ticket).await
    }
}
