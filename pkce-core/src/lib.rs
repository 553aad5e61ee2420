//! Server-side PKCE (RFC 7636): the rules, the decision, and the store they need. No HTTP framework, no sockets.
//!
//! PKCE binds an authorization code to the client that asked for it: the client sends a *code challenge* with the
//! authorization request and the *code verifier* with the token request, and the server checks that they match. A stolen
//! code is then useless.
//!
//! Most servers take one of the adapters, `pkce-tower` (axum, Tower) or `pkce-actix`, which re-export what a host uses.
//!
//! | you write | you find it in |
//! | --- | --- |
//! | a server | the root of this crate |
//! | a client | the root: [`CodeVerifier`], [`CodeChallenge`] |
//! | a store | [`store`], and `contract` to test it |
//! | an adapter to another framework | [`adapter`] |
//!
//! # How it works
//!
//! 1. [`Pkce::challenge`] judges the authorization request and returns a [`PendingChallenge`], or a [`Rejection`].
//! 2. [`Pkce::bind`] binds the challenge to the code that the host issues. The code must not leave before.
//! 3. [`Pkce::judge`] judges the token request ([`Pkce::redeem`] does so inside a handler). It marks the code redeemed in
//!    one atomic step *before* the host runs, and only if the verifier matches: of any number of concurrent requests one
//!    proceeds, and a wrong verifier changes nothing.
//! 4. [`Pkce::settle`] makes the code redeemable again if the host refuses the request after all.
//!
//! ```
//! use pkce_core::{AuthorizationCode, AuthorizationRequest, AuthorizationResponse, CodeVerifier, MemoryStore, Pkce};
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let pkce = Pkce::new(MemoryStore::new());
//!
//! // The client makes a verifier, and sends the two parameters of its challenge.
//! let verifier = CodeVerifier::generate()?;
//! let parameters = verifier.challenge().authorization_parameters();
//!
//! // The authorization endpoint.
//! let (challenge, ()) = pkce.challenge(AuthorizationRequest::from_parameters(parameters, pkce.policy()))?;
//! let code = AuthorizationCode::generate()?;
//! pkce.bind(&code, challenge).await?;
//! let redirect = AuthorizationResponse::new(&pkce, "https://app.example/cb").code(&code);
//! assert!(redirect.location().starts_with("https://app.example/cb?code="));
//!
//! // The token endpoint. A stolen code is rejected, the client is served, once.
//! assert!(pkce.redeem(code.as_str(), Some("a-guess-0123456789-0123456789-0123456789-012")).await.is_err());
//! assert!(pkce.redeem(code.as_str(), Some(verifier.as_str())).await.is_ok());
//! assert!(pkce.redeem(code.as_str(), Some(verifier.as_str())).await.is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Events
//!
//! Every outcome is a [`tracing`](https://docs.rs/tracing) event with the target `pkce` and these fields. No event
//! contains a code, a verifier, a challenge or a grant. Names and values are stable.
//!
//! | `endpoint` | `outcome` | level | further fields |
//! | --- | --- | --- | --- |
//! | `authorization` | `challenge` | debug | `method` |
//! | `authorization` | `no_challenge`, `no_code` | debug | |
//! | `authorization` | `tolerated` (report only) | warn | `reason`, `client_id` |
//! | `authorization` | `rejected` | info | `reason`, `client_id` |
//! | `capture` | `rejected` | info; error for faults of the server | `reason`, `client_id` |
//! | `capture` | `tolerated` (report only) | warn | `reason`, `client_id` |
//! | `bind` | `bound` | debug | `method` (`S256`, `plain`, `none`), `lifetime_ms` |
//! | `bind` | `tolerated` (report only) | warn | `reason` |
//! | `bind` | `failed` | error | `error` |
//! | `token` | `preflight` | debug | |
//! | `token` | `cleared` | debug | `clearance` ([`ClearanceKind::as_str`]), `method`, `age_ms` ([`Clearance::age`]) |
//! | `token` | `tolerated` (report only) | warn | `clearance`, `reason`, `age_ms` |
//! | `token` | `rejected` | info; warn for what a stolen code may cause; error for faults of the server | `reason` ([`Reason::as_str`]) |
//! | `token` | `kept`, `restored` | debug | |
//! | `store` | `failed` | error | `verb`, `kind` ([`StoreErrorKind::as_str`](store::StoreErrorKind::as_str)), `error` |
//! | `metadata` | `advertised` | debug | |
//! | `metadata` | `signed`: its claims are left alone, and take precedence (RFC 8414 §2.1) | warn | |
//! | `metadata` | `untouched`: it passes as the host wrote it | warn | `why` |
//! | `metadata` | `failed`: the client gets an error instead | error | `why` |
//! | `adapter` | `misconfigured` | error | `message`: what is missing |
//!
//! `client_id` is the parameter of the request, which anybody can choose: at most 128 characters; each that is not
//! visible ASCII is shown as `?`.
//!
//! # Metrics
//!
//! With the feature `metrics` the same is recorded for the recorder that the host has installed for the
//! [`metrics`](https://docs.rs/metrics) crate, version 0.24. Names, labels and values are stable.
//!
//! | metric | kind | labels |
//! | --- | --- | --- |
//! | `pkce_events_total` | counter | the fields of the event with a few fixed values: not `age_ms`, `client_id`, `error`, `lifetime_ms`, `message` |
//! | `pkce_store_call_duration_seconds` | histogram | `verb` (`insert`, `redeem`, `restore`), `result` (`ok`, or the kind of the fault) |
//!
//! A call of the store that times out is recorded with the time-out. One whose request is dropped meanwhile is not.
//! `describe_metrics` gives the metrics their help texts, and sets the counts that alerts watch to zero.
//! `docs/observability.md` in the repository has queries, alerts and a dashboard.
//!
//! # Features
//!
//! All are off by default, and each only adds.
//!
//! * `tokio`: every [`Pkce`] times the calls of its store by tokio's timer ([`PkceBuilder::timer`]). The adapters switch it
//!   on.
//! * `axum`: a router state of `Arc<T>` for the extractors of `pkce-tower`, which switches it on.
//! * `metrics`: the metrics above.
//! * `contract`: the store contract suite, for the tests of your own store. It needs tokio.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod adapter;
mod authorization;
mod bind;
mod bound_request;
mod bounded_store;
mod builder;
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
mod json;
mod memory;
mod method;
#[cfg(feature = "metrics")]
mod metrics;
mod params;
mod pkce;
mod policy;
mod proof;
mod random;
mod reason;
mod redirect_uri;
mod rejection;
mod replay;
#[cfg(feature = "metrics")]
mod series;
mod settle;
pub mod store;
mod sync;
mod uri;
mod verifier;

pub use authorization::{
    AuthorizationError, AuthorizationRedirect, AuthorizationRequest, AuthorizationResponse, PendingChallenge,
};
pub use bind::{Bind, BindError};
pub use builder::PkceBuilder;
pub use challenge::{CodeChallenge, VerifyError};
pub use clearance::{Clearance, ClearanceKind};
pub use clock::Timestamp;
pub use code::AuthorizationCode;
pub use grant::GrantError;
pub use memory::{MemoryStore, MemoryStoreBuilder};
pub use method::{CodeChallengeMethod, InvalidCodeChallenge};
#[cfg(feature = "metrics")]
pub use metrics::describe_metrics;
pub use pkce::Pkce;
pub use policy::Policy;
pub use random::RandomError;
pub use reason::{ErrorCode, Reason};
pub use redirect_uri::RedirectUriMatcher;
pub use rejection::Rejection;
pub use replay::Replay;
pub use settle::{Reservation, Settle};
pub use verifier::{CodeVerifier, InvalidCodeVerifier};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
