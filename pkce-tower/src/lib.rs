//! PKCE (RFC 7636) for authorization servers on axum, Tower and hyper.
//!
//! Three lines in an existing server, and the token handler runs only once the code verifier has matched:
//!
#![cfg_attr(feature = "axum", doc = "```")]
#![cfg_attr(not(feature = "axum"), doc = "```ignore")]
//! use axum::extract::State;
//! use axum::response::{IntoResponse, Redirect, Response};
//! use axum::routing::{get, post};
//! use axum::{Form, Router};
//! use pkce_tower::{AuthorizationCode, Challenge, Clearance, MemoryStore, Pkce, TokenEndpointLayer};
//!
//! async fn authorize(State(pkce): State<Pkce>, Challenge(challenge): Challenge) -> Result<Redirect, Response> {
//!     // … your checks of client and redirect URI, login, consent …
//!     let code = AuthorizationCode::generate().map_err(unavailable)?; // or a code of your own
//!     pkce.bind(&code, challenge).await.map_err(unavailable)?; // before the code leaves
//!     Ok(Redirect::to(&format!("https://client.example/cb?code={}", code.as_str())))
//! }
//!
//! async fn token(clearance: Clearance, Form(_form): Form<Vec<(String, String)>>) -> &'static str {
//!     // … your check of the client; runs only once the code verifier has matched …
//!     assert!(clearance.is_verified());
//!     "tokens"
//! }
//!
//! let pkce = Pkce::new(MemoryStore::new()); // S256 only, challenge required, codes live for 60 seconds
//! let app: Router = Router::new()
//!     .route("/authorize", get(authorize))
//!     .route("/token", post(token).layer(TokenEndpointLayer::new(pkce.clone())))
//!     .with_state(pkce);
//!
//! # fn unavailable(error: impl std::error::Error) -> Response {
//! #     (http::StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response()
//! # }
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! # use tower::ServiceExt as _;
//! # let send = |request| app.clone().oneshot(request);
//! // A client goes through the flow.
//! let verifier = pkce_tower::CodeVerifier::generate()?;
//! let [(_, challenge), (_, method)] = verifier.challenge().authorization_parameters();
//! let uri = format!("/authorize?response_type=code&code_challenge={challenge}&code_challenge_method={method}");
//! let redirect = send(http::Request::get(uri).body(axum::body::Body::empty())?).await?;
//! let location = redirect.headers()["location"].to_str()?;
//! let code = &location[location.find("code=").unwrap() + 5..];
//!
//! // Whoever has stolen the code alone is refused; the client is served, once.
//! let grant = format!("grant_type=authorization_code&code={code}");
//! let proven = format!("{grant}&code_verifier={}", verifier.as_str());
//! for (form, status) in [(&grant, 400), (&proven, 200), (&proven, 400)] {
//!     let request = http::Request::post("/token").header("content-type", "application/x-www-form-urlencoded");
//!     assert_eq!(send(request.body(form.clone().into())?).await?.status(), status);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What the layer does
//!
//! 1. It reads the body up to [`Policy::body_limit`] (16 KiB by default).
//! 2. It has the core judge the request: [`Pkce::judge`]. The rules are in [`token`]; none is here.
//! 3. Refused: it answers with the standard error (RFC 6749 §5.2), and the service inside does not run. The exact
//!    [`Reason`] stands in the response's extensions and in a `tracing` event.
//! 4. Cleared: the service inside gets the identical octets and a [`Clearance`].
//! 5. By the status of its answer the code stays redeemed or is restored: [`Settle`]. A `Settle` in the extensions of
//!    the answer overrules. If the future is dropped, or the service fails or panics, the code stays redeemed.
//!
//! # Limits
//!
//! | what | limit | why |
//! | --- | --- | --- |
//! | a body in memory | [`Policy::body_limit`], 16 KiB | also for [`ChallengeForm`]; axum's `DefaultBodyLimit` has no say in it |
//! | what is dropped of a larger body | 1 MiB | a client that is still sending gets to see the answer; one that announces more is answered at once |
//! | a call of the store | [`Policy::store_timeout`], 2 seconds | by tokio's timer, lent by [`TokenEndpointLayer::new`] and by the extractors; on another runtime lend its own before, by [`Pkce::lend_timer`] |
//! | the time for a body | none | it is the server's care, as for every other route: a time-out outside |
//!
//! # Where to mount it
//!
//! On the token route alone: `post(token).layer(…)`, a `ServiceBuilder`, or `route_layer`, also that of a `Router` that
//! has no other route (`Router::layer` would wrap the answer to unknown paths as well). Twice on one route is a 500 that
//! says so.
//!
//! CORS goes outside, so that refusals carry its headers, and so may client authentication. So may a time-out: when it
//! strikes while the service inside runs, the code stays redeemed.
//!
//! The request body of the service must be `From<Bytes>`: axum's is, `Full<Bytes>` is. For hyper's `Incoming` map the
//! body outside, by tower-http's `MapRequestBodyLayer::new(axum::body::Body::new)` or into a body type of your own; one
//! that was collected outside escapes the limit. Trailers of the request end at the layer.
//!
//! # The other layers
//!
//! * [`CaptureLayer`] for the authorization endpoint of a server that issues the code at once: neither extractor nor
//!   `bind`.
//! * [`MetadataLayer`] for the server's metadata: `code_challenge_methods_supported` says what is enforced.
//!
//! # Features
//!
//! * `axum` (default): the extractors [`Challenge`], [`OptionalChallenge`], [`ChallengeForm`],
//!   [`OptionalChallengeForm`] and [`Clearance`]. Without it the layer serves any Tower service, which finds its
//!   clearance by [`Clearance::of`].
//! * `metrics`: what becomes of the requests is counted, and the store is timed, for the recorder of the
//!   [`metrics`](https://docs.rs/metrics) crate that the host has installed: see [`pkce_core`]. Off by default.
//!
//! # Events
//!
//! Beside those of [`pkce_core`] there is one with the target `pkce`, at level error: `outcome` is `misconfigured`, and
//! the message is what the 500 says.
//!
//! Everything of `pkce-core` is re-exported, so one dependency line is enough; its own `Clearance`, which the one here
//! wraps, stands in [`pkce_core`].
#![cfg_attr(docsrs, feature(doc_cfg))]

mod body;
mod capture;
mod capture_layer;
#[cfg(feature = "axum")]
mod challenge_rejection;
mod clearance;
#[cfg(feature = "axum")]
mod extract;
mod facts;
mod layer;
#[expect(hidden_glob_reexports, reason = "the module of pkce-core is for adapters, not for hosts")]
mod metadata;
mod read;
mod render;
mod service;
mod timer;
#[cfg(feature = "axum")]
mod token_rejection;

pub use pkce_core;
#[doc(no_inline)]
pub use pkce_core::*;

pub use crate::body::EndpointBody;
pub use crate::capture::Capture;
pub use crate::capture_layer::CaptureLayer;
#[cfg(feature = "axum")]
pub use crate::challenge_rejection::ChallengeRejection;
pub use crate::clearance::Clearance;
#[cfg(feature = "axum")]
pub use crate::extract::{Challenge, ChallengeForm, OptionalChallenge, OptionalChallengeForm};
pub use crate::facts::facts;
pub use crate::layer::TokenEndpointLayer;
pub use crate::metadata::{Metadata, MetadataLayer};
pub use crate::service::{ResponseFuture, TokenEndpoint};
pub use crate::timer::TokioTimer;
#[cfg(feature = "axum")]
pub use crate::token_rejection::TokenRejection;
