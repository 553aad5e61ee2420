//! PKCE (RFC 7636) for authorization servers on axum, Tower and hyper.
//!
//! A few lines in an existing server, and the token handler runs only once the code verifier has matched:
//!
#![cfg_attr(feature = "axum", doc = "```")]
#![cfg_attr(not(feature = "axum"), doc = "```ignore")]
//! use axum::extract::State;
//! use axum::routing::{get, post};
//! use axum::{Form, Router};
//! use pkce_tower::{
//!     AuthorizationCode, AuthorizationRedirect, AuthorizationResponse, Challenge, Clearance, MemoryStore, Pkce, Rejection,
//!     TokenEndpointLayer,
//! };
//!
//! async fn authorize(
//!     State(pkce): State<Pkce>,
//!     Challenge(challenge): Challenge,
//! ) -> Result<AuthorizationRedirect, Rejection> {
//!     // … your checks of client and redirect URI, login, consent …
//!     let code = AuthorizationCode::generate()?; // or a code of your own
//!     pkce.bind(&code, challenge).await?; // before the code leaves
//!     Ok(AuthorizationResponse::new(&pkce, "https://client.example/cb").code(&code))
//! }
//!
//! async fn token(clearance: Clearance, Form(_form): Form<Vec<(String, String)>>) -> String {
//!     // … your check of the client; runs only once the code verifier has matched …
//!     format!("tokens for {:?}", clearance.code())
//! }
//!
//! let pkce = Pkce::new(MemoryStore::new()); // S256 only, challenge required, codes live for 60 seconds
//! let app: Router = Router::new()
//!     .route("/authorize", get(authorize))
//!     .route("/token", post(token).layer(TokenEndpointLayer::new(pkce.clone())))
//!     .with_state(pkce); // or a state of your own, see `Challenge`
//!
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
//! // Whoever has stolen the code alone is rejected. The client is served, once.
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
//! 2. It passes the request to [`Pkce::judge`], which marks the code redeemed if the verifier matches. The rules are those
//!    of [`pkce_core::adapter::token`]; none is here.
//! 3. A rejected request gets the standard error (RFC 6749 §5.2), and the service inside does not run. The
//!    [`pkce_core::Rejection`] with the exact [`Reason`] is in the extensions of the response, and the reason is in a
//!    `tracing` event.
//! 4. Otherwise the service inside gets the identical bytes and a [`Clearance`].
//! 5. By the status of its response the code stays redeemed or is restored: [`Settle::by_status`]. A [`Settle`] in the
//!    extensions of the response overrides the status. If the future is dropped, or the service fails or panics, the code
//!    stays redeemed.
//!
//! # Limits
//!
//! | what | limit | why |
//! | --- | --- | --- |
//! | a body in memory | [`Policy::body_limit`], 16 KiB | also for `ChallengeForm`; axum's `DefaultBodyLimit` does not apply |
//! | what is read and dropped of a larger body | 1 MiB | a client that is still sending sees the response; one that announces more is answered at once |
//! | a call of the store | [`Policy::store_timeout`], 2 seconds | by tokio's timer; on another runtime pass its timer to [`PkceBuilder::timer`] |
//! | the time for a body | [`Policy::body_timeout`], 30 seconds | a client that sends slowly must not hold a connection; the response is a 408 |
//!
//! # Where to mount it
//!
//! On the token route alone: `post(token).layer(…)`, a `ServiceBuilder`, or `route_layer`, also that of a `Router` that has
//! no other route (`Router::layer` would wrap the response to unknown paths as well). `post(token).layer(…).get(…)` leaves
//! the GET unprotected: add the layer last. Twice on one route is a 500.
//!
//! CORS goes outside, so that rejections carry its headers, and so may client authentication. So may a time-out: when it
//! expires while the service inside runs, the code stays redeemed.
//!
//! The request and the response body of the service inside must be `From<Bytes>`: axum's is, `Full<Bytes>` is. A layer
//! inside that changes the response body goes into a `route_layer`, which makes it axum's again:
//! `post(token).route_layer(CatchPanicLayer::new()).layer(TokenEndpointLayer::new(pkce))`. For hyper's `Incoming` map the request
//! body outside, by tower-http's `MapRequestBodyLayer::new(axum::body::Body::new)` or into a body
//! type of your own. A body that was collected outside is not subject to the limit. Trailers of the request end at the
//! layer.
//!
//! # The other layers
//!
//! * [`CaptureLayer`] for the authorization endpoint of a server that issues the code at once: neither extractor nor
//!   `bind`.
//! * [`MetadataLayer`] for the server's metadata: `code_challenge_methods_supported` lists what is enforced.
//!
//! # Features
//!
//! * `axum` (default): the extractors `Challenge`, `OptionalChallenge`, `ChallengeForm`,
//!   `OptionalChallengeForm` and [`Clearance`]. Without it the layer serves any Tower service, which finds its
//!   clearance by [`Clearance::of`].
//! * `metrics`: counts the outcomes and times the store, for the recorder of the [`metrics`](https://docs.rs/metrics) crate
//!   that the host has installed: see [`pkce_core`]. Off by default.
//!
//! Stores and their authors find the rest in [`pkce_core::store`], authors of other adapters in [`pkce_core::adapter`].
#![cfg_attr(docsrs, feature(doc_cfg))]

mod capture;
mod extract;
mod io;
mod metadata;
mod rejection;
mod token_endpoint;

pub use pkce_core;
#[cfg(feature = "metrics")]
#[doc(inline)]
pub use pkce_core::describe_metrics;
#[doc(inline)]
pub use pkce_core::{
    AuthorizationCode, AuthorizationRequest, Bind, BindError, ClearanceKind, CodeChallenge, CodeChallengeMethod,
    CodeVerifier, ErrorCode, GrantError, MemoryStore, PendingChallenge, Pkce, PkceBuilder, Policy, RandomError, Reason,
    RedirectUriMatcher, Replay, Reservation, Settle,
};

pub use crate::capture::{Capture, CaptureLayer};
pub use crate::extract::Clearance;
#[cfg(feature = "axum")]
pub use crate::extract::{Challenge, ChallengeForm, OptionalChallenge, OptionalChallengeForm};
pub use crate::metadata::{Metadata, MetadataLayer};
pub use crate::rejection::{AuthorizationRedirect, Rejection};
pub use crate::token_endpoint::{TokenEndpoint, TokenEndpointLayer};

/// The response of the authorization endpoint, success or error, to a redirect URI that the host has validated. What
/// [`code`](pkce_core::adapter::ResponseTo::code) and [`error`](pkce_core::adapter::ResponseTo::error) return is a response
/// of axum, and converts into one of `http`.
///
/// ```
/// use pkce_tower::{AuthorizationResponse, ErrorCode, MemoryStore, Pkce};
///
/// let pkce = Pkce::builder(MemoryStore::new()).issuer("https://as.example").build();
/// let response = AuthorizationResponse::new(&pkce, "https://app.example/cb").state("xyz".to_owned());
/// let denied: http::Response<bytes::Bytes> = response.error(ErrorCode::AccessDenied).into();
/// assert_eq!(denied.status(), 303);
/// assert_eq!(
///     denied.headers()["location"],
///     "https://app.example/cb?error=access_denied&state=xyz&iss=https%3A%2F%2Fas.example"
/// );
/// ```
pub type AuthorizationResponse = pkce_core::adapter::ResponseTo<AuthorizationRedirect>;

#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../README.md")]
struct Readme;
