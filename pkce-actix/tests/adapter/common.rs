//! A client, and stores that misbehave.

use std::time::Duration;

use actix_http::Request;
use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::rt::time::sleep;
use actix_web::test::{TestRequest, read_body};
use actix_web::web::Bytes;
use async_trait::async_trait;
use pkce_actix::pkce_core::store::{
    Attempt, Binding, ChallengeStore, CodeDigest, Inserted, Redemption, StoreError, Ticket,
};
use pkce_actix::{AuthorizationCode, CodeVerifier, MemoryStore, Pkce, Reason, pkce_core};

pub(crate) const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

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

pub(crate) fn token_request(form: impl Into<Bytes>) -> TestRequest {
    TestRequest::post().uri("/token").insert_header(FORM).set_payload(form)
}

/// Sends the token request; the status of the answer, and its reason if it is a refusal of ours.
pub(crate) async fn redeem<S, B>(app: &S, form: &str) -> (u16, Option<Reason>)
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    match app.call(token_request(form.to_owned()).to_request()).await {
        Ok(response) => (response.status().as_u16(), reason(&response)),
        Err(error) => (error.as_response_error().status_code().as_u16(), None),
    }
}

pub(crate) fn reason<B>(response: &ServiceResponse<B>) -> Option<Reason> {
    response.response().extensions().get::<pkce_core::Rejection>().map(pkce_core::Rejection::reason)
}

pub(crate) fn header<'a, B>(response: &'a ServiceResponse<B>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

pub(crate) async fn text<B: MessageBody>(response: ServiceResponse<B>) -> String {
    String::from_utf8(read_body(response).await.to_vec()).unwrap()
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
