//! Server-side PKCE (RFC 7636): the rules, the decision, and the store they need. No HTTP framework, no sockets.
//!
//! PKCE binds an authorization code to the client that asked for it: the client sends a *code challenge* with the
//! authorization request and the *code verifier* with the token request, and the server checks that they match. An
//! intercepted code is then useless.
//!
//! Most servers want one of the adapters, `pkce-tower` (axum, Tower) or `pkce-actix`, which re-export all of this.
//! This crate is what they share, what a store implements ([`ChallengeStore`]), and enough for a client
//! ([`CodeVerifier`], [`CodeChallenge`]).
//!
//! # How it goes
//!
//! 1. The authorization request is read by a pure function of [`authorization`]: a [`Requested`] challenge or a refusal.
//! 2. When the host issues a code it binds the challenge to it: [`Pkce::bind`]. Before that the code must not leave.
//! 3. The token request is judged: [`Pkce::judge`] (or [`Pkce::redeem`] inside a handler). The code is marked redeemed
//!    in one atomic step *before* the host runs, and only if the verifier matches: of any number of concurrent requests
//!    one proceeds, and a wrong verifier changes nothing.
//! 4. The host answers, and [`Pkce::settle`] looks at the status: a clear refusal makes the code redeemable again.
//!
//! ```
//! use pkce_core::{AuthorizationCode, Body, CodeVerifier, Judgement, MemoryStore, Pkce, Request, authorization};
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let pkce = Pkce::new(MemoryStore::new());
//!
//! // The client: a verifier, and the two parameters of the authorization request.
//! let verifier = CodeVerifier::generate()?;
//! let [(_, challenge), (_, method)] = verifier.challenge().authorization_parameters();
//! let query = format!("response_type=code&code_challenge={challenge}&code_challenge_method={method}");
//!
//! // The authorization endpoint.
//! let request = Request::new("GET", Body::Complete(b"")).query(Some(&query));
//! let challenge = authorization::read_query(&request, pkce.policy())?.required(pkce.policy())?;
//! let code = AuthorizationCode::generate()?;
//! pkce.bind(&code, challenge).await?;
//!
//! // The token endpoint.
//! let form = |verifier| format!("grant_type=authorization_code&code={}&code_verifier={verifier}", code.as_str());
//! for (body, served) in [(form("a-guess-0123456789-0123456789-0123456789-012"), false), (form(verifier.as_str()), true)] {
//!     let request = Request::new("POST", Body::Complete(body.as_bytes()))
//!         .header("content-type", b"application/x-www-form-urlencoded");
//!     assert_eq!(matches!(pkce.judge(&request).await, Judgement::Proceed(..)), served);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Events
//!
//! Every outcome is a [`tracing`](https://docs.rs/tracing) event with the target `pkce` and these fields. None has a
//! code, a verifier or a challenge in it. Names and values are stable.
//!
//! | `endpoint` | `outcome` | level | further fields |
//! | --- | --- | --- | --- |
//! | `authorization` | `challenge` | debug | `method` |
//! | `authorization` | `no_challenge`, `no_code` | debug | |
//! | `authorization` | `tolerated` (report only) | warn | `reason` |
//! | `authorization` | `rejected` | info | `reason` |
//! | `capture` | `rejected` | info; error for faults of the server | `reason` |
//! | `capture` | `tolerated` (report only) | warn | `reason` |
//! | `bind` | `bound` | debug | `method` (`S256`, `plain`, `none`), `lifetime_ms` |
//! | `bind` | `tolerated` (report only) | warn | `reason` |
//! | `bind` | `failed` | error | `error` |
//! | `token` | `preflight` | debug | |
//! | `token` | `cleared` | debug | `clearance` ([`ClearanceKind::as_str`]), `method` |
//! | `token` | `tolerated` (report only) | warn | `clearance`, `reason` |
//! | `token` | `rejected` | info; warn for what a thief of codes would cause; error for faults of the server | `reason` ([`Reason::as_str`]) |
//! | `token` | `kept`, `restored` | debug | |
//! | `store` | `failed` | error | `verb`, `kind` ([`StoreErrorKind::as_str`]), `error` |
//! | `metadata` | `advertised` | debug | |
//! | `metadata` | `signed`: its claims are left alone, and take precedence (RFC 8414 §2.1) | warn | |
//! | `metadata` | `untouched`: it passes as the host wrote it | warn | `why` |
//! | `metadata` | `failed`: the client gets an error instead | error | `why` |
//! | (an adapter) | `misconfigured` | error | the message names what is missing |
//!
//! # Metrics
//!
//! With the feature `metrics` the same is recorded for the recorder that the host has installed for the
//! [`metrics`](https://docs.rs/metrics) crate, version 0.24. Names, labels and values are stable.
//!
//! | metric | kind | labels |
//! | --- | --- | --- |
//! | `pkce_events_total` | counter | the fields of the event, without `error` and `lifetime_ms`; each has a few fixed values |
//! | `pkce_store_call_duration_seconds` | histogram | `verb` (`insert`, `redeem`, `restore`), `result` (`ok`, or [`StoreErrorKind::as_str`]) |
//!
//! A call of the store that times out is recorded with the time-out; one whose request is dropped meanwhile is not.
//! `describe_metrics` gives the metrics their help texts, and sets to zero the counts that alerts watch.
//! `docs/observability.md` in the repository has the questions to ask of them, alerts and a dashboard.
//!
//! # Features
//!
//! * `metrics`: the metrics above. Off by default.
//! * `contract`: the store contract suite, for the tests of your own store. Off by default; it needs tokio.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod attempt;
pub mod authorization;
mod bind;
mod binding;
mod body_buffer;
mod bounded_store;
mod builder;
mod capture;
mod challenge;
mod clearance;
mod clock;
mod code;
mod code_digest;
#[cfg(feature = "contract")]
pub mod contract;
mod decision;
mod events;
mod grant;
mod host_response;
mod json;
mod judgement;
mod memory;
pub mod metadata;
mod method;
#[cfg(feature = "metrics")]
mod metrics;
mod params;
mod pkce;
mod policy;
mod proof;
mod random;
mod reason;
mod redirect;
mod rejection;
mod replay;
mod request;
mod requested;
#[cfg(feature = "metrics")]
mod series;
mod settle;
mod store;
mod store_error;
mod timer;
pub mod token;
mod verifier;

pub use async_trait::async_trait;
pub use attempt::{Attempt, Ticket};
pub use bind::{Bind, BindError};
pub use binding::{Binding, InvalidBinding};
pub use body_buffer::{BodyBuffer, Gathered};
pub use builder::PkceBuilder;
pub use capture::{CaptureRefusal, CaptureRequest};
pub use challenge::{CodeChallenge, VerifyError};
pub use clearance::{Clearance, ClearanceKind};
pub use clock::{Clock, SystemClock, Timestamp};
pub use code::AuthorizationCode;
pub use code_digest::CodeDigest;
pub use grant::GrantError;
pub use host_response::HostResponse;
pub use judgement::Judgement;
pub use memory::{MemoryStore, MemoryStoreBuilder};
pub use method::{CodeChallengeMethod, InvalidCodeChallenge};
#[cfg(feature = "metrics")]
pub use metrics::describe_metrics;
pub use pkce::Pkce;
pub use policy::{InvalidPolicy, Policy};
pub use proof::Proof;
pub use random::RandomError;
pub use reason::{ErrorCode, Reason};
pub use redirect::ErrorRedirect;
pub use rejection::Rejection;
pub use replay::Replay;
pub use request::{Body, Request};
pub use requested::{Requested, RequestedChallenge};
pub use settle::{Reservation, Settle};
pub use store::{ChallengeStore, Inserted, Redemption};
pub use store_error::{StoreError, StoreErrorKind};
pub use timer::{BoxFuture, Timer};
pub use verifier::{CodeVerifier, InvalidCodeVerifier};
